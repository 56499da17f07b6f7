/* proc_say.c - what the master says to a worker, message by message.
 * Owns nothing: descriptors that are handed out are closed here once they are sent.  Each function fills one message of proto.h from
 * what struct proc knows.  Called by proc.c for the actions of a worker's life and for its owner's orders.
 * Must not know when something is said. */
#include "daemon/proc/proc_say.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/fd.h"
#include "daemon/proc/proc.h"
#include "daemon/shared/shared_set.h"

/* The bundle, or that there is none to run. */
static int send_code(const struct proc *proc)
{
    if (proc->bundle_fd < 0) {
        struct proto_unavailable body = {proc->retry_after_s};
        return channel_send(&proc->channel, PROTO_UNAVAILABLE, &body, sizeof(body), -1);
    }
    struct proto_generation body = {proc->generation};
    return channel_send(&proc->channel, PROTO_LOAD, &body, sizeof(body), proc->bundle_fd);
}

static bool is_named(const struct shared_set *set, const char *name)
{
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        if (strcmp(set->items[i].body.name, name) == 0) {
            return true;
        }
    }
    return false;
}

int proc_say_shared(const struct proc *proc, const struct shared_set *from,
                    const struct shared_set *to)
{
    int error = 0;
    for (size_t i = 0; error == 0 && from != NULL && i < from->count; i++) {
        const struct proto_shared *body = &from->items[i].body;
        if (!is_named(to, body->name)) {
            error = channel_send(&proc->channel, PROTO_UNSHARED, body, sizeof(*body), -1);
        }
    }
    for (size_t i = 0; error == 0 && to != NULL && i < to->count; i++) {
        const struct shared_memory *memory = &to->items[i];
        if (shared_set_find(from, memory) == NULL) {
            error = channel_send(&proc->channel, PROTO_SHARED, &memory->body, sizeof(memory->body),
                                 memory->fd);
        }
    }
    return error;
}

int proc_say_access(const struct proc *proc)
{
    int fd = proc->setting->access_fd == NULL ? -1 : *proc->setting->access_fd;
    return fd < 0 ? 0 : channel_send(&proc->channel, PROTO_ACCESS, NULL, 0, fd);
}

int proc_say_hand_out(struct proc *proc)
{
    int error = channel_send(&proc->channel, PROTO_LOG, NULL, 0, proc->log_peer_fd);
    if (error == 0) {
        error = channel_send(&proc->channel, PROTO_CONFIG, NULL, 0, proc->config_fd);
    }
    if (error == 0) {
        error = proc_say_access(proc);
    }
    if (error == 0) {
        error = proc_say_shared(proc, NULL, proc->set);
    }
    if (error == 0) {
        error = send_code(proc);
    }
    fd_close(&proc->log_peer_fd); /* so that the worker's end is the only one */
    fd_close(&proc->config_fd);
    fd_close(&proc->bundle_fd);
    shared_set_release(&proc->set);
    return error;
}

int proc_say_listeners(const struct proc *proc, const struct proc_post *post)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < post->listener_count; i++) {
        struct proto_listener body = {.slot = post->slot};
        (void)snprintf(body.name, sizeof(body.name), "%s", post->listeners[i].name);
        error = channel_send(&proc->channel, PROTO_LISTENER, &body, sizeof(body),
                             post->listeners[i].fd);
    }
    return error;
}

int proc_say_activate(const struct proc *proc)
{
    struct proto_activate body = {proc_get_generation(proc), proc->subject.slot};
    return channel_send(&proc->channel, PROTO_ACTIVATE, &body, sizeof(body), -1);
}

int proc_say_return(const struct proc *proc, unsigned slot)
{
    struct proto_return body = {slot};
    return channel_send(&proc->channel, PROTO_RETURN, &body, sizeof(body), -1);
}

int proc_say_change(const struct proc *proc, enum proto_kind kind,
                    const struct proto_transaction *change, int fd)
{
    return channel_send(&proc->channel, kind, change, sizeof(*change), fd);
}

int proc_say_drain(const struct proc *proc)
{
    struct proto_drain body = {proc->setting->drain_ms, proc->empties_queues};
    return channel_send(&proc->channel, PROTO_DRAIN, &body, sizeof(body), -1);
}
