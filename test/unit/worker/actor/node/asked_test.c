#include "worker/actor/node/asked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "worker/actor/actor.h"

enum { MANY = 1000 };

static struct asked_table table;
static struct actor one;
static struct actor other;

/* Tables only pass on whose questions they hold. */
static struct remote *const asker = (struct remote *)&table;

static int set_up(void **state)
{
    (void)state;
    table = (struct asked_table){0};
    one = (struct actor){.serial = 1};
    other = (struct actor){.serial = 2};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    asked_clear(&table);
    return 0;
}

/* Of a call: the lowest bit says what it is. */
static uint64_t number_of(uint64_t i)
{
    return i << 1;
}

static uint32_t count_of(const struct actor *actor)
{
    uint32_t count = 0;
    for (const struct asked *asked = actor->asked; asked != NULL; asked = asked->next_of_actor) {
        assert_ptr_equal(*asked->link, asked);
        assert_ptr_equal(asked->actor, actor);
        count++;
    }
    return count;
}

static void a_question_is_found_by_its_number_alone(void **state)
{
    (void)state;
    asked_add(&table, asker, &one, number_of(5));
    struct asked *asked = asked_find(&table, number_of(5));
    assert_non_null(asked);
    assert_ptr_equal(asked->actor, &one);
    assert_ptr_equal(asked->remote, asker);
    assert_null(asked_find(&table, number_of(6)));
    assert_null(asked_find(&table, number_of(5 + 16))); /* of the same bucket */
}

static void nothing_is_found_where_nobody_has_asked(void **state)
{
    (void)state;
    assert_null(asked_find(&table, number_of(0)));
    asked_clear(&table);
    assert_null(asked_find(&table, number_of(0)));
}

static void many_questions_are_found_however_the_table_grows(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        asked_add(&table, asker, i % 3 == 0 ? &other : &one, number_of(i * 7));
    }
    assert_int_equal(table.count, MANY);
    for (uint64_t i = 0; i < MANY; i++) {
        assert_ptr_equal(asked_find(&table, number_of(i * 7))->actor, i % 3 == 0 ? &other : &one);
    }
    assert_int_equal(count_of(&one) + count_of(&other), MANY);
}

static void an_answered_question_is_gone_for_the_actor_too(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        asked_add(&table, asker, &one, number_of(i));
    }
    for (uint64_t i = 0; i < MANY; i += 2) { /* in the middle, at either end of a bucket */
        asked_remove(&table, asked_find(&table, number_of(i)));
    }
    for (uint64_t i = 0; i < MANY; i++) {
        assert_int_equal(asked_find(&table, number_of(i)) != NULL, i % 2);
    }
    assert_int_equal(count_of(&one), MANY / 2);
    assert_int_equal(table.count, MANY / 2);
}

static void questions_of_one_bucket_are_removed_in_any_order(void **state)
{
    (void)state;
    static const uint64_t order[] = {2, 0, 3, 1};
    for (uint64_t i = 0; i < 4; i++) {
        asked_add(&table, asker, &one, number_of(i * MANY * 1024));
    }
    for (uint64_t i = 0; i < 4; i++) {
        asked_remove(&table, asked_find(&table, number_of(order[i] * MANY * 1024)));
        assert_null(asked_find(&table, number_of(order[i] * MANY * 1024)));
        assert_int_equal(count_of(&one), 3 - i);
    }
}

static void an_actor_that_ends_can_answer_all_of_its_questions(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        asked_add(&table, asker, i % 2 == 0 ? &one : &other, number_of(i));
    }
    while (one.asked != NULL) {
        asked_remove(&table, one.asked);
    }
    assert_int_equal(table.count, MANY / 2);
    assert_int_equal(count_of(&other), MANY / 2);
}

static void two_tables_share_an_actor(void **state)
{
    (void)state;
    struct asked_table second = {0};
    asked_add(&table, asker, &one, number_of(1));
    asked_add(&second, asker, &one, number_of(1));
    asked_add(&table, asker, &one, number_of(2));
    assert_int_equal(count_of(&one), 3);
    asked_clear(&table);
    assert_int_equal(count_of(&one), 1);
    assert_ptr_equal(one.asked, asked_find(&second, number_of(1)));
    asked_clear(&second);
    assert_null(one.asked);
}

static void a_cleared_table_can_be_used_again(void **state)
{
    (void)state;
    asked_add(&table, asker, &one, number_of(1));
    asked_clear(&table);
    assert_null(one.asked);
    assert_int_equal(table.count, 0);
    asked_add(&table, asker, &one, number_of(1));
    assert_non_null(asked_find(&table, number_of(1)));
}

/* A hostile worker may use a number twice: each is a question. */
static void the_same_number_twice_is_two_questions(void **state)
{
    (void)state;
    asked_add(&table, asker, &one, number_of(1));
    asked_add(&table, asker, &other, number_of(1));
    asked_remove(&table, asked_find(&table, number_of(1)));
    assert_non_null(asked_find(&table, number_of(1)));
    asked_remove(&table, asked_find(&table, number_of(1)));
    assert_null(asked_find(&table, number_of(1)));
    assert_null(one.asked);
    assert_null(other.asked);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_question_is_found_by_its_number_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_found_where_nobody_has_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_questions_are_found_however_the_table_grows, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_answered_question_is_gone_for_the_actor_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(questions_of_one_bucket_are_removed_in_any_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_actor_that_ends_can_answer_all_of_its_questions, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(two_tables_share_an_actor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cleared_table_can_be_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_number_twice_is_two_questions, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
