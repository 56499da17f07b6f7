/* How many restarts are too many. */
#include "common/supervise_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TIMES_MAX = 1000 };

static void more_restarts_than_the_intensity_are_too_many(void **state)
{
    (void)state;
    uint64_t times[3];
    struct supervise_window window;
    supervise_window_init(&window, times, 3, 1000);
    assert_false(supervise_window_add(&window, 10));
    assert_false(supervise_window_add(&window, 20));
    assert_false(supervise_window_add(&window, 30));
    assert_true(supervise_window_add(&window, 40));
    assert_true(supervise_window_add(&window, 50));
}

static void the_period_includes_both_of_its_ends(void **state)
{
    (void)state;
    uint64_t times[1];
    struct supervise_window window;
    supervise_window_init(&window, times, 1, 1000);
    assert_false(supervise_window_add(&window, 0));
    assert_true(supervise_window_add(&window, 1000));
    assert_false(supervise_window_add(&window, 2001));
}

static void restarts_at_the_same_time_count_each(void **state)
{
    (void)state;
    uint64_t times[2];
    struct supervise_window window;
    supervise_window_init(&window, times, 2, 1);
    assert_false(supervise_window_add(&window, 5));
    assert_false(supervise_window_add(&window, 5));
    assert_true(supervise_window_add(&window, 5));
}

static void an_intensity_of_0_allows_nothing(void **state)
{
    (void)state;
    struct supervise_window window;
    supervise_window_init(&window, NULL, 0, 1000);
    assert_true(supervise_window_add(&window, 0));
    assert_true(supervise_window_add(&window, 1000000));
}

static void without_a_limit_everything_is_allowed(void **state)
{
    (void)state;
    struct supervise_window window;
    supervise_window_init(&window, NULL, SUPERVISE_UNLIMITED, 1000);
    for (unsigned i = 0; i < 100; i++) {
        assert_false(supervise_window_add(&window, 0));
    }
    assert_int_equal(supervise_window_count(&window, 0), 0);
}

static void a_clock_that_goes_back_makes_old_restarts_recent(void **state)
{
    (void)state;
    uint64_t times[1];
    struct supervise_window window;
    supervise_window_init(&window, times, 1, 1000);
    assert_false(supervise_window_add(&window, 5000));
    assert_true(supervise_window_add(&window, 10));
}

static void the_end_of_time_is_a_time(void **state)
{
    (void)state;
    uint64_t times[1];
    struct supervise_window window;
    supervise_window_init(&window, times, 1, UINT32_MAX);
    assert_false(supervise_window_add(&window, UINT64_MAX - 1));
    assert_true(supervise_window_add(&window, UINT64_MAX));
}

static void a_cleared_window_knows_nothing(void **state)
{
    (void)state;
    uint64_t times[1];
    struct supervise_window window;
    supervise_window_init(&window, times, 1, 1000);
    assert_false(supervise_window_add(&window, 0));
    supervise_window_clear(&window);
    assert_int_equal(supervise_window_count(&window, 0), 0);
    assert_false(supervise_window_add(&window, 1));
    assert_true(supervise_window_add(&window, 2));
}

static void only_restarts_within_the_period_are_counted(void **state)
{
    (void)state;
    uint64_t times[4];
    struct supervise_window window;
    supervise_window_init(&window, times, 4, 100);
    for (uint64_t now_ms = 0; now_ms <= 500; now_ms += 50) {
        (void)supervise_window_add(&window, now_ms); /* three within any 100 ms, never too many */
    }
    assert_int_equal(supervise_window_count(&window, 500), 3);
    assert_int_equal(supervise_window_count(&window, 600), 1);
    assert_int_equal(supervise_window_count(&window, 601), 0);
}

static void a_smaller_copy_keeps_the_newest(void **state)
{
    (void)state;
    uint64_t times[3];
    uint64_t fewer[2];
    struct supervise_window window;
    struct supervise_window copy;
    supervise_window_init(&window, times, 3, 100);
    for (uint64_t now_ms = 10; now_ms <= 40; now_ms += 10) {
        (void)supervise_window_add(&window, now_ms);
    }
    supervise_window_init(&copy, fewer, 2, 10);
    supervise_window_copy(&copy, &window);
    assert_int_equal(supervise_window_count(&copy, 40), 2);
    assert_int_equal(supervise_window_count(&copy, 50), 1);
    assert_true(supervise_window_add(&copy, 40));
}

static void a_bigger_copy_keeps_all(void **state)
{
    (void)state;
    uint64_t times[2];
    uint64_t more[4];
    struct supervise_window window;
    struct supervise_window copy;
    supervise_window_init(&window, times, 2, 100);
    (void)supervise_window_add(&window, 1);
    (void)supervise_window_add(&window, 2);
    (void)supervise_window_add(&window, 3);
    supervise_window_init(&copy, more, 4, 100);
    supervise_window_copy(&copy, &window);
    assert_int_equal(supervise_window_count(&copy, 3), 2);
    assert_false(supervise_window_add(&copy, 4));
    assert_false(supervise_window_add(&copy, 5));
    assert_true(supervise_window_add(&copy, 6));
}

static void a_copy_may_have_no_memory(void **state)
{
    (void)state;
    uint64_t times[1];
    struct supervise_window window;
    struct supervise_window copy;
    supervise_window_init(&window, times, 1, 100);
    (void)supervise_window_add(&window, 1);
    supervise_window_init(&copy, NULL, 0, 100);
    supervise_window_copy(&copy, &window);
    assert_true(supervise_window_add(&copy, 1));
    supervise_window_init(&copy, NULL, SUPERVISE_UNLIMITED, 100);
    supervise_window_copy(&copy, &window);
    assert_false(supervise_window_add(&copy, 1));
    supervise_window_copy(&window, &copy);
    assert_int_equal(supervise_window_count(&window, 1), 0);
}

/* The definition, as it is written in OTP's manual: count those that are not older than the period. */
static bool is_too_many(const uint64_t *all, size_t count, uint32_t intensity, uint32_t period_ms)
{
    uint64_t now_ms = all[count - 1];
    size_t within = 0;
    for (size_t i = 0; i < count; i++) {
        within += all[i] + period_ms >= now_ms;
    }
    return within > intensity;
}

static void the_ring_agrees_with_the_definition(void **state)
{
    (void)state;
    static const uint32_t intensities[] = {1, 2, 5, 37, TIMES_MAX};
    uint64_t times[TIMES_MAX];
    uint64_t all[3 * TIMES_MAX];
    unsigned random = 1;
    for (size_t i = 0; i < sizeof(intensities) / sizeof(intensities[0]); i++) {
        struct supervise_window window;
        supervise_window_init(&window, times, intensities[i], 20 * intensities[i]);
        uint64_t now_ms = 0;
        unsigned exceeded = 0;
        for (size_t count = 0; count < 3 * TIMES_MAX; count++) {
            random = random * 1103515245U + 12345U;
            now_ms += random / 65536 % 40;
            all[count] = now_ms;
            bool expected = is_too_many(all, count + 1, intensities[i], 20 * intensities[i]);
            assert_int_equal(supervise_window_add(&window, now_ms), expected);
            exceeded += expected;
        }
        assert_in_range(exceeded, 1, 3 * TIMES_MAX - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_restarts_than_the_intensity_are_too_many),
        cmocka_unit_test(the_period_includes_both_of_its_ends),
        cmocka_unit_test(restarts_at_the_same_time_count_each),
        cmocka_unit_test(an_intensity_of_0_allows_nothing),
        cmocka_unit_test(without_a_limit_everything_is_allowed),
        cmocka_unit_test(a_clock_that_goes_back_makes_old_restarts_recent),
        cmocka_unit_test(the_end_of_time_is_a_time),
        cmocka_unit_test(a_cleared_window_knows_nothing),
        cmocka_unit_test(only_restarts_within_the_period_are_counted),
        cmocka_unit_test(a_smaller_copy_keeps_the_newest),
        cmocka_unit_test(a_bigger_copy_keeps_all),
        cmocka_unit_test(a_copy_may_have_no_memory),
        cmocka_unit_test(the_ring_agrees_with_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
