/* link.c - the control channel, as the worker sees it: messages in, messages out, the master's end.
 * Owns the watch on descriptor 3, and a queue.  Reads until nothing is there, so that one wake-up serves a burst.  What a worker says of
 * its life is less than ten messages, so a full socket means a master that has stopped reading, which is as good as gone.  What
 * actors say may be much: that waits in the queue while a quarter of the socket's room is in use, so that the rest is left.
 * Called by life.c, and by actor/ to say something.  Must not know what a message means. */
#include "worker/core/link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "common/err.h"
#include "worker/core/loop.h"

static void lose(struct link *link, const char *why)
{
    if (link->watch.fd >= 0) {
        watch_remove(link->loop, &link->watch);
        link->on_gone(link, why);
    }
}

static bool has_room(const struct link *link)
{
    struct pollfd wanted = {.fd = link->watch.fd, .events = POLLOUT};
    return link->watch.fd >= 0 && poll(&wanted, 1, 0) == 1 && (wanted.revents & POLLOUT) != 0;
}

static void on_ready(struct watch *watch, uint32_t events);

static void watch_for(struct link *link, uint32_t events)
{
    int fd = link->watch.fd;
    watch_remove(link->loop, &link->watch);
    int error = watch_add(link->loop, &link->watch, fd, events, on_ready);
    if (error != 0) {
        link->on_gone(link, strerror(-error));
    }
}

static void flush(struct link *link)
{
    while (link->queue_at < link->queue_len && has_room(link)) {
        struct proto_head head;
        memcpy(&head, link->queue + link->queue_at, sizeof(head));
        const unsigned char *payload = link->queue + link->queue_at + sizeof(head);
        link->queue_at += sizeof(head) + head.size;
        link_send(link, (enum proto_kind)head.kind, payload, head.size);
    }
    if (link->queue_at == link->queue_len && link->watch.fd >= 0) {
        link->queue_at = 0;
        link->queue_len = 0;
        watch_for(link, EPOLLIN);
    }
}

static void on_ready(struct watch *watch, uint32_t events)
{
    struct link *link = H2O_STRUCT_FROM_MEMBER(struct link, watch, watch);
    if ((events & EPOLLOUT) != 0) {
        flush(link);
    }
    while (link->watch.fd >= 0) { /* an end shows itself in recvmsg too */
        struct wire_message message;
        struct fsd_err err;
        int result = wire_recv(link->watch.fd, PROTO_TO_WORKER, &message, &err);
        if (result == -EAGAIN) {
            return;
        }
        if (result == 1) {
            link->on_message(link, &message);
        } else {
            lose(link, result == 0 ? "the master has gone"
                                   : (result == -EPROTO ? err.text : strerror(-result)));
        }
    }
}

int link_open(struct link *link, struct loop *loop, int fd,
              void (*on_message)(struct link *link, struct wire_message *message),
              void (*on_gone)(struct link *link, const char *why))
{
    *link = (struct link){.loop = loop, .on_message = on_message, .on_gone = on_gone};
    link->watch.fd = -1;
    return watch_add(loop, &link->watch, fd, EPOLLIN, on_ready);
}

void link_send(struct link *link, enum proto_kind kind, const void *payload, size_t size)
{
    int error = wire_send(link->watch.fd, kind, payload, size, -1);
    if (error != 0) {
        lose(link, strerror(-error));
    }
}

void link_send_text(struct link *link, enum proto_kind kind, const void *payload, size_t size,
                    const char *text)
{
    int error = wire_send_text(link->watch.fd, kind, payload, size, text);
    if (error != 0) {
        lose(link, strerror(-error));
    }
}

static void append(struct link *link, const void *data, size_t size)
{
    if (link->queue_len + size > link->queue_room) {
        size_t room = (link->queue_len + size) * 2;
        unsigned char *queue = realloc(link->queue, room);
        if (queue == NULL) {
            abort();
        }
        link->queue = queue;
        link->queue_room = room;
    }
    memcpy(link->queue + link->queue_len, data, size);
    link->queue_len += size;
}

void link_post(struct link *link, enum proto_kind kind, const void *payload, size_t size)
{
    bool is_first = link->queue_len == 0;
    if (link->watch.fd < 0) {
        return;
    }
    if (is_first && has_room(link)) {
        link_send(link, kind, payload, size);
        return;
    }
    struct proto_head head = {.kind = kind, .size = (uint32_t)size};
    append(link, &head, sizeof(head));
    append(link, payload, size);
    if (is_first) {
        watch_for(link, EPOLLIN | EPOLLOUT);
    }
}

size_t link_waiting(const struct link *link)
{
    return link->queue_len - link->queue_at;
}

void link_fini(struct link *link)
{
    watch_remove(link->loop, &link->watch);
    free(link->queue);
    link->queue = NULL;
    link->queue_at = 0;
    link->queue_len = 0;
    link->queue_room = 0;
}
