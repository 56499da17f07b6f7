/* loop.c - the turn of a worker: libh2o's events, foreign descriptors, timers, jobs.
 * Owns the h2o loop and the private epoll.  One turn is: libh2o polls (its own sockets, and our epoll as one of them), then
 * due timers fire, then queued jobs run until none is left or their time is up, then one of those that wait for their share; if any
 * of them did something, the next turn polls without waiting, because libh2o flushes what was written outside of its callbacks
 * only in its next turn (a write issued there otherwise waits for the whole timeout: libh2o 2.2.5, evloop.c.h).
 * Called by main.c; everything that waits goes through watch.h, timer.h or loop_defer.  Must not know Lua or HTTP. */
#include "worker/core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/memory.h"
#include "common/page.h"
#include "worker/core/watch.h"

enum {
    TURN_MAX_MS = 1000, /* the heartbeat's longest pause */
    MEMORY_MS = 1000,   /* how often our memory is looked at: it costs some system calls */
    JOBS_CHECKED = 8,   /* jobs between two looks at the clock */
    JOBS_US = 2000,     /* the jobs of one turn, about */
};

static void on_epoll_ready(h2o_socket_t *socket, const char *err)
{
    (void)err; /* an epoll descriptor has none */
    struct loop *loop = socket->data;
    loop->event_count = epoll_wait(loop->epoll, loop->events, LOOP_EVENTS, 0);
    for (int i = 0; i < loop->event_count; i++) {
        struct watch *watch = loop->events[i].data.ptr;
        if (watch != NULL) { /* else removed by an earlier callback of this batch */
            watch->on_ready(watch, loop->events[i].events);
        }
    }
    loop->event_count = 0;
}

/* Libh2o takes the lowest free descriptor for its epoll. */
static int find_free_fd(int fd)
{
    int lowest = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (lowest >= 0) {
        (void)close(lowest);
    }
    return lowest;
}

static bool is_epoll(int epoll, int other)
{
    return epoll_ctl(epoll, EPOLL_CTL_DEL, other, NULL) != 0 && errno == ENOENT;
}

int loop_init(struct loop *loop)
{
    *loop = (struct loop){.epoll = -1};
    loop->jobs_end = &loop->jobs;
    loop->later_end = &loop->later;
    timer_heap_init(&loop->timers);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0) {
        return -errno;
    }
    loop->h2o_epoll = find_free_fd(loop->epoll);
    loop->h2o = h2o_evloop_create();
    if (!is_epoll(loop->h2o_epoll, loop->epoll)) {
        loop->h2o_epoll = -1;
    }
    loop->epoll_socket =
        h2o_evloop_socket_create(loop->h2o, loop->epoll, H2O_SOCKET_FLAG_DONT_READ);
    loop->epoll_socket->data = loop;
    h2o_socket_read_start(loop->epoll_socket, on_epoll_ready);
    return 0;
}

void loop_fini(struct loop *loop)
{
    h2o_socket_close(loop->epoll_socket); /* closes the epoll descriptor too */
    (void)h2o_evloop_run(loop->h2o, 0);   /* libh2o frees closed sockets in its next turn */
    h2o_evloop_destroy(loop->h2o);
    timer_heap_fini(&loop->timers);
}

static struct loop_job *take(struct loop_job **first, struct loop_job ***end)
{
    struct loop_job *job = *first;
    *first = job->next;
    if (*first == NULL) {
        *end = first;
    }
    job->queued = false;
    return job;
}

/* Jobs may queue more of them without end (tasks that wake each other): what is not done in its time waits for the next turn. */
static size_t run_jobs(struct loop *loop)
{
    size_t ran = 0;
    uint64_t end_us = 0;
    while (loop->jobs != NULL) {
        struct loop_job *job = take(&loop->jobs, &loop->jobs_end);
        job->on_run(job); /* may free the job's owner, and may queue more */
        ran++;
        if (ran % JOBS_CHECKED == 0) {
            loop->now_us = clock_monotonic_us();
            end_us = end_us == 0 ? loop->now_us + JOBS_US : end_us;
            if (loop->now_us >= end_us) {
                break;
            }
        }
    }
    return ran;
}

static void run_share(struct loop *loop)
{
    struct loop_job *job = take(&loop->later, &loop->later_end);
    job->on_run(job);
}

static void beat(struct loop *loop, struct page *page, uint64_t now_ms)
{
    page_set(&page->heartbeat_ms, now_ms);
    if (now_ms >= loop->memory_at_ms) {
        loop->memory_at_ms = now_ms + MEMORY_MS;
        page_set(&page->memory_bytes, memory_read(getpid()));
    }
}

/* Libh2o's part of a turn; returns how long its callbacks took.  It does not say when its poll was over, so where that may have
 * waited it is their CPU time that counts. */
static uint64_t poll_all(struct loop *loop, uint64_t wait_ms)
{
    uint64_t begun_us = wait_ms > 0 ? clock_thread_us() : loop->now_us;
    if (h2o_evloop_run(loop->h2o, (int32_t)wait_ms) != 0 && errno != EINTR) {
        abort(); /* only a descriptor that epoll can't know leads here: a fault of ours */
    }
    loop->now_us = clock_monotonic_us();
    return (wait_ms > 0 ? clock_thread_us() : loop->now_us) - begun_us;
}

void loop_run(struct loop *loop, struct page *page)
{
    bool busy = loop->jobs != NULL || loop->later != NULL; /* from before the first turn */
    while (!loop->stopping) {
        loop->now_us = clock_monotonic_us();
        uint64_t now_ms = loop->now_us / 1000;
        if (page != NULL) {
            beat(loop, page, now_ms);
        }
        bool has_share = loop->later != NULL; /* what comes in this turn has had its share of it */
        uint64_t wait_ms = busy ? 0 : timer_wait_ms(&loop->timers, now_ms, TURN_MAX_MS);
        uint64_t turn_us = poll_all(loop, wait_ms);
        uint64_t polled_us = loop->now_us;
        size_t worked = timer_run(&loop->timers, loop->now_us / 1000);
        worked += run_jobs(loop);
        if (has_share) {
            run_share(loop);
        }
        turn_us += clock_monotonic_us() - polled_us;
        lag_add(&loop->lag, turn_us / 1000);
        busy = worked > 0 || loop->later != NULL || has_share;
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

/* The clock is read here and not once a turn: a turn may have waited up to a second before the callback that calls this.
 * The millisecond that is under way counts nothing, hence one more. */
void loop_set_timer(struct loop *loop, struct timer *timer, uint64_t after_ms,
                    void (*on_fire)(struct timer *timer))
{
    uint64_t extra_ms = after_ms > 0 ? 1 : 0;
    timer_set(&loop->timers, timer, clock_monotonic_ms() + after_ms + extra_ms, on_fire);
}

/* Of those that sleep in epoll_wait the kernel then wakes the one that stands first in the socket's queue; adding the socket
 * anew moves us to its end.  It must be libh2o's own epoll: for a nested one the kernel wakes everybody all the same (Linux
 * 6.18: 8 switches a connection with 8 workers, 1.5 this way), because nobody sleeps in the inner one. */
void loop_take_turns(struct loop *loop, h2o_socket_t *socket)
{
    int fd = h2o_socket_get_fd(socket);
    struct epoll_event interest = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = socket};
    if (loop->h2o_epoll < 0 || epoll_ctl(loop->h2o_epoll, EPOLL_CTL_DEL, fd, NULL) != 0) {
        return; /* it stays as libh2o has added it */
    }
    if (epoll_ctl(loop->h2o_epoll, EPOLL_CTL_ADD, fd, &interest) != 0) {
        abort(); /* out of memory */
    }
}

static void append(struct loop_job ***end, struct loop_job *job,
                   void (*on_run)(struct loop_job *job))
{
    if (job->queued) {
        return;
    }
    job->queued = true;
    job->on_run = on_run;
    job->next = NULL;
    **end = job;
    *end = &job->next;
}

void loop_defer(struct loop *loop, struct loop_job *job, void (*on_run)(struct loop_job *job))
{
    append(&loop->jobs_end, job, on_run);
}

void loop_defer_share(struct loop *loop, struct loop_job *job, void (*on_run)(struct loop_job *job))
{
    append(&loop->later_end, job, on_run);
}
