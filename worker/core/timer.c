/* timer.c - timers of any length in one binary heap, because libh2o 2.2.5 has only lists of fixed durations.
 * Owns the heap array; the timers are embedded in their owners.  A timer knows its position, so that clearing one costs
 * O(log n) and needs no search.  Pure: the caller passes the time.  Called by loop.c each turn and by whoever waits.
 * Must not know what a timer is for. */
#include "worker/core/timer.h"

#include <assert.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 64 };

void timer_heap_init(struct timer_heap *heap)
{
    *heap = (struct timer_heap){0};
}

void timer_heap_fini(struct timer_heap *heap)
{
    free(heap->entries);
    *heap = (struct timer_heap){0};
}

/* Positions count from 1, so that the parent of p is p / 2. */
static void place(struct timer_heap *heap, size_t position, struct timer *timer)
{
    heap->entries[position - 1] = timer;
    timer->position = position;
}

static struct timer *at(const struct timer_heap *heap, size_t position)
{
    return heap->entries[position - 1];
}

static bool is_before(const struct timer *one, const struct timer *other)
{
    return one->at_ms < other->at_ms || (one->at_ms == other->at_ms && one->order < other->order);
}

static void sift_up(struct timer_heap *heap, struct timer *timer)
{
    size_t position = timer->position;
    while (position > 1 && is_before(timer, at(heap, position / 2))) {
        place(heap, position, at(heap, position / 2));
        position /= 2;
    }
    place(heap, position, timer);
}

static void sift_down(struct timer_heap *heap, struct timer *timer)
{
    size_t position = timer->position;
    for (size_t child = position * 2; child <= heap->count; child = position * 2) {
        if (child < heap->count && is_before(at(heap, child + 1), at(heap, child))) {
            child++;
        }
        if (!is_before(at(heap, child), timer)) {
            break;
        }
        place(heap, position, at(heap, child));
        position = child;
    }
    place(heap, position, timer);
}

static void grow(struct timer_heap *heap)
{
    size_t capacity = heap->capacity == 0 ? CAPACITY_FIRST : heap->capacity * 2;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is stored */
    struct timer **entries = realloc(heap->entries, capacity * sizeof(*entries));
    if (entries == NULL) {
        abort(); /* the worker's rule: the master starts another one */
    }
    heap->entries = entries;
    heap->capacity = capacity;
}

void timer_set(struct timer_heap *heap, struct timer *timer, uint64_t at_ms,
               void (*on_fire)(struct timer *timer))
{
    timer_clear(heap, timer);
    if (heap->count == heap->capacity) {
        grow(heap);
    }
    timer->at_ms = at_ms;
    timer->order = heap->order++;
    timer->on_fire = on_fire;
    heap->count++;
    place(heap, heap->count, timer);
    sift_up(heap, timer);
}

void timer_clear(struct timer_heap *heap, struct timer *timer)
{
    size_t position = timer->position;
    if (position == 0) {
        return;
    }
    assert(position <= heap->count && at(heap, position) == timer);
    timer->position = 0;
    struct timer *last = at(heap, heap->count);
    heap->count--;
    if (last != timer) {
        place(heap, position, last);
        sift_up(heap, last);
        sift_down(heap, last);
    }
}

bool timer_is_set(const struct timer *timer)
{
    return timer->position != 0;
}

uint64_t timer_wait_ms(const struct timer_heap *heap, uint64_t now_ms, uint64_t limit_ms)
{
    if (heap->count == 0) {
        return limit_ms;
    }
    uint64_t first_ms = at(heap, 1)->at_ms;
    uint64_t wait_ms = first_ms > now_ms ? first_ms - now_ms : 0;
    return wait_ms < limit_ms ? wait_ms : limit_ms;
}

size_t timer_run(struct timer_heap *heap, uint64_t now_ms)
{
    size_t fired = 0;
    while (heap->count > 0 && at(heap, 1)->at_ms <= now_ms) {
        struct timer *timer = at(heap, 1);
        timer_clear(heap, timer);
        timer->on_fire(timer); /* may free the timer's owner */
        fired++;
    }
    return fired;
}
