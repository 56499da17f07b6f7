/* watch.c - adds descriptors to the loop's private epoll and takes them out.
 * Owns nothing; loop.c dispatches.  A watch that is removed inside a callback is also struck from the batch of events
 * that is being dispatched, so that its owner may be freed at once.  Called by whoever waits for a descriptor that
 * libh2o does not own: the control channel, a client that may hang up, lingering connections. */
#include "worker/core/watch.h"

#include <errno.h>
#include <stddef.h>

#include "worker/core/loop.h"

int watch_add(struct loop *loop, struct watch *watch, int fd, uint32_t events,
              void (*on_ready)(struct watch *watch, uint32_t events))
{
    struct epoll_event interest = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &interest) != 0) {
        return -errno;
    }
    watch->fd = fd;
    watch->on_ready = on_ready;
    return 0;
}

void watch_remove(struct loop *loop, struct watch *watch)
{
    if (watch->fd < 0) {
        return;
    }
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL); /* was added, so it is there */
    watch->fd = -1;
    for (int i = 0; i < loop->event_count; i++) {
        if (loop->events[i].data.ptr == watch) {
            loop->events[i].data.ptr = NULL;
        }
    }
}
