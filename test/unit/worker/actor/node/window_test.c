#include "worker/actor/node/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MANY = 500 };

static struct window window;
static const struct frame_actor to = {.index = 3, .serial = 8};
static int over;

static int set_up(void **state)
{
    (void)state;
    window = (struct window){0};
    over = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    window_clear(&window);
    return 0;
}

static bool has_room(void)
{
    return window_has_room(window_find(&window, &to));
}

static void credit(uint16_t count, uint64_t bytes)
{
    struct frame_credit credit = {.count = count, .bytes = bytes};
    window_credit(window_find(&window, &to), &credit);
}

static void on_over(struct sender *sender)
{
    (void)sender;
    over++;
}

static void nothing_is_on_its_way_at_first(void **state)
{
    (void)state;
    assert_null(window_find(&window, &to));
    assert_true(has_room());
}

static void so_many_messages_fill_a_window(void **state)
{
    (void)state;
    for (int i = 0; i < WINDOW_COUNT; i++) {
        assert_true(has_room());
        window_add(&window, &to, 1);
    }
    assert_false(has_room());
    credit(1, 1);
    assert_true(has_room());
}

static void so_many_bytes_fill_a_window_and_the_last_message_may_pass_it(void **state)
{
    (void)state;
    window_add(&window, &to, WINDOW_BYTES - 1);
    assert_true(has_room());
    window_add(&window, &to, 1 << 20);
    assert_false(has_room());
    credit(1, WINDOW_BYTES - 1);
    assert_true(has_room());
}

static void who_waits_goes_before_who_comes(void **state)
{
    (void)state;
    struct sender sender = {.on_over = on_over};
    window_add(&window, &to, 1);
    sender_wait(&window_find(&window, &to)->senders, &sender);
    assert_false(has_room());
    sender_leave(&sender);
    assert_true(has_room());
}

static void more_than_was_sent_is_taken_for_all(void **state)
{
    (void)state;
    window_add(&window, &to, 10);
    window_add(&window, &to, 10);
    credit(UINT16_MAX, UINT32_MAX);
    const struct flight *flight = window_find(&window, &to);
    assert_int_equal(flight->count, 0);
    assert_int_equal(flight->bytes, 0);
}

/* However the other end counts. */
static void when_no_message_is_on_its_way_no_byte_is(void **state)
{
    (void)state;
    window_add(&window, &to, WINDOW_BYTES);
    credit(1, 1);
    assert_true(has_room());
    assert_int_equal(window_find(&window, &to)->bytes, 0);
}

static void actors_have_windows_of_their_own(void **state)
{
    (void)state;
    const struct frame_actor successor = {.index = to.index, .serial = to.serial + 1};
    const struct frame_actor neighbour = {.index = to.index + 1, .serial = to.serial};
    window_add(&window, &to, WINDOW_BYTES);
    assert_false(has_room());
    assert_null(window_find(&window, &successor));
    assert_null(window_find(&window, &neighbour));
}

static void an_idle_flight_is_dropped_and_no_other(void **state)
{
    (void)state;
    struct sender sender = {.on_over = on_over};
    window_add(&window, &to, 1);
    struct flight *flight = window_find(&window, &to);
    window_drop_idle(&window, flight);
    assert_ptr_equal(window_find(&window, &to), flight);
    credit(1, 1);
    sender_wait(&flight->senders, &sender);
    window_drop_idle(&window, flight);
    assert_ptr_equal(window_find(&window, &to), flight);
    sender_leave(&sender);
    window_drop_idle(&window, flight);
    assert_null(window_find(&window, &to));
    assert_int_equal(window.count, 0);
}

static void many_flights_are_found_however_the_window_grows(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        window_add(&window, &(struct frame_actor){.index = i % 7, .serial = i}, i);
    }
    assert_int_equal(window.count, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        struct frame_actor actor = {.index = i % 7, .serial = i};
        struct flight *flight = window_find(&window, &actor);
        assert_int_equal(flight->bytes, i);
        window_credit(flight, &(struct frame_credit){.count = 1, .bytes = i});
        window_drop_idle(&window, flight);
        assert_null(window_find(&window, &actor));
    }
    assert_int_equal(window.count, 0);
}

static void a_lost_link_lets_all_go_on(void **state)
{
    (void)state;
    struct sender senders[4];
    for (uint32_t i = 0; i < 4; i++) {
        struct frame_actor actor = {.index = 1 + i / 2, .serial = 1};
        window_add(&window, &actor, WINDOW_BYTES);
        senders[i] = (struct sender){.on_over = on_over};
        sender_wait(&window_find(&window, &actor)->senders, &senders[i]);
    }
    window_clear(&window);
    assert_int_equal(over, 4);
    assert_int_equal(window.count, 0);
    window_clear(&window);
    window_add(&window, &to, 1);
    assert_non_null(window_find(&window, &to));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_on_its_way_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(so_many_messages_fill_a_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            so_many_bytes_fill_a_window_and_the_last_message_may_pass_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_waits_goes_before_who_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_than_was_sent_is_taken_for_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(when_no_message_is_on_its_way_no_byte_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(actors_have_windows_of_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_idle_flight_is_dropped_and_no_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_flights_are_found_however_the_window_grows, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lost_link_lets_all_go_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
