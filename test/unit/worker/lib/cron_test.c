#include "worker/lib/cron.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

enum { TEXT_MAX = 64 };

static int64_t utc(int64_t at_s)
{
    (void)at_s;
    return 0;
}

static int64_t kathmandu(int64_t at_s)
{
    (void)at_s;
    return 20700; /* 5:45 */
}

/* Central Europe in 2026: one hour ahead, two from March 29 01:00 to October 25 01:00 UTC. */
static int64_t berlin(int64_t at_s)
{
    return at_s >= INT64_C(1774746000) && at_s < INT64_C(1792890000) ? 7200 : 3600;
}

/* Lord Howe Island, whose summer time is half an hour: until April 4 15:00 UTC 2026, again from October 3 15:30 UTC. */
static int64_t lord_howe(int64_t at_s)
{
    return at_s < INT64_C(1775314800) || at_s >= INT64_C(1791041400) ? 39600 : 37800;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* "2026-03-29 02:30" as seconds since 1970, as if it were UTC. */
static int64_t seconds_of(const char *text)
{
    int year, month, day, hour, minute;
    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute), 5);
    int64_t days = day - 1;
    for (int y = 1970; y < year; y++) {
        for (int m = 1; m <= 12; m++) {
            days += days_of(y, m);
        }
    }
    for (int m = 1; m < month; m++) {
        days += days_of(year, m);
    }
    return ((days * 24 + hour) * 60 + minute) * 60;
}

/* The other way round, in UTC. */
static const char *text_of(int64_t at_s, char text[static TEXT_MAX])
{
    int64_t days = at_s / 86400;
    int year = 1970;
    int month = 1;
    while (days >= days_of(year, month)) {
        days -= days_of(year, month);
        year += month == 12 ? 1 : 0;
        month = month % 12 + 1;
    }
    (void)snprintf(text, TEXT_MAX, "%04d-%02d-%02d %02d:%02d", year, month, (int)days + 1,
                   (int)(at_s / 3600 % 24), (int)(at_s / 60 % 60));
    return text;
}

static struct cron parse(const char *text)
{
    struct cron cron;
    struct fsd_err err = {""};
    if (cron_parse(text, strlen(text), &cron, &err) != 0) {
        fail_msg("%s: %s", text, err.text);
    }
    return cron;
}

static void assert_next(const char *schedule, const char *after, cron_offset zone,
                        const char *expected)
{
    struct cron cron = parse(schedule);
    char text[TEXT_MAX];
    int64_t at_s = 0;
    assert_int_equal(cron_next(&cron, seconds_of(after), zone, &at_s), 0);
    if (strcmp(text_of(at_s, text), expected) != 0) {
        fail_msg("%s after %s: expected %s, got %s", schedule, after, expected, text);
    }
}

static void the_next_time_is_found(void **state)
{
    static const char *const rows[][3] = {
        {"* * * * *", "2026-01-01 00:00", "2026-01-01 00:01"},
        {"*/15 * * * *", "2026-01-01 00:00", "2026-01-01 00:15"},
        {"*/15 * * * *", "2026-01-01 23:50", "2026-01-02 00:00"},
        {"5/20 * * * *", "2026-01-01 00:30", "2026-01-01 00:45"},
        {"0 3 * * *", "2026-01-01 03:00", "2026-01-02 03:00"},
        {"0 3 * * *", "2026-12-31 04:00", "2027-01-01 03:00"},
        {"30 4,16 * * *", "2026-01-01 04:30", "2026-01-01 16:30"},
        {"0 9-17/4 * * *", "2026-01-01 09:00", "2026-01-01 13:00"},
        {"0 9-17/4 * * *", "2026-01-01 17:00", "2026-01-02 09:00"},
        {"0 0 1 * *", "2026-01-31 12:00", "2026-02-01 00:00"},
        {"0 0 31 * *", "2026-01-31 00:00", "2026-03-31 00:00"},
        {"0 0 29 2 *", "2026-01-01 00:00", "2028-02-29 00:00"},
        {"0 0 29 2 *", "2096-03-01 00:00", "2104-02-29 00:00"},
        {"0 0 29 2 *", "1999-12-31 00:00", "2000-02-29 00:00"},
        {"59 23 31 12 *", "2026-12-31 23:59", "2027-12-31 23:59"},
        {"0 0 * * mon", "2026-11-22 10:00", "2026-11-23 00:00"},
        {"0 0 * * 0", "2026-11-22 00:00", "2026-11-29 00:00"},
        {"0 0 * * 7", "2026-11-22 00:00", "2026-11-29 00:00"},
        {"0 0 * * Sat-Sun", "2026-11-23 00:00", "2026-11-28 00:00"},
        {"0 0 * * 1-5", "2026-11-20 00:00", "2026-11-23 00:00"},
        {"0 0 * JAN,jul *", "2026-02-01 00:00", "2026-07-01 00:00"},
        {"0 0 * feb-apr *", "2026-04-30 00:00", "2027-02-01 00:00"},
        /* day and weekday are alternatives ... */
        {"0 0 13 * fri", "2026-11-01 00:00", "2026-11-06 00:00"},
        {"0 0 13 * fri", "2026-11-06 00:00", "2026-11-13 00:00"},
        {"0 0 30 2 mon", "2026-01-30 00:00", "2026-02-02 00:00"},
        /* ... unless one begins with a star */
        {"0 0 */2 * mon", "2026-11-22 00:00", "2026-11-23 00:00"},
        {"0 0 */2 * mon", "2026-11-23 00:00", "2026-12-07 00:00"},
        {"@hourly", "2026-01-01 00:30", "2026-01-01 01:00"},
        {"@daily", "2026-01-01 00:30", "2026-01-02 00:00"},
        {"@MIDNIGHT", "2026-01-01 00:30", "2026-01-02 00:00"},
        {"@weekly", "2026-11-22 00:30", "2026-11-29 00:00"},
        {"@monthly", "2026-01-01 00:30", "2026-02-01 00:00"},
        {"@yearly", "2026-01-01 00:30", "2027-01-01 00:00"},
        {"@annually", "2026-01-01 00:30", "2027-01-01 00:00"},
        {" \t0  3\t*  * * ", "2026-01-01 00:00", "2026-01-01 03:00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_next(rows[i][0], rows[i][1], utc, rows[i][2]);
    }
}

static void seconds_are_left_over(void **state)
{
    (void)state;
    struct cron cron = parse("* * * * *");
    int64_t at_s;
    assert_int_equal(cron_next(&cron, 61, utc, &at_s), 0);
    assert_int_equal(at_s, 120);
    assert_int_equal(cron_next(&cron, 59, utc, &at_s), 0);
    assert_int_equal(at_s, 60);
}

static void the_local_clock_counts(void **state)
{
    (void)state;
    assert_next("0 3 * * *", "2026-01-01 00:00", kathmandu, "2026-01-01 21:15");
    assert_next("0 3 * * *", "2026-07-01 00:00", berlin, "2026-07-01 01:00");
    assert_next("0 3 * * *", "2026-01-01 00:00", berlin, "2026-01-01 02:00");
}

static void a_time_that_the_clock_jumps_over_counts_at_the_jump(void **state)
{
    (void)state;
    assert_next("30 2 * * *", "2026-03-28 12:00", berlin, "2026-03-29 01:00");
    assert_next("0,30 2 * * *", "2026-03-29 00:59", berlin, "2026-03-29 01:00");
    assert_next("0,30 2 * * *", "2026-03-29 01:00", berlin, "2026-03-30 00:00"); /* once */
    assert_next("30 2,3 * * *", "2026-03-29 01:00", berlin, "2026-03-29 01:30");
    assert_next("15 2 * * *", "2026-10-03 00:00", lord_howe, "2026-10-03 15:30");
}

static void of_a_time_that_comes_twice_the_first_counts(void **state)
{
    (void)state;
    assert_next("30 2 * * *", "2026-10-24 12:00", berlin, "2026-10-25 00:30");
    assert_next("30 2 * * *", "2026-10-25 00:30", berlin, "2026-10-26 01:30");
    assert_next("*/10 2 * * *", "2026-10-25 00:50", berlin, "2026-10-26 01:00");
    assert_next("0 2,3 * * *", "2026-10-25 00:00", berlin, "2026-10-25 02:00");
    assert_next("45 1 * * *", "2026-04-04 00:00", lord_howe, "2026-04-04 14:45");
    assert_next("45 1 * * *", "2026-04-04 14:45", lord_howe, "2026-04-05 15:15");
}

static void a_schedule_of_every_hour_goes_on_through_both(void **state)
{
    (void)state;
    assert_next("*/30 * * * *", "2026-10-25 00:30", berlin, "2026-10-25 01:00");
    assert_next("*/30 * * * *", "2026-10-25 01:00", berlin, "2026-10-25 01:30");
    assert_next("15 * * * *", "2026-10-25 00:15", berlin, "2026-10-25 01:15");
    assert_next("15 * * * *", "2026-03-29 00:15", berlin, "2026-03-29 01:15");
    assert_next("0 * * * *", "2026-03-29 00:00", berlin, "2026-03-29 01:00");
    assert_next("40 * * * *", "2026-04-04 14:40", lord_howe, "2026-04-04 15:10");
    assert_next("0 * 1 4 *", "2026-02-01 00:00", berlin, "2026-03-31 22:00");
}

/* Each next one is later than the last, and no minute of UTC is left out between two of "* * * * *". */
static void every_minute_of_a_year_is_found(void **state)
{
    (void)state;
    struct cron cron = parse("* * * * *");
    int64_t at_s = seconds_of("2026-01-01 00:00");
    int64_t end_s = seconds_of("2027-01-01 00:00");
    while (at_s < end_s) {
        int64_t next_s = 0;
        assert_int_equal(cron_next(&cron, at_s, at_s % 7 == 0 ? berlin : lord_howe, &next_s), 0);
        assert_int_equal(next_s, at_s + 60);
        at_s = next_s;
    }
}

static void what_is_wrong_is_said(void **state)
{
    static const char *const rows[][2] = {
        {"", "expected 5 fields, got 0"},
        {"* * * *", "expected 5 fields, got 4"},
        {"* * * * * *", "expected 5 fields, got more: \"*\""},
        {"60 * * * *", "minute must be from 0 to 59, not 60"},
        {"* 24 * * *", "hour must be from 0 to 23, not 24"},
        {"* * 0 * *", "day of month must be from 1 to 31, not 0"},
        {"* * * 13 *", "month must be from 1 to 12, not 13"},
        {"* * * * 8", "day of week must be from 0 to 7, not 8"},
        {"99999999999 * * * *", "minute must be from 0 to 59, not 9999"},
        {"x * * * *", "minute \"x\" is not a number"},
        {"-5 * * * *", "minute \"-5\" is not a number"},
        {"* * * foo *", "month \"foo\" is neither a number nor a name"},
        {"* * * january *", "month \"january\" is not a list of values, ranges and steps"},
        {"1;2 * * * *", "minute \"1;2\" is not a list of values, ranges and steps"},
        {"5, * * * *", "minute \"5,\" is not a number"},
        {"5- * * * *", "minute \"5-\" is not a number"},
        {"30-10 * * * *", "minute \"30-10\" runs backwards"},
        {"* * * * fri-mon", "day of week \"fri-mon\" runs backwards"},
        {"*/0 * * * *", "minute \"*/0\" has a step that is 0, missing or too large"},
        {"*/ * * * *", "minute \"*/\" has a step that is 0, missing or too large"},
        {"*/60 * * * *", "minute \"*/60\" has a step that is 0, missing or too large"},
        {"0 0 30 2 *", "no month has such a day: it would never run"},
        {"0 0 31 2,4,6,9,11 *", "no month has such a day: it would never run"},
        {"@reboot", "\"@reboot\" is not one of @hourly, @daily, @weekly, @monthly, @yearly"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cron cron;
        struct fsd_err err = {""};
        assert_int_equal(cron_parse(rows[i][0], strlen(rows[i][0]), &cron, &err), -EINVAL);
        assert_string_equal(err.text, rows[i][1]);
    }
}

static void a_text_is_bounded(void **state)
{
    (void)state;
    char text[CRON_TEXT_MAX + 1];
    struct cron cron;
    memset(text, ' ', sizeof(text));
    memcpy(text, "* * * * *", 9);
    assert_int_equal(cron_parse(text, CRON_TEXT_MAX - 1, &cron, NULL), 0);
    assert_int_equal(cron_parse(text, CRON_TEXT_MAX, &cron, NULL), -EINVAL);
    assert_int_equal(cron_parse("* * * * *\0", 10, &cron, NULL), -EINVAL);
}

static void time_ends_with_the_year_9999(void **state)
{
    (void)state;
    struct cron cron = parse("0 0 29 2 *");
    int64_t at_s = 5;
    assert_int_equal(cron_next(&cron, seconds_of("9996-02-29 00:00"), utc, &at_s), -ERANGE);
    assert_int_equal(cron_next(&cron, -1, utc, &at_s), -ERANGE);
    assert_int_equal(cron_next(&cron, INT64_MAX, utc, &at_s), -ERANGE);
    cron = parse("* * * * *");
    assert_int_equal(cron_next(&cron, seconds_of("9999-12-31 23:59"), utc, &at_s), -ERANGE);
    assert_int_equal(cron_next(&cron, seconds_of("9999-12-31 23:59"), kathmandu, &at_s), -ERANGE);
    assert_int_equal(at_s, 5);
}

static void schedules_that_mean_the_same_are_the_same(void **state)
{
    (void)state;
    static const char *const others[] = {"1 * * * *", "* 1 * * *", "* * 1 * *",
                                         "* * * 1 *", "* * * * 1", "* * 1 * 1"};
    struct cron one;
    struct cron same;
    memset(&one, 0, sizeof(one));
    memset(&same, 255, sizeof(same)); /* what is between the members does not count */
    assert_int_equal(cron_parse("0 * * * *", 9, &one, NULL), 0);
    assert_int_equal(cron_parse("@hourly", 7, &same, NULL), 0);
    assert_true(cron_is_same(&one, &same));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct cron other = parse(others[i]);
        assert_false(cron_is_same(&one, &other));
        for (size_t j = 0; j < i; j++) {
            same = parse(others[j]);
            assert_false(cron_is_same(&same, &other));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_time_is_found),
        cmocka_unit_test(seconds_are_left_over),
        cmocka_unit_test(the_local_clock_counts),
        cmocka_unit_test(a_time_that_the_clock_jumps_over_counts_at_the_jump),
        cmocka_unit_test(of_a_time_that_comes_twice_the_first_counts),
        cmocka_unit_test(a_schedule_of_every_hour_goes_on_through_both),
        cmocka_unit_test(every_minute_of_a_year_is_found),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_text_is_bounded),
        cmocka_unit_test(time_ends_with_the_year_9999),
        cmocka_unit_test(schedules_that_mean_the_same_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
