#include "daemon/proc/pulse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_age_is_that_of_the_last_beat(void **state)
{
    static const struct {
        uint64_t beat_ms;
        uint64_t started_ms;
        uint64_t now_ms;
        uint64_t age_ms;
    } rows[] = {
        {1000, 500, 1700, 700},
        {1700, 500, 1700, 0},
        /* none yet: it counts from the start */
        {0, 500, 1700, 1200},
        {499, 500, 1700, 1200},
        /* of the future, which is the worker's word */
        {1701, 500, 1700, 0},
        {UINT64_MAX, 500, 1700, 0},
        {0, 1700, 1700, 0},
        {0, 0, UINT64_MAX, UINT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(pulse_age(rows[i].beat_ms, rows[i].started_ms, rows[i].now_ms),
                         rows[i].age_ms);
    }
}

static void half_an_interval_late_is_late(void **state)
{
    enum { AT_MS = 7000, LIMIT_MS = PULSE_INTERVAL_MS + PULSE_INTERVAL_MS / 2 };
    (void)state;
    assert_false(pulse_is_late(AT_MS, AT_MS + PULSE_INTERVAL_MS));
    assert_false(pulse_is_late(AT_MS, AT_MS + LIMIT_MS));
    assert_true(pulse_is_late(AT_MS, AT_MS + LIMIT_MS + 1));
}

static void the_first_look_is_not_late(void **state)
{
    (void)state;
    assert_false(pulse_is_late(0, 1000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_age_is_that_of_the_last_beat),
        cmocka_unit_test(half_an_interval_late_is_late),
        cmocka_unit_test(the_first_look_is_not_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
