/* What happens in floods, and how often it is told. */
#include "worker/core/ration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/core/runtime.h"

enum { PERIOD_MS = 3600 * 1000 }; /* never over by itself here */

static struct runtime runtime;
static struct ration ration;
static uint64_t told; /* all in all */
static unsigned times;

static void on_tell(struct ration *from, uint64_t count)
{
    assert_ptr_equal(from, &ration);
    assert_true(count > 0);
    told += count;
    times++;
}

static int set_up(void **state)
{
    (void)state;
    runtime_init(&runtime);
    ration_init(&ration, &runtime.loop, PERIOD_MS, on_tell);
    told = 0;
    times = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ration_fini(&ration);
    assert_int_equal(runtime.loop.timers.count, 0);
    runtime_fini(&runtime);
    return 0;
}

static void end_period(void)
{
    assert_true(timer_is_set(&ration.timer));
    timer_clear(&runtime.loop.timers, &ration.timer);
    ration.timer.on_fire(&ration.timer);
}

static void the_first_time_is_told_at_once(void **state)
{
    (void)state;
    ration_note(&ration, 3);
    assert_int_equal(told, 3);
    assert_int_equal(times, 1);
}

static void what_comes_behind_it_is_told_once_at_the_end_of_the_period(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        ration_note(&ration, 2);
    }
    assert_int_equal(times, 1);
    end_period();
    assert_int_equal(times, 2);
    assert_int_equal(told, 2000);
    ration_note(&ration, 1); /* the flood goes on */
    assert_int_equal(times, 2);
    end_period();
    assert_int_equal(told, 2001);
}

static void after_a_quiet_period_the_next_one_is_told_at_once_again(void **state)
{
    (void)state;
    ration_note(&ration, 1);
    end_period();
    assert_false(timer_is_set(&ration.timer));
    assert_int_equal(times, 1);
    ration_note(&ration, 1);
    assert_int_equal(times, 2);
}

static void nothing_is_not_told(void **state)
{
    (void)state;
    ration_note(&ration, 0);
    assert_int_equal(times, 0);
    assert_false(timer_is_set(&ration.timer));
}

static void what_is_left_is_told_at_the_end(void **state)
{
    (void)state;
    ration_note(&ration, 1);
    ration_note(&ration, 5);
    ration_fini(&ration);
    assert_int_equal(told, 6);
    struct ration never_set_up = {0};
    ration_fini(&never_set_up);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(the_first_time_is_told_at_once),
        TEST(what_comes_behind_it_is_told_once_at_the_end_of_the_period),
        TEST(after_a_quiet_period_the_next_one_is_told_at_once_again),
        TEST(nothing_is_not_told),
        TEST(what_is_left_is_told_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
