/* supervise_window.c - how many restarts there were lately.
 * Owns the rule "more than INTENSITY restarts within PERIOD".  A ring keeps the last INTENSITY restarts; one more is too
 * many exactly when the ring is full and its oldest entry still lies within the period, so a restart costs the same
 * however many are allowed.
 * Called by supervise_next.c for every restart of a child, and by the master's pools, which use it alone.
 * Pure: no memory of its own, no clock.  Must not know what is restarted. */
#include "common/supervise_window.h"

void supervise_window_init(struct supervise_window *window, uint64_t *times, uint32_t intensity,
                           uint32_t period_ms)
{
    *window = (struct supervise_window){.intensity = intensity, .period_ms = period_ms};
    window->times = times;
}

/* A clock that went back makes every restart a recent one. */
static bool is_within(const struct supervise_window *window, uint64_t time_ms, uint64_t now_ms)
{
    return now_ms < time_ms || now_ms - time_ms <= window->period_ms;
}

static void keep(struct supervise_window *window, uint64_t time_ms)
{
    window->times[window->next] = time_ms;
    window->next = window->next + 1 < window->intensity ? window->next + 1 : 0;
    if (window->count < window->intensity) {
        window->count++;
    }
}

bool supervise_window_add(struct supervise_window *window, uint64_t now_ms)
{
    if (window->intensity == 0 || window->intensity == SUPERVISE_UNLIMITED) {
        return window->intensity == 0;
    }
    bool is_exceeded = window->count == window->intensity &&
                       is_within(window, window->times[window->next], now_ms);
    keep(window, now_ms);
    return is_exceeded;
}

void supervise_window_clear(struct supervise_window *window)
{
    window->count = 0;
    window->next = 0;
}

/* The age-th newest time, 0 is the newest; age < count. */
static uint64_t get_time(const struct supervise_window *window, uint32_t age)
{
    uint32_t back = age + 1;
    uint32_t at =
        window->next >= back ? window->next - back : window->next + window->intensity - back;
    return window->times[at];
}

void supervise_window_copy(struct supervise_window *window, const struct supervise_window *from)
{
    supervise_window_clear(window);
    if (window->intensity == SUPERVISE_UNLIMITED) {
        return;
    }
    uint32_t age = from->count < window->intensity ? from->count : window->intensity;
    while (age > 0) {
        age--;
        keep(window, get_time(from, age));
    }
}

uint32_t supervise_window_count(const struct supervise_window *window, uint64_t now_ms)
{
    uint32_t count = 0;
    while (count < window->count && is_within(window, get_time(window, count), now_ms)) {
        count++;
    }
    return count;
}
