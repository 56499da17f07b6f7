#ifndef FSD_DAEMON_PROC_PULSE_H
#define FSD_DAEMON_PROC_PULSE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PULSE_INTERVAL_MS = 1000
}; /* how often the master looks; a worker beats at least as often */

/* How long ago the last beat was, at most since the worker was started; 0 for a beat of the future (the page is the worker's word). */
uint64_t pulse_age(uint64_t beat_ms, uint64_t started_ms, uint64_t now_ms);
/* Was the master itself kept from looking in time?  Then the workers may have been as well (a frozen cgroup, a paused machine), and
 * nobody is judged in this round. */
bool pulse_is_late(uint64_t looked_ms, uint64_t now_ms);

#endif
