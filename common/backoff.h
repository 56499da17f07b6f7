#ifndef FSD_COMMON_BACKOFF_H
#define FSD_COMMON_BACKOFF_H

#include <stdint.h>

enum {
    BACKOFF_FIRST_MS = 100,   /* the second restart in a row waits this long */
    BACKOFF_LIMIT_MS = 30000, /* no restart waits longer */
    BACKOFF_HEALTHY_MS =
        60000 /* a worker that was ready this long has made up for what was before */
};

/* How often one slot failed in a row.  All zero is a fresh one. */
struct backoff {
    unsigned failures;
};

/* Counts a failure and returns how long to wait before the restart: 0, then BACKOFF_FIRST_MS doubling to BACKOFF_LIMIT_MS,
 * each varied by up to 20 % with the caller's random number.  healthy_ms: how long the worker had been ready. */
uint32_t backoff_fail(struct backoff *backoff, uint64_t healthy_ms, uint32_t random);

#endif
