/* lag.c - a histogram of the loop's turns, by powers of two of milliseconds.
 * Owns nothing.  Pure.  Called by loop.c once a turn, and by whoever shows it.  Must not know what a turn does. */
#include "worker/core/lag.h"

void lag_add(struct lag *lag, uint64_t turn_ms)
{
    unsigned bucket = turn_ms == 0 ? 0 : 64 - (unsigned)__builtin_clzll(turn_ms);
    lag->counts[bucket < LAG_BUCKETS ? bucket : LAG_BUCKETS - 1]++;
    lag->total++;
    lag->max_ms = turn_ms > lag->max_ms ? turn_ms : lag->max_ms;
}

uint64_t lag_percentile_ms(const struct lag *lag, unsigned per_mille)
{
    uint64_t passed = 0;
    for (unsigned i = 0; i < LAG_BUCKETS && lag->total > 0; i++) {
        passed += lag->counts[i];
        if (passed * 1000 >= lag->total * per_mille) {
            uint64_t end_ms = (uint64_t)1 << i;
            return end_ms < lag->max_ms + 1 ? end_ms : lag->max_ms + 1;
        }
    }
    return 0;
}
