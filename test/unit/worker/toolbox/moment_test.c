#include "worker/toolbox/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool read_exactly(const char *text, struct moment *moment)
{
    size_t len = strlen(text);
    char *exact = malloc(len + (len == 0)); /* so that a read behind the end is found */
    assert_non_null(exact);
    memcpy(exact, text, len);
    bool is_read = moment_parse(exact, len, moment);
    free(exact);
    return is_read;
}

static void dates_and_times_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
        uint32_t nanoseconds;
        bool has_offset;
        int32_t offset;
    } rows[] = {
        {"1970-01-01", 0, 0, false, 0},
        {"1970-01-01T00:00:00Z", 0, 0, true, 0},
        {"2026-11-22T16:30:05.25+01:00", 1795361405, 250000000, true, 3600},
        {"2026-11-22t15:30:05,25z", 1795361405, 250000000, true, 0},
        {"2026-11-22 15:30", 1795361400, 0, false, 0},
        {"2026-11-22T12:00-0330", 1795361400, 0, true, -12600},
        {"2026-11-22T16:30+01", 1795361400, 0, true, 3600},
        {"2000-02-29T23:59:60Z", 951868800, 0, true, 0},
        {"0000-01-01", INT64_C(-62167219200), 0, false, 0},
        {"0000-03-01", INT64_C(-62162035200), 0, false, 0},
        {"0001-01-01", INT64_C(-62135596800), 0, false, 0},
        {"1900-03-01", INT64_C(-2203891200), 0, false, 0},
        {"9999-12-31T23:59:59.123456789123Z", INT64_C(253402300799), 123456789, true, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct moment moment;
        assert_true(read_exactly(rows[i].text, &moment));
        assert_int_equal(moment.seconds, rows[i].seconds);
        assert_int_equal(moment.nanoseconds, rows[i].nanoseconds);
        assert_int_equal(moment.has_offset, rows[i].has_offset);
        assert_int_equal(moment.offset, rows[i].offset);
    }
}

static void what_is_no_date_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "2026",
        "2026-1-1",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "1900-02-29",
        "2026-04-31",
        "2026-01-00",
        "2026/01/01",
        "2026-01/01",
        "+2026-01-01",
        "2026-01-01T",
        "2026-01-01T24:00",
        "2026-01-01T12",
        "2026-01-01T12:60",
        "2026-01-01T12:00:61",
        "2026-01-01T12:00:00.",
        "2026-01-01T12:00:00.Z",
        "2026-01-01T12:00:00+",
        "2026-01-01T12:00:00+24:00",
        "2026-01-01T12:00:00+01:60",
        "2026-01-01T12:00:00+01:0",
        "2026-01-01T12:00:00+01:",
        "2026-01-01T12:00:00Zx",
        "2026-01-01T12:00:00 Z",
        "2026-01-01Z",
        "2026-01-01_12:00",
        "2026-01-01T12-00",
        "2026-01-01T12:00:0",
        " 2026-01-01",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct moment moment;
        assert_false(read_exactly(rows[i], &moment));
    }
}

static void the_days_of_ten_thousand_years_follow_each_other(void **state)
{
    (void)state;
    int64_t expected = INT64_C(-62167219200);
    for (int year = 0; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            assert_int_equal(moment_of_day(year, month, 1), expected);
            expected += (int64_t)moment_days_in(year, month) * 86400;
        }
    }
    assert_int_equal(expected, INT64_C(253402300800));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_and_times_are_read),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(the_days_of_ten_thousand_years_follow_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
