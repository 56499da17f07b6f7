/* The two clocks, and the time as people read it. */
#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void times_are_printed_in_utc_with_milliseconds(void **state)
{
    (void)state;
    static const struct {
        uint64_t wall_us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {999, "1970-01-01T00:00:00.000Z"},
        {1000, "1970-01-01T00:00:00.001Z"},
        {951782399999999, "2000-02-28T23:59:59.999Z"},
        {951782400000000, "2000-02-29T00:00:00.000Z"},
        {1795252353123456, "2026-11-21T09:12:33.123Z"},
        {4102444800000000, "2100-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[CLOCK_TEXT_MAX];
        clock_format(cases[i].wall_us, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_time_beyond_all_calendars_still_fits(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_MAX];
    clock_format(UINT64_MAX, text);
    assert_true(text[0] != '\0');
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    uint64_t before_us = clock_monotonic_us();
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t after_us = clock_monotonic_us();
    assert_true(before_us <= after_us);
    assert_true(now_ms >= before_us / 1000 && now_ms <= after_us / 1000);
}

static void the_wall_clock_is_past_the_day_this_was_written(void **state)
{
    (void)state;
    assert_true(clock_wall_us() > 1700000000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_printed_in_utc_with_milliseconds),
        cmocka_unit_test(a_time_beyond_all_calendars_still_fits),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
        cmocka_unit_test(the_wall_clock_is_past_the_day_this_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
