/* pace.c - when a connection has taken too long over what it does.
 * Owns the rules.  Connections are looked at now and then, from outside; a phase begins when it is first seen, so a limit is kept
 * to within the time between two looks.  A head must be complete in its time, whatever trickles in.  A body, or an answer,
 * may take as long as it likes while bytes move: but not one is too few, and so are fewer than PACE_BYTES_A_SECOND.
 * Called by connection_clock.c.  Pure: must not know sockets, nor what becomes of a connection that is too slow. */
#include "worker/http/connection/pace.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    INTERVAL_MAX_MS = 1000,
    LOOKS_A_LIMIT = 8,
};

static void begin(struct pace *pace, const struct pace_sight *sight, uint32_t now_ms)
{
    *pace = (struct pace){
        .requests = sight->requests,
        .since_ms = now_ms,
        .since_moved = sight->moved,
        .moved_ms = now_ms,
        .moved = sight->moved,
        .phase = (uint8_t)sight->phase,
    };
}

static bool is_over(uint32_t since_ms, uint32_t now_ms, uint32_t limit_ms)
{
    return limit_ms != 0 && now_ms - since_ms >= limit_ms;
}

/* Bytes are counted anew in every span of the limit, so that what came fast at first pays for nothing. */
static bool is_too_slow(struct pace *pace, uint32_t now_ms, uint32_t limit_ms)
{
    if (is_over(pace->moved_ms, now_ms, limit_ms)) {
        return true;
    }
    if (!is_over(pace->since_ms, now_ms, limit_ms)) {
        return false;
    }
    uint64_t wanted = (uint64_t)limit_ms * PACE_BYTES_A_SECOND / 1000;
    uint32_t moved = pace->moved - pace->since_moved;
    pace->since_ms = now_ms;
    pace->since_moved = pace->moved;
    return moved < wanted;
}

enum pace_verdict pace_look(struct pace *pace, const struct pace_sight *sight,
                            const struct pace_limits *limits, uint64_t now_ms)
{
    uint32_t now = (uint32_t)now_ms;
    if (pace->phase != sight->phase || pace->requests != sight->requests) {
        begin(pace, sight, now);
        return PACE_GOES_ON;
    }
    if (pace->moved != sight->moved) {
        pace->moved = sight->moved;
        pace->moved_ms = now;
    }
    bool is_too_long = false;
    switch (sight->phase) {
    case PACE_BUSY:
        break;
    case PACE_IDLE:
        is_too_long = is_over(pace->since_ms, now, limits->idle_ms);
        break;
    case PACE_HEAD:
        is_too_long = is_over(pace->since_ms, now, limits->head_ms);
        break;
    case PACE_BODY:
        is_too_long = is_too_slow(pace, now, limits->body_ms);
        break;
    case PACE_WRITING:
        is_too_long = is_too_slow(pace, now, limits->write_ms);
        break;
    }
    return is_too_long ? PACE_TOO_LONG : PACE_GOES_ON;
}

uint32_t pace_interval_ms(const struct pace_limits *limits)
{
    const uint32_t all[] = {limits->idle_ms, limits->head_ms, limits->body_ms, limits->write_ms};
    uint32_t interval_ms = INTERVAL_MAX_MS;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i] != 0 && all[i] / LOOKS_A_LIMIT < interval_ms) {
            interval_ms = all[i] / LOOKS_A_LIMIT;
        }
    }
    return interval_ms == 0 ? 1 : interval_ms;
}
