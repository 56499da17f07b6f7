/* link.c - the control channel, as the worker sees it: messages in, messages out, the master's end.
 * Owns the watch on descriptor 3.  Reads until nothing is there, so that one wake-up serves a burst; a worker says less than
 * ten messages in its life, so a full socket means a master that has stopped reading, which is as good as gone.
 * Called by main.c (open) and life.c (send).  Must not know what a message means. */
#include "worker/core/link.h"

#include <errno.h>
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

static void on_readable(struct watch *watch, uint32_t events)
{
    (void)events; /* an end shows itself in recvmsg too */
    struct link *link = H2O_STRUCT_FROM_MEMBER(struct link, watch, watch);
    while (link->watch.fd >= 0) {
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
    return watch_add(loop, &link->watch, fd, EPOLLIN, on_readable);
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
