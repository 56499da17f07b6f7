#ifndef FSD_COMMON_SUPERVISE_WINDOW_H
#define FSD_COMMON_SUPERVISE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* An intensity that is never exceeded. */
#define SUPERVISE_UNLIMITED UINT32_MAX

/* The restarts of the last time: more than intensity of them within period_ms are too many. */
struct supervise_window {
    /* borrowed; room for intensity times, NULL for an intensity of 0 or SUPERVISE_UNLIMITED */
    uint64_t *times;
    uint32_t intensity;
    uint32_t period_ms; /* may be changed at any time */
    uint32_t count;     /* times that are known */
    uint32_t next;      /* where the next one goes: when the ring is full, that is the oldest one */
};

void supervise_window_init(struct supervise_window *window, uint64_t *times, uint32_t intensity,
                           uint32_t period_ms);
/* Counts a restart.  True: that is one more than may be within the period, which includes both of its ends.  O(1). */
bool supervise_window_add(struct supervise_window *window, uint64_t now_ms);
/* Forgets what was. */
void supervise_window_clear(struct supervise_window *window);
/* Takes over the newest restarts of another window, as many as there is room for; the two share no memory. */
void supervise_window_copy(struct supervise_window *window, const struct supervise_window *from);
/* How many of the restarts that are known are within the period. */
uint32_t supervise_window_count(const struct supervise_window *window, uint64_t now_ms);

#endif
