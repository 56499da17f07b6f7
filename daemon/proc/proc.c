/* proc.c - the effects of one worker process.
 * Owns its pidfd, control channel, status page, log socket and the one timer that runs (boot, later shutdown).  Whatever is
 * seen is translated into an event of incarnation.c; its row names the next state and the one action to carry out here.
 * The owner (pool.c) hears READY, LOST at most once, and GONE last.  Everything that the worker says is bounded and checked,
 * and is nothing but a word: at worst the worker is killed.
 * Must not know which slot it serves, whether it will be replaced, or by what. */
#include "daemon/proc/proc.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/fd.h"
#include "daemon/log/log.h"
#include "daemon/log/text.h"
#include "daemon/owner.h"
#include "daemon/proc/proc_log.h"
#include "daemon/proc/proc_spawn.h"

enum {
    HUNG_UP_MS = 1000, /* a dying process closes its descriptors just before it is reported */
    TIMER_ACCURACY_US = 10000,
};

static void step(struct proc *proc, enum incarnation_event event, const char *detail);

static void stop_timer(struct proc *proc)
{
    proc->timer = sd_event_source_disable_unref(proc->timer);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    struct proc *proc = userdata;
    char detail[64] = "closed its control channel";
    bool is_boot = incarnation_is_booting(proc->state);
    if (is_boot) {
        (void)snprintf(detail, sizeof(detail), "not ready within %u ms", proc->setting->boot_ms);
    } else if (proc->state == INCARNATION_DRAINING) {
        (void)snprintf(detail, sizeof(detail), "not gone within %u ms", proc->setting->shutdown_ms);
    }
    stop_timer(proc);
    step(proc, is_boot ? INCARNATION_ON_BOOT_TIMEOUT : INCARNATION_ON_SHUTDOWN_TIMEOUT, detail);
    return 0;
}

static int start_timer(struct proc *proc, uint32_t limit_ms)
{
    stop_timer(proc);
    int error =
        sd_event_add_time_relative(proc->setting->loop, &proc->timer, CLOCK_MONOTONIC,
                                   (uint64_t)limit_ms * 1000, TIMER_ACCURACY_US, on_timer, proc);
    return error < 0 ? error : 0;
}

static int hand_out(struct proc *proc)
{
    int error = channel_send(&proc->channel, PROTO_LOG, NULL, 0, proc->log_peer_fd);
    if (error == 0) {
        error = channel_send(&proc->channel, PROTO_CONFIG, NULL, 0, proc->config_fd);
    }
    if (error == 0) {
        struct proto_generation body = {proc->generation};
        error = channel_send(&proc->channel, PROTO_LOAD, &body, sizeof(body), proc->bundle_fd);
    }
    fd_close(&proc->log_peer_fd); /* so that the worker's end is the only one */
    fd_close(&proc->config_fd);
    fd_close(&proc->bundle_fd);
    return error;
}

static int activate(struct proc *proc)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < proc->listener_count; i++) {
        struct proto_listener body = {.slot = proc->subject.slot};
        (void)snprintf(body.name, sizeof(body.name), "%s", proc->listeners[i].name);
        error = channel_send(&proc->channel, PROTO_LISTENER, &body, sizeof(body),
                             proc->listeners[i].fd);
    }
    if (error == 0) {
        struct proto_activate body = {proc->generation, proc->subject.slot};
        error = channel_send(&proc->channel, PROTO_ACTIVATE, &body, sizeof(body), -1);
    }
    return error;
}

static int send_drain(struct proc *proc)
{
    struct proto_drain body = {.idle_ms = proc->setting->drain_ms};
    int error = channel_send(&proc->channel, PROTO_DRAIN, &body, sizeof(body), -1);
    return error < 0 ? error : start_timer(proc, proc->setting->shutdown_ms);
}

static void kill_now(struct proc *proc)
{
    stop_timer(proc);
    spawn_signal(&proc->child, SIGKILL);
}

static void tell_ready(struct proc *proc)
{
    stop_timer(proc);
    proc->ready_us = clock_wall_us();
    proc->ready_mono_ms = clock_monotonic_ms();
    int64_t boot_ms = (int64_t)(proc->ready_mono_ms - proc->started_mono_ms);
    log_write(
        proc->setting->log, LOG_LEVEL_NOTICE, &proc->subject, "worker is ready",
        LOG_FIELDS(log_int("generation", (int64_t)proc->generation), log_int("boot_ms", boot_ms)));
    proc->on_news(proc, PROC_READY);
}

static void tell_lost(struct proc *proc, const char *detail)
{
    if (proc->failure == PROC_FAILURE_NONE) {
        proc->failure = PROC_FAILURE_OTHER;
        (void)fsd_err_set(&proc->why, 0, "%s", detail == NULL ? "closed its channel" : detail);
    }
    proc->on_news(proc, PROC_LOST);
}

/* A call that can't go on ends the worker's usefulness as if it had broken the contract. */
static void check(struct proc *proc, int error)
{
    if (error == -EPIPE || error == -ECONNRESET) {
        step(proc, INCARNATION_ON_CLOSED, NULL); /* it is ending: its exit will say why */
    } else if (error < 0) {
        step(proc, INCARNATION_ON_BROKEN, strerror(-error));
    }
}

static void act(struct proc *proc, enum incarnation_action action, const char *detail)
{
    switch (action) {
    case INCARNATION_DO_NOTHING:
        break;
    case INCARNATION_HAND_OUT:
        check(proc, hand_out(proc));
        break;
    case INCARNATION_ACTIVATE:
        check(proc, activate(proc));
        break;
    case INCARNATION_TELL_READY:
        tell_ready(proc);
        break;
    case INCARNATION_SEND_DRAIN:
        check(proc, send_drain(proc));
        break;
    case INCARNATION_TELL_WITHDRAWN:
        proc->on_news(proc, PROC_WITHDRAWN);
        break;
    case INCARNATION_AWAIT_EXIT:
        check(proc, start_timer(proc, HUNG_UP_MS));
        break;
    case INCARNATION_KILL:
        kill_now(proc);
        break;
    case INCARNATION_FAIL:
        kill_now(proc);
        tell_lost(proc, detail);
        break;
    case INCARNATION_FAIL_AND_GONE:
        stop_timer(proc);
        tell_lost(proc, detail);
        proc->on_news(proc, PROC_GONE);
        break;
    case INCARNATION_TELL_GONE:
        stop_timer(proc);
        proc->on_news(proc, PROC_GONE);
        break;
    }
}

static void log_step(const struct proc *proc, const struct incarnation_row *row, const char *detail)
{
    if (row->sentence == NULL || row->action == INCARNATION_TELL_READY) {
        return; /* tell_ready has more to say */
    }
    char message[FSD_ERR_MAX + 64];
    (void)snprintf(message, sizeof(message), "%s%s%s", row->sentence, detail == NULL ? "" : ": ",
                   detail == NULL ? "" : detail);
    log_write(proc->setting->log, row->level, &proc->subject, message,
              LOG_FIELDS(log_int("generation", (int64_t)proc->generation)));
}

/* Takes one event; proc may be free afterwards. */
static void step(struct proc *proc, enum incarnation_event event, const char *detail)
{
    const struct incarnation_row *row = incarnation_find(proc->state, event);
    char breach[96];
    if (row == NULL && incarnation_is_word(event)) {
        (void)snprintf(breach, sizeof(breach), "said %s while %s", incarnation_event_name(event),
                       incarnation_state_name(proc->state));
        detail = breach;
        row = incarnation_find(proc->state, INCARNATION_ON_BROKEN);
    }
    if (row == NULL) {
        log_write(proc->setting->log, LOG_LEVEL_ERROR, &proc->subject, "impossible event",
                  LOG_FIELDS(log_text("event", incarnation_event_name(event)),
                             log_text("state", incarnation_state_name(proc->state))));
        return;
    }
    proc->state = row->next;
    log_step(proc, row, detail);
    act(proc, row->action, detail);
}

static void on_hello(struct proc *proc, const struct proto_hello *hello)
{
    if (hello->protocol == PROTO_VERSION) {
        step(proc, INCARNATION_ON_HELLO, NULL);
        return;
    }
    proc->failure = PROC_FAILURE_MISMATCH;
    (void)fsd_err_set(&proc->why, 0,
                      "fsd-worker \"%s\" speaks protocol %" PRIu32
                      ", this fsd speaks %d: install both from the same version",
                      proc->setting->worker_path, hello->protocol, PROTO_VERSION);
    step(proc, INCARNATION_ON_MISMATCH, proc->why.text);
}

static void on_refused(struct proc *proc, const struct wire_message *message)
{
    size_t head = sizeof(struct proto_generation);
    size_t len = message->head.size - head; /* the contract's table has checked it */
    if (proc->failure == PROC_FAILURE_NONE) {
        proc->failure = PROC_FAILURE_REFUSED;
        (void)text_clean(proc->why.text, sizeof(proc->why.text),
                         (const char *)message->payload + head, len);
    }
    step(proc, INCARNATION_ON_REFUSED, proc->why.text);
}

static void on_generation(struct proc *proc, const struct wire_message *message,
                          enum incarnation_event event)
{
    struct proto_generation body;
    memcpy(&body, message->payload, sizeof(body));
    if (body.generation != proc->generation) {
        step(proc, INCARNATION_ON_BROKEN, "spoke of another generation than its own");
    } else if (event == INCARNATION_ON_REFUSED) {
        on_refused(proc, message);
    } else {
        step(proc, event, NULL);
    }
}

static void on_message(struct proc *proc, const struct wire_message *message)
{
    struct proto_hello hello;
    switch ((enum proto_kind)message->head.kind) {
    case PROTO_HELLO:
        memcpy(&hello, message->payload, sizeof(hello));
        on_hello(proc, &hello);
        break;
    case PROTO_LOADED:
        on_generation(proc, message, INCARNATION_ON_LOADED);
        break;
    case PROTO_REFUSED:
        on_generation(proc, message, INCARNATION_ON_REFUSED);
        break;
    case PROTO_ACTIVE:
        on_generation(proc, message, INCARNATION_ON_ACTIVE);
        break;
    case PROTO_DRAINING:
        step(proc, INCARNATION_ON_WITHDRAWN, NULL);
        break;
    case PROTO_PREPARED:
    case PROTO_REJECTED:
    case PROTO_COMMITTED:
    case PROTO_LEAVE:
    case PROTO_DYING:
        break;
    case PROTO_LOG: /* the others go to the worker; wire_recv refuses them */
    case PROTO_CONFIG:
    case PROTO_LOAD:
    case PROTO_UNAVAILABLE:
    case PROTO_LISTENER:
    case PROTO_ACTIVATE:
    case PROTO_RETURN:
    case PROTO_DRAIN:
    case PROTO_PREPARE:
    case PROTO_COMMIT:
    case PROTO_ABORT:
        break;
    }
}

static void on_channel_news(struct channel *channel, enum channel_news news,
                            struct wire_message *message, const char *why)
{
    struct proc *proc = OWNER_OF(channel, struct proc, channel);
    switch (news) {
    case CHANNEL_MESSAGE:
        on_message(proc, message);
        break;
    case CHANNEL_CLOSED:
        step(proc, INCARNATION_ON_CLOSED, NULL);
        break;
    case CHANNEL_BROKEN:
        step(proc, INCARNATION_ON_BROKEN, why);
        break;
    }
}

static int on_exit_seen(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source;
    (void)fd;
    (void)events;
    struct proc *proc = userdata;
    if (spawn_reap(&proc->child, &proc->cause) < 0) {
        return 0;
    }
    proc->exit_source = sd_event_source_disable_unref(proc->exit_source);
    channel_read_rest(&proc->channel); /* its last words come before its end */
    proc_log_read_rest(proc);
    struct fsd_err words = {""};
    if (spawn_failure(&proc->child, proc->setting->worker_path, &words) == 0) {
        char text[CAUSE_TEXT_MAX];
        cause_format(&proc->cause, proc->was_told, text);
        (void)fsd_err_set(&words, 0, "%s", text);
    }
    step(proc, INCARNATION_ON_EXITED, words.text);
    return 0;
}

int proc_start(struct proc *proc, const struct proc_setting *setting,
               const struct proc_order *order, proc_fn on_news, struct fsd_err *err)
{
    int sock = -1;
    int error = proc_spawn(proc, setting, order, &sock, err);
    if (error < 0) {
        proc_fini(proc);
        return error;
    }
    proc->on_news = on_news;
    proc->started_us = clock_wall_us();
    proc->started_mono_ms = clock_monotonic_ms();
    error = channel_open(&proc->channel, setting->loop, sock, on_channel_news);
    if (error == 0) {
        error = sd_event_add_io(setting->loop, &proc->exit_source, proc->child.pidfd, EPOLLIN,
                                on_exit_seen, proc);
    }
    if (error >= 0) {
        error = proc_log_open(proc);
    }
    if (error >= 0) {
        error = start_timer(proc, setting->boot_ms);
    }
    if (error < 0) {
        proc_fini(proc); /* kills it; the sweep for foreign children reaps it */
        return fsd_err_set(err, -error, "cannot watch the new worker: %s", strerror(-error));
    }
    log_write(setting->log, LOG_LEVEL_DEBUG, &proc->subject, "worker is started",
              LOG_FIELDS(log_int("incarnation", (int64_t)proc->number),
                         log_int("generation", (int64_t)proc->generation)));
    return 0;
}

void proc_drain(struct proc *proc)
{
    proc->was_told = true;
    step(proc, INCARNATION_ON_DRAIN, NULL);
}

void proc_kill(struct proc *proc)
{
    proc->was_told = true;
    step(proc, INCARNATION_ON_STOP, NULL);
}

void proc_fini(struct proc *proc)
{
    if (proc_is_free(proc)) {
        return;
    }
    if (proc->state != INCARNATION_GONE && proc->child.pidfd >= 0) {
        spawn_signal(&proc->child, SIGKILL);
    }
    stop_timer(proc);
    proc->exit_source = sd_event_source_disable_unref(proc->exit_source);
    proc_log_close(proc);
    channel_close(&proc->channel);
    spawn_forget(&proc->child);
    page_unmap(proc->page);
    blackbox_unmap(proc->blackbox);
    fd_close(&proc->log_peer_fd);
    fd_close(&proc->bundle_fd);
    fd_close(&proc->config_fd);
    *proc = (struct proc){.setting = NULL};
}

bool proc_is_free(const struct proc *proc)
{
    return proc->setting == NULL;
}
