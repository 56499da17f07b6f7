#ifndef FSD_WORKER_CORE_LOOP_H
#define FSD_WORKER_CORE_LOOP_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "worker/core/lag.h"
#include "worker/core/timer.h"

struct page;

/* Work for the end of a turn, when no callback of libh2o is on the stack; embedded in its owner. */
struct loop_job {
    struct loop_job *next;
    bool queued;
    void (*on_run)(struct loop_job *job);
};

enum { LOOP_EVENTS = 64 };

/* The one event loop of a worker: libh2o's, with a private epoll for foreign descriptors nested in it (watch.h), a heap
 * of timers (timer.h) and a queue of jobs. */
struct loop {
    h2o_loop_t *h2o; /* owned */
    int h2o_epoll;   /* borrowed from h2o, which keeps it to itself; -1 when it was not found */
    int epoll;       /* owned by epoll_socket */
    h2o_socket_t *epoll_socket;             /* owned */
    struct epoll_event events[LOOP_EVENTS]; /* of the dispatch that is under way */
    int event_count;
    struct timer_heap timers;
    struct lag lag;
    struct loop_job *jobs; /* borrowed, first in, first out */
    struct loop_job **jobs_end;
    struct loop_job *later; /* borrowed, first in, first out: one of them runs in each turn */
    struct loop_job **later_end;
    uint64_t now_us; /* monotonic, read now and then: before and after the poll, behind some jobs */
    uint64_t memory_at_ms; /* monotonic: the page is told of our memory again */
    bool stopping;
};

/* 0, or a negative errno. */
int loop_init(struct loop *loop);
/* Everything that was watched must have been removed. */
void loop_fini(struct loop *loop);
/* Runs until loop_stop; beats in page (may be NULL) once a turn, at least once a second. */
void loop_run(struct loop *loop, struct page *page);
void loop_stop(struct loop *loop);
/* Sets (or moves) a timer so that it fires no earlier than after_ms from this very moment. */
void loop_set_timer(struct loop *loop, struct timer *timer, uint64_t after_ms,
                    void (*on_fire)(struct timer *timer));
/* Called in the read callback of a socket that other processes poll too: the next event wakes one of them, in turn. */
void loop_take_turns(struct loop *loop, h2o_socket_t *socket);
/* Runs the job once, at the end of this turn; when the jobs of a turn take long, of a later one.  A job that is queued already
 * stays where it is. */
void loop_defer(struct loop *loop, struct loop_job *job, void (*on_run)(struct loop_job *job));
/* Runs the job once, in a later turn, behind everything else of that turn: for work that has had its share of this one.  Each turn
 * runs one such job. */
void loop_defer_share(struct loop *loop, struct loop_job *job,
                      void (*on_run)(struct loop_job *job));

#endif
