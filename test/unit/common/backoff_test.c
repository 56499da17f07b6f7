/* How long restarts wait. */
#include "common/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LOWEST = 0, MIDDLE = 200, HIGHEST = 400 }; /* random numbers that give -20 %, 0 %, +20 % */

static void the_first_restart_is_at_once(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    assert_int_equal(backoff_fail(&backoff, 0, HIGHEST), 0);
}

static void waits_double_up_to_the_limit(void **state)
{
    (void)state;
    static const uint32_t expected[] = {0,    100,  200,   400,   800,   1600,
                                        3200, 6400, 12800, 25600, 30000, 30000};
    struct backoff backoff = {0};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(backoff_fail(&backoff, 0, MIDDLE), expected[i]);
    }
}

static void a_wait_varies_by_a_fifth(void **state)
{
    (void)state;
    struct backoff backoff = {.failures = 2};
    assert_int_equal(backoff_fail(&backoff, 0, LOWEST), 160);
    backoff.failures = 2;
    assert_int_equal(backoff_fail(&backoff, 0, HIGHEST), 240);
    for (uint32_t random = 0; random < 5000; random += 7) {
        backoff.failures = 2;
        uint32_t wait_ms = backoff_fail(&backoff, 0, random * 2654435761U);
        assert_in_range(wait_ms, 160, 240);
    }
}

static void no_wait_is_longer_than_the_limit(void **state)
{
    (void)state;
    struct backoff backoff = {0};
    for (int i = 0; i < 1000; i++) {
        assert_true(backoff_fail(&backoff, 0, HIGHEST) <= BACKOFF_LIMIT_MS);
    }
}

static void health_makes_up_for_failures(void **state)
{
    (void)state;
    struct backoff backoff = {.failures = 9};
    assert_true(backoff_fail(&backoff, BACKOFF_HEALTHY_MS - 1, MIDDLE) > 0);
    assert_int_equal(backoff_fail(&backoff, BACKOFF_HEALTHY_MS, MIDDLE), 0);
    assert_int_equal(backoff_fail(&backoff, 0, MIDDLE), BACKOFF_FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_restart_is_at_once),
        cmocka_unit_test(waits_double_up_to_the_limit),
        cmocka_unit_test(a_wait_varies_by_a_fifth),
        cmocka_unit_test(no_wait_is_longer_than_the_limit),
        cmocka_unit_test(health_makes_up_for_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
