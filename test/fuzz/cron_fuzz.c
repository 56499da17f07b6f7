/* sources: worker/lib/cron.c worker/lib/cron_parse.c common/err.c | */
/* Whatever is read as a schedule has a next time, which is later, a whole minute of the local clock, and fits; in zones
 * with and without summer time. */
#include "worker/lib/cron.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { AFTER_LEN = 4 };

static int64_t utc(int64_t at_s)
{
    (void)at_s;
    return 0;
}

/* An hour more in every second half of a year of 365 days, with changes at whole minutes. */
static int64_t with_summer_time(int64_t at_s)
{
    return at_s / (365 * 86400 / 2) % 2 == 0 ? 3600 : 7200;
}

static void check(const struct cron *cron, int64_t after_s, cron_offset zone)
{
    int64_t at_s = 0;
    int64_t next_s = 0;
    if (cron_next(cron, after_s, zone, &at_s) != 0 || at_s <= after_s) {
        abort();
    }
    if ((at_s + zone(at_s)) % 60 != 0 && zone(at_s) == zone(at_s - 1)) {
        abort();
    }
    int64_t minute = (at_s + zone(at_s)) / 60 % 60;
    if (zone == utc && (cron->minutes >> minute & 1) == 0) {
        abort();
    }
    if (cron_next(cron, at_s, zone, &next_s) != 0 || next_s <= at_s) {
        abort();
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cron cron;
    uint32_t after;
    if (size < AFTER_LEN) {
        return 0;
    }
    memcpy(&after, data, AFTER_LEN);
    char *text = malloc(size - AFTER_LEN + 1); /* of this length, so that reading on is seen */
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data + AFTER_LEN, size - AFTER_LEN);
    if (cron_parse(text, size - AFTER_LEN, &cron, NULL) == 0) {
        check(&cron, after, utc);
        check(&cron, after, with_summer_time);
    }
    free(text);
    return 0;
}
