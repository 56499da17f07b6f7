#include "worker/actor/sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SENDERS = 5 };

static struct sender_queue queue;
static struct sender senders[SENDERS];
static int over[SENDERS]; /* in which turn each of them went on */
static int turn;
static int again; /* how often one that goes on shall wait anew */

static void on_over(struct sender *sender)
{
    assert_null(sender->queue);
    over[sender - senders] = ++turn;
    if (again > 0) {
        again--;
        sender_wait(&queue, sender);
    }
}

static int set_up(void **state)
{
    (void)state;
    queue = (struct sender_queue){0};
    turn = 0;
    again = 0;
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.on_over = on_over};
        over[i] = 0;
        sender_wait(&queue, &senders[i]);
    }
    return 0;
}

static void check_order(const int *expected, int count)
{
    const struct sender *sender = queue.first;
    for (int i = 0; i < count; i++) {
        assert_ptr_equal(sender, &senders[expected[i]]);
        assert_ptr_equal(sender->queue, &queue);
        assert_ptr_equal(sender->previous, i == 0 ? NULL : &senders[expected[i - 1]]);
        sender = sender->next;
    }
    assert_null(sender);
    if (count > 0) {
        assert_ptr_equal(queue.last, &senders[expected[count - 1]]);
    }
}

static void who_came_first_stands_first(void **state)
{
    (void)state;
    check_order((const int[]){0, 1, 2, 3, 4}, SENDERS);
}

static void one_can_leave_from_anywhere(void **state)
{
    (void)state;
    sender_leave(&senders[0]);
    check_order((const int[]){1, 2, 3, 4}, 4);
    sender_leave(&senders[4]);
    check_order((const int[]){1, 2, 3}, 3);
    sender_leave(&senders[2]);
    check_order((const int[]){1, 3}, 2);
    sender_leave(&senders[1]);
    sender_leave(&senders[3]);
    assert_null(queue.first);
    assert_int_equal(turn, 0); /* who leaves is not told */
}

static void leaving_twice_is_leaving_once(void **state)
{
    (void)state;
    sender_leave(&senders[2]);
    sender_leave(&senders[2]);
    check_order((const int[]){0, 1, 3, 4}, 4);
}

static void one_that_left_can_wait_again_at_the_end(void **state)
{
    (void)state;
    sender_leave(&senders[0]);
    sender_wait(&queue, &senders[0]);
    check_order((const int[]){1, 2, 3, 4, 0}, SENDERS);
}

static void one_can_go_from_queue_to_queue(void **state)
{
    (void)state;
    struct sender_queue other = {0};
    sender_leave(&senders[3]);
    sender_wait(&other, &senders[3]);
    check_order((const int[]){0, 1, 2, 4}, 4);
    sender_leave(&senders[3]);
    assert_null(other.first);
    check_order((const int[]){0, 1, 2, 4}, 4);
}

static void an_emptied_queue_takes_senders_again(void **state)
{
    (void)state;
    sender_turn_away(&queue);
    assert_null(queue.first);
    sender_wait(&queue, &senders[1]);
    check_order((const int[]){1}, 1);
}

static void all_are_turned_away_in_their_order(void **state)
{
    (void)state;
    sender_turn_away(&queue);
    assert_null(queue.first);
    for (int i = 0; i < SENDERS; i++) {
        assert_int_equal(over[i], i + 1);
    }
}

static void one_that_waits_anew_while_all_are_turned_away_is_turned_away_too(void **state)
{
    (void)state;
    again = 2;
    sender_turn_away(&queue);
    assert_null(queue.first);
    assert_int_equal(turn, SENDERS + 2);
}

static void nobody_is_turned_away_from_an_empty_queue(void **state)
{
    (void)state;
    struct sender_queue empty = {0};
    sender_turn_away(&empty);
    assert_null(empty.first);
    assert_int_equal(turn, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(who_came_first_stands_first, set_up),
        cmocka_unit_test_setup(one_can_leave_from_anywhere, set_up),
        cmocka_unit_test_setup(leaving_twice_is_leaving_once, set_up),
        cmocka_unit_test_setup(one_that_left_can_wait_again_at_the_end, set_up),
        cmocka_unit_test_setup(one_can_go_from_queue_to_queue, set_up),
        cmocka_unit_test_setup(an_emptied_queue_takes_senders_again, set_up),
        cmocka_unit_test_setup(all_are_turned_away_in_their_order, set_up),
        cmocka_unit_test_setup(one_that_waits_anew_while_all_are_turned_away_is_turned_away_too,
                               set_up),
        cmocka_unit_test_setup(nobody_is_turned_away_from_an_empty_queue, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
