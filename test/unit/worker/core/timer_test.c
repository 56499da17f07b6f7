#include "worker/core/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 500, ROUNDS = 20000, NEVER_MS = 1000000 };

/* What fired, in order. */
static struct timer *fired[MANY * 2];
static size_t fired_count;
static struct timer_heap heap;

static void note(struct timer *timer)
{
    fired[fired_count++] = timer;
}

static int set_up(void **state)
{
    (void)state;
    fired_count = 0;
    timer_heap_init(&heap);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    timer_heap_fini(&heap);
    return 0;
}

static void an_empty_heap_waits_as_long_as_allowed(void **state)
{
    (void)state;
    assert_int_equal(timer_wait_ms(&heap, 5, 1000), 1000);
    assert_int_equal(timer_run(&heap, 5), 0);
}

static void the_wait_ends_when_the_first_timer_is_due(void **state)
{
    (void)state;
    struct timer late = {0};
    struct timer soon = {0};
    timer_set(&heap, &late, 900, note);
    timer_set(&heap, &soon, 130, note);
    assert_int_equal(timer_wait_ms(&heap, 100, 1000), 30);
    assert_int_equal(timer_wait_ms(&heap, 100, 20), 20);
    assert_int_equal(timer_wait_ms(&heap, 130, 1000), 0);
    assert_int_equal(timer_wait_ms(&heap, 5000, 1000), 0);
}

static void timers_of_the_same_time_fire_in_the_order_in_which_they_were_set(void **state)
{
    (void)state;
    static struct timer timers[MANY];
    for (size_t i = 0; i < MANY; i++) {
        timer_set(&heap, &timers[i], 10 + i % 2, note);
    }
    timer_set(&heap, &timers[0], 10, note); /* anew */
    assert_int_equal(timer_run(&heap, 10), MANY / 2);
    for (size_t i = 0; i < MANY / 2 - 1; i++) {
        assert_ptr_equal(fired[i], &timers[2 * i + 2]);
    }
    assert_ptr_equal(fired[MANY / 2 - 1], &timers[0]);
    assert_int_equal(timer_run(&heap, 11), MANY / 2);
}

static void timers_fire_in_the_order_of_their_times_and_once(void **state)
{
    (void)state;
    struct timer timers[3] = {0};
    timer_set(&heap, &timers[0], 30, note);
    timer_set(&heap, &timers[1], 10, note);
    timer_set(&heap, &timers[2], 20, note);
    assert_int_equal(timer_run(&heap, 9), 0);
    assert_int_equal(timer_run(&heap, 25), 2);
    assert_ptr_equal(fired[0], &timers[1]);
    assert_ptr_equal(fired[1], &timers[2]);
    assert_false(timer_is_set(&timers[1]));
    assert_true(timer_is_set(&timers[0]));
    assert_int_equal(timer_run(&heap, 30), 1);
    assert_int_equal(timer_run(&heap, 1000), 0);
}

static void a_timer_that_is_set_again_moves(void **state)
{
    (void)state;
    struct timer moved = {0};
    struct timer other = {0};
    timer_set(&heap, &moved, 10, note);
    timer_set(&heap, &other, 20, note);
    timer_set(&heap, &moved, 30, note);
    assert_int_equal(heap.count, 2);
    assert_int_equal(timer_run(&heap, 25), 1);
    assert_ptr_equal(fired[0], &other);
    timer_set(&heap, &moved, 5, note);
    assert_int_equal(timer_run(&heap, 5), 1);
    assert_ptr_equal(fired[1], &moved);
}

static void clearing_a_timer_that_is_not_set_does_nothing(void **state)
{
    (void)state;
    struct timer timer = {0};
    timer_clear(&heap, &timer);
    timer_set(&heap, &timer, 10, note);
    timer_clear(&heap, &timer);
    timer_clear(&heap, &timer);
    assert_false(timer_is_set(&timer));
    assert_int_equal(timer_run(&heap, NEVER_MS), 0);
}

static unsigned again_left;

static void set_again(struct timer *timer)
{
    note(timer);
    if (again_left > 0) {
        again_left--;
        timer_set(&heap, timer, timer->at_ms - 1, set_again);
    }
}

static void a_callback_may_set_its_timer_for_the_past(void **state)
{
    (void)state;
    struct timer timer = {0};
    again_left = 3;
    timer_set(&heap, &timer, 50, set_again);
    assert_int_equal(timer_run(&heap, 50), 4);
    assert_false(timer_is_set(&timer));
}

static void free_owner(struct timer *timer)
{
    free(timer);
}

static void a_callback_may_free_its_timer(void **state)
{
    (void)state;
    struct timer *timer = calloc(1, sizeof(*timer));
    assert_non_null(timer);
    timer_set(&heap, timer, 1, free_owner);
    assert_int_equal(timer_run(&heap, 1), 1);
}

static struct timer *victim;

static void clear_victim(struct timer *timer)
{
    note(timer);
    timer_clear(&heap, victim);
}

static void a_callback_may_clear_one_that_is_due_too(void **state)
{
    (void)state;
    struct timer first = {0};
    struct timer second = {0};
    victim = &second;
    timer_set(&heap, &first, 10, clear_victim);
    timer_set(&heap, &second, 11, note);
    assert_int_equal(timer_run(&heap, 20), 1);
    assert_int_equal(fired_count, 1);
}

/* The model: times by timer, NEVER_MS = not set. */
static uint64_t find_first(const uint64_t times[MANY])
{
    uint64_t first = NEVER_MS;
    for (size_t i = 0; i < MANY; i++) {
        first = times[i] < first ? times[i] : first;
    }
    return first;
}

static int compare_times(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void random_sets_and_clears_leave_the_order_of_a_sorted_array(void **state)
{
    (void)state;
    static struct timer timers[MANY];
    static uint64_t times[MANY];
    unsigned seed = 20261122;
    memset(timers, 0, sizeof(timers));
    for (size_t i = 0; i < MANY; i++) {
        times[i] = NEVER_MS;
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t at = (size_t)rand_r(&seed) % MANY;
        if (rand_r(&seed) % 3 == 0) {
            timer_clear(&heap, &timers[at]);
            times[at] = NEVER_MS;
        } else {
            times[at] = (uint64_t)(rand_r(&seed) % 1000); /* many are equal */
            timer_set(&heap, &timers[at], times[at], note);
        }
        assert_int_equal(timer_is_set(&timers[at]), times[at] != NEVER_MS);
        assert_int_equal(timer_wait_ms(&heap, 0, NEVER_MS), find_first(times));
    }
    size_t count = timer_run(&heap, NEVER_MS - 1);
    qsort(times, MANY, sizeof(times[0]), compare_times);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fired[i]->at_ms, times[i]);
    }
    assert_true(count == MANY || times[count] == NEVER_MS);
    assert_int_equal(heap.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_heap_waits_as_long_as_allowed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_wait_ends_when_the_first_timer_is_due, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(timers_fire_in_the_order_of_their_times_and_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            timers_of_the_same_time_fire_in_the_order_in_which_they_were_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_that_is_set_again_moves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clearing_a_timer_that_is_not_set_does_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_callback_may_set_its_timer_for_the_past, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_callback_may_free_its_timer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_callback_may_clear_one_that_is_due_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(random_sets_and_clears_leave_the_order_of_a_sorted_array,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
