#ifndef FSD_WORKER_CORE_WATCH_H
#define FSD_WORKER_CORE_WATCH_H

#include <stdint.h>

struct loop;

/* Interest in a descriptor that libh2o does not own; embedded in its owner. */
struct watch {
    int fd; /* borrowed; -1 = not watched */
    void (*on_ready)(struct watch *watch, uint32_t events);
};

/* events are epoll's (EPOLLIN | EPOLLRDHUP | EPOLLET ...).  0, or a negative errno of epoll_ctl. */
int watch_add(struct loop *loop, struct watch *watch, int fd, uint32_t events,
              void (*on_ready)(struct watch *watch, uint32_t events));
/* Must come before the descriptor is closed.  One that is not watched is left as it is.  Safe within any
 * callback: an event that epoll has already reported for this watch is dropped. */
void watch_remove(struct loop *loop, struct watch *watch);

#endif
