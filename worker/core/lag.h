#ifndef FSD_WORKER_CORE_LAG_H
#define FSD_WORKER_CORE_LAG_H

#include <stdint.h>

enum { LAG_BUCKETS = 24 };

/* How long the turns of the loop took, from the poll to the next one: what comes in such a time waits for as long. */
struct lag {
    uint64_t counts
        [LAG_BUCKETS]; /* [0]: below 1 ms; [i]: from 2^(i-1) ms to below 2^i ms, the last one without end */
    uint64_t total;
    uint64_t max_ms;
};

void lag_add(struct lag *lag, uint64_t turn_ms);
/* So many of a thousand turns were not longer than the result, rounded up to the end of a bucket; 0 when there was none. */
uint64_t lag_percentile_ms(const struct lag *lag, unsigned per_mille);

#endif
