/* backoff.c - how long a slot waits before it starts its next worker.
 * Owns the count of failures in a row.  The first restart is free, because most crashes are one bad request; after that
 * the wait doubles, so that a worker which can't live costs next to nothing, and it is varied so that slots which
 * fell together do not rise together.  Called by pool.c for each worker that was lost.
 * Pure: no clock, no random source; the caller passes both. */
#include "common/backoff.h"

/* base varied by -20 % to +20 %, in steps of one thousandth of it */
static uint32_t vary(uint32_t base_ms, uint32_t random)
{
    uint32_t per_mille = 800 + random % 401;
    return (uint32_t)((uint64_t)base_ms * per_mille / 1000);
}

uint32_t backoff_fail(struct backoff *backoff, uint64_t healthy_ms, uint32_t random)
{
    if (healthy_ms >= BACKOFF_HEALTHY_MS) {
        backoff->failures = 0;
    }
    unsigned before = backoff->failures;
    if (backoff->failures < 32) {
        backoff->failures++; /* more makes no difference any more */
    }
    if (before == 0) {
        return 0;
    }
    uint64_t base_ms = (uint64_t)BACKOFF_FIRST_MS << (before - 1);
    if (base_ms > BACKOFF_LIMIT_MS) {
        base_ms = BACKOFF_LIMIT_MS;
    }
    uint32_t wait_ms = vary((uint32_t)base_ms, random);
    return wait_ms > BACKOFF_LIMIT_MS ? BACKOFF_LIMIT_MS : wait_ms;
}
