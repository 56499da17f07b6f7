#ifndef FSD_WORKER_CORE_TIMER_H
#define FSD_WORKER_CORE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One pending moment, embedded in its owner; times are clock_monotonic_ms. */
struct timer {
    uint64_t at_ms;
    uint64_t order;  /* of those with the same time the one that was set first fires first */
    size_t position; /* in the heap, counted from 1; 0 = not set */
    void (*on_fire)(struct timer *timer);
};

/* All timers of one loop: a binary min-heap of borrowed timers. */
struct timer_heap {
    struct timer **entries; /* owned array of borrowed timers */
    size_t count;
    size_t capacity;
    uint64_t order; /* of the timer that is set next */
};

void timer_heap_init(struct timer_heap *heap);
void timer_heap_fini(struct timer_heap *heap);
/* Sets (or moves) a timer.  Runs out of memory like all of the worker: by abort. */
void timer_set(struct timer_heap *heap, struct timer *timer, uint64_t at_ms,
               void (*on_fire)(struct timer *timer));
/* Takes a timer out; one that is not set is left as it is. */
void timer_clear(struct timer_heap *heap, struct timer *timer);
bool timer_is_set(const struct timer *timer);
/* Milliseconds until the first timer is due, at most limit_ms. */
uint64_t timer_wait_ms(const struct timer_heap *heap, uint64_t now_ms, uint64_t limit_ms);
/* Fires what is due, each once, including timers that a callback sets for now or earlier.  Returns how many fired. */
size_t timer_run(struct timer_heap *heap, uint64_t now_ms);

#endif
