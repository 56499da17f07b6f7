#ifndef FSD_WORKER_LIB_CRON_H
#define FSD_WORKER_LIB_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fsd_err;

/* A schedule: bit n is set for the value n. */
struct cron {
    uint64_t minutes;
    uint64_t hours;
    uint64_t days;
    uint64_t months;
    uint64_t weekdays; /* 0: Sunday */
    bool needs_both;   /* day and weekday must both fit; else one of them */
};

enum { CRON_TEXT_MAX = 256 };

/* Seconds that local time is ahead of UTC at a moment: what the process's time zone says, or a test. */
typedef int64_t (*cron_offset)(int64_t at_s);

/* Reads "minute hour day month weekday" (lists, ranges, steps, names) or "@hourly" and its like.  -EINVAL with a sentence, also for a
 * schedule that no day fits, such as February 30. */
int cron_parse(const char *text, size_t len, struct cron *ret_cron, struct fsd_err *err);

/* Whether two schedules are the same. */
bool cron_is_same(const struct cron *one, const struct cron *other);
/* The first moment after after_s, in seconds since 1970, at which the local clock shows a time of the schedule.  A time that the clock
 * jumps over (summer time begins) counts at the moment of the jump.  Of a time that it shows twice the first one counts; but a
 * schedule of every hour goes on through both.  -ERANGE: none before the year 10000, or after_s is negative. */
int cron_next(const struct cron *cron, int64_t after_s, cron_offset offset_at, int64_t *ret_at_s);

#endif
