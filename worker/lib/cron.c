/* cron.c - when a schedule is due next.
 * Owns nothing.  The search runs on the local clock, as a number of seconds like those since 1970 but of local time, day by day and then
 * hour by hour; a time that was found is turned into a moment with the offset that the caller's time zone has there.  Where the
 * offset changes, the clock jumps over times or shows them twice: the rules for that are in cron.h.
 * Pure: the time and the zone are the caller's.  Called by alarm.c.  Must not know how a schedule is written (cron_parse.c). */
#include "worker/lib/cron.h"

#include <errno.h>

enum {
    DAY_S = 24 * 60 * 60,
    HOURS = 24,
    DAY_MINUTES = 24 * 60,
    YEAR_FIRST = 1970,
    YEAR_LIMIT = 10000,
    CHANGES_MAX = 100, /* of the offset, between two times of one schedule: 40 years of them */
};

static const int64_t local_limit_s = INT64_C(253402300800); /* the year 10000 begins */
static const uint64_t every_hour = (UINT64_C(1) << HOURS) - 1;

struct date {
    int year;
    int month; /* 1 to 12 */
    int day;
    int weekday;
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

static struct date date_of(int64_t day)
{
    struct date date = {YEAR_FIRST, 1, 1, (int)((day + 4) % 7)}; /* 1970 began on a Thursday */
    while (day >= 365 + (is_leap(date.year) ? 1 : 0)) {
        day -= 365 + (is_leap(date.year) ? 1 : 0);
        date.year++;
    }
    while (day >= days_of(date.year, date.month)) {
        day -= days_of(date.year, date.month);
        date.month++;
    }
    date.day = (int)day + 1;
    return date;
}

static void go_to_next_day(struct date *date)
{
    date->weekday = (date->weekday + 1) % 7;
    date->day++;
    if (date->day > days_of(date->year, date->month)) {
        date->day = 1;
        date->month++;
    }
    if (date->month > 12) {
        date->month = 1;
        date->year++;
    }
}

static bool has(uint64_t bits, int value)
{
    return (bits >> value & 1) != 0;
}

static bool fits_day(const struct cron *cron, const struct date *date)
{
    bool fits = has(cron->days, date->day);
    bool fits_weekday = has(cron->weekdays, date->weekday);
    return has(cron->months, date->month) &&
           (cron->needs_both ? fits && fits_weekday : fits || fits_weekday);
}

/* The first time of a day, in minutes, at or after this one; -1: none. */
static int find_time(const struct cron *cron, int minute)
{
    for (int at = minute; at < DAY_MINUTES; at++) {
        if (!has(cron->hours, at / 60)) {
            at += 59 - at % 60;
        } else if (has(cron->minutes, at % 60)) {
            return at;
        }
    }
    return -1;
}

/* The first whole minute of the local clock that fits and is after local_s. */
static int find_local(const struct cron *cron, int64_t local_s, int64_t *ret_local_s)
{
    if (local_s < 0 || local_s >= local_limit_s) {
        return -ERANGE;
    }
    int64_t minute = local_s / 60 + 1;
    int64_t day = minute / DAY_MINUTES;
    int from = (int)(minute % DAY_MINUTES);
    struct date date = date_of(day);
    for (; date.year < YEAR_LIMIT; day++, from = 0) {
        int at = fits_day(cron, &date) ? find_time(cron, from) : -1;
        if (at >= 0) {
            *ret_local_s = day * DAY_S + (int64_t)at * 60;
            return 0;
        }
        go_to_next_day(&date);
    }
    return -ERANGE;
}

/* The first moment behind low_s whose offset is not that of low_s; that of high_s is not. */
static int64_t find_change(int64_t low_s, int64_t high_s, cron_offset offset_at)
{
    int64_t offset_s = offset_at(low_s);
    while (high_s - low_s > 1) {
        int64_t middle_s = low_s + (high_s - low_s) / 2;
        if (offset_at(middle_s) == offset_s) {
            low_s = middle_s;
        } else {
            high_s = middle_s;
        }
    }
    return high_s;
}

/* When the local clock first shows this, or jumps over it. */
static int64_t moment_of(int64_t local_s, cron_offset offset_at)
{
    int64_t before_s = offset_at(local_s - DAY_S);
    int64_t after_s = offset_at(local_s + DAY_S);
    if (offset_at(local_s - before_s) == before_s) {
        return local_s - before_s;
    }
    if (offset_at(local_s - after_s) == after_s) {
        return local_s - after_s;
    }
    return find_change(local_s - after_s, local_s - before_s, offset_at);
}

/* Of a schedule with certain hours. */
static int find_at_hours(const struct cron *cron, int64_t after_s, cron_offset offset_at,
                         int64_t *ret_at_s)
{
    int64_t local_s = after_s + offset_at(after_s);
    int64_t at_s = after_s;
    while (at_s <= after_s) { /* more than once only where the clock shows a time again */
        int error = find_local(cron, local_s, &local_s);
        if (error != 0) {
            return error;
        }
        at_s = moment_of(local_s, offset_at);
    }
    *ret_at_s = at_s;
    return 0;
}

/* Of one that runs in every hour: it goes on with whatever the clock shows after a change. */
static int find_in_every_hour(const struct cron *cron, int64_t after_s, cron_offset offset_at,
                              int64_t *ret_at_s)
{
    int64_t begin_s = after_s;
    int64_t offset_s = offset_at(begin_s);
    int64_t local_s = begin_s + offset_s;
    for (int i = 0; i < CHANGES_MAX; i++) {
        int64_t found_s;
        int error = find_local(cron, local_s, &found_s);
        if (error != 0) {
            return error;
        }
        if (offset_at(found_s - offset_s) == offset_s) {
            *ret_at_s = found_s - offset_s;
            return 0;
        }
        begin_s = find_change(begin_s, found_s - offset_s, offset_at);
        offset_s = offset_at(begin_s);
        local_s = begin_s + offset_s - 1; /* the moment of the change may fit itself */
    }
    return -ERANGE;
}

bool cron_is_same(const struct cron *one, const struct cron *other)
{
    return one->minutes == other->minutes && one->hours == other->hours &&
           one->days == other->days && one->months == other->months &&
           one->weekdays == other->weekdays && one->needs_both == other->needs_both;
}

int cron_next(const struct cron *cron, int64_t after_s, cron_offset offset_at, int64_t *ret_at_s)
{
    if (after_s < 0 || after_s >= local_limit_s) {
        return -ERANGE;
    }
    if (cron->hours == every_hour) {
        return find_in_every_hour(cron, after_s, offset_at, ret_at_s);
    }
    return find_at_hours(cron, after_s, offset_at, ret_at_s);
}
