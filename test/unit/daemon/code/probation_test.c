/* New code is confirmed, or not fit to run. */
#include "daemon/code/probation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LIMIT_MS = 60000, BEGIN_MS = 5000000 };

/* New code that serves, beside one that is confirmed. */
static struct probation_facts facts_at(uint64_t after_ms)
{
    return (struct probation_facts){.generation = 2,
                                    .has_confirmed = true,
                                    .is_running = true,
                                    .is_serving = true,
                                    .limit_ms = LIMIT_MS,
                                    .now_ms = BEGIN_MS + after_ms};
}

static struct probation begun(void)
{
    struct probation probation = {0};
    struct probation_facts facts = facts_at(0);
    assert_int_equal(probation_check(&probation, &facts), PROBATION_WAIT);
    return probation;
}

static void code_that_has_run_its_time_is_confirmed(void **state)
{
    (void)state;
    struct probation probation = begun();
    struct probation_facts facts = facts_at(LIMIT_MS - 1);
    assert_int_equal(probation_check(&probation, &facts), PROBATION_WAIT);
    assert_int_equal(probation_get_left(&probation, &facts), 1);
    facts = facts_at(LIMIT_MS);
    assert_int_equal(probation_get_left(&probation, &facts), 0);
    assert_int_equal(probation_check(&probation, &facts), PROBATION_CONFIRM);
    facts.is_confirmed = true;
    assert_int_equal(probation_check(&probation, &facts), PROBATION_WAIT);
    assert_int_equal(probation_get_left(&probation, &facts), 0);
}

static void each_generation_has_its_own_time(void **state)
{
    (void)state;
    struct probation probation = begun();
    struct probation_facts facts = facts_at(LIMIT_MS);
    facts.generation = 3;
    assert_int_equal(probation_get_left(&probation, &facts), LIMIT_MS); /* was never looked at */
    assert_int_equal(probation_check(&probation, &facts), PROBATION_WAIT);
    facts.now_ms += LIMIT_MS;
    assert_int_equal(probation_check(&probation, &facts), PROBATION_CONFIRM);
}

static void code_that_is_not_there_is_not_confirmed(void **state)
{
    (void)state;
    struct probation probation = {0};
    struct probation_facts facts = facts_at(LIMIT_MS);
    facts.generation = 0;
    assert_int_equal(probation_check(&probation, &facts), PROBATION_WAIT);
}

static void the_time_counts_only_while_the_pools_run(void **state)
{
    (void)state;
    struct probation probation = begun();
    struct probation_facts facts = facts_at(LIMIT_MS - 1);
    facts.is_running = false;
    assert_int_equal(probation_check(&probation, &facts), PROBATION_WAIT);
    assert_int_equal(probation_get_left(&probation, &facts), LIMIT_MS);
    facts = facts_at(LIMIT_MS + 1);
    assert_int_equal(probation_check(&probation, &facts), PROBATION_WAIT);
    facts = facts_at(2 * LIMIT_MS - 1);
    assert_int_equal(probation_check(&probation, &facts), PROBATION_CONFIRM);
}

static void whoever_does_not_serve_at_the_end_is_waited_for(void **state)
{
    (void)state;
    struct probation probation = begun();
    struct probation_facts facts = facts_at(LIMIT_MS);
    facts.is_serving = false; /* one of its workers waits for its next start */
    assert_int_equal(probation_check(&probation, &facts), PROBATION_WAIT);
    facts.is_serving = true;
    assert_int_equal(probation_check(&probation, &facts), PROBATION_CONFIRM);
}

static void a_trip_in_that_time_leads_back(void **state)
{
    (void)state;
    struct probation probation = begun();
    struct probation_facts facts = facts_at(10);
    assert_int_equal(probation_on_trip(&probation, &facts), PROBATION_ROLL_BACK);
    struct probation unseen = {0}; /* right after the commit */
    assert_int_equal(probation_on_trip(&unseen, &facts), PROBATION_ROLL_BACK);
}

static void a_trip_of_confirmed_code_is_none_of_the_code(void **state)
{
    (void)state;
    struct probation probation = begun();
    struct probation_facts facts = facts_at(10);
    facts.is_confirmed = true;
    assert_int_equal(probation_on_trip(&probation, &facts), PROBATION_WAIT);
}

static void without_a_time_code_is_confirmed_at_once_and_never_taken_back(void **state)
{
    (void)state;
    struct probation probation = {0};
    struct probation_facts facts = facts_at(0);
    facts.limit_ms = 0;
    assert_int_equal(probation_on_trip(&probation, &facts), PROBATION_WAIT);
    assert_int_equal(probation_check(&probation, &facts), PROBATION_CONFIRM);
}

static void the_first_code_begins_anew_after_a_trip(void **state)
{
    (void)state;
    struct probation probation = begun();
    struct probation_facts facts = facts_at(LIMIT_MS - 1);
    facts.has_confirmed = false;
    assert_int_equal(probation_on_trip(&probation, &facts), PROBATION_WAIT);
    facts.now_ms = BEGIN_MS + LIMIT_MS + 1;
    assert_int_equal(probation_check(&probation, &facts), PROBATION_WAIT);
    facts.now_ms = BEGIN_MS + 2 * LIMIT_MS;
    assert_int_equal(probation_check(&probation, &facts), PROBATION_CONFIRM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_that_has_run_its_time_is_confirmed),
        cmocka_unit_test(each_generation_has_its_own_time),
        cmocka_unit_test(code_that_is_not_there_is_not_confirmed),
        cmocka_unit_test(the_time_counts_only_while_the_pools_run),
        cmocka_unit_test(whoever_does_not_serve_at_the_end_is_waited_for),
        cmocka_unit_test(a_trip_in_that_time_leads_back),
        cmocka_unit_test(a_trip_of_confirmed_code_is_none_of_the_code),
        cmocka_unit_test(without_a_time_code_is_confirmed_at_once_and_never_taken_back),
        cmocka_unit_test(the_first_code_begins_anew_after_a_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
