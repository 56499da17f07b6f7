/* pulse.c - when a worker's loop counts as stuck.
 * Owns nothing.  A worker writes the time of each turn of its loop into its page, at least once a second; the master compares.  A
 * master that comes too late itself learns nothing from an old beat: what held it up may have held up everybody.
 * Called by pool.c and master.c once a second.  Pure. */
#include "daemon/proc/pulse.h"

enum { LATE_MS = PULSE_INTERVAL_MS / 2 };

uint64_t pulse_age(uint64_t beat_ms, uint64_t started_ms, uint64_t now_ms)
{
    uint64_t last_ms = beat_ms > started_ms ? beat_ms : started_ms;
    return last_ms >= now_ms ? 0 : now_ms - last_ms;
}

bool pulse_is_late(uint64_t looked_ms, uint64_t now_ms)
{
    return looked_ms != 0 && now_ms > looked_ms + PULSE_INTERVAL_MS + LATE_MS;
}
