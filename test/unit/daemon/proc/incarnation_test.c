/* The life of a worker process: every state with every event, and the lives that matter. */
#include "daemon/proc/incarnation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What is to happen, one letter an event, in the order of enum incarnation_event:
 * '.' must not happen; otherwise the next state: L(oading) W(aits: loaded) A R(eady) D H Y (dying) K G, or = for the same. */
static const char *const expected[INCARNATION_STATES] = {
    [INCARNATION_SPAWNED] = "LK.......=Y.KK.Y.KHG",
    [INCARNATION_LOADING] = "..WK.....=Y.KK.Y.KHG",
    [INCARNATION_LOADED] = "......===KYAKKY..KHG",
    [INCARNATION_ACTIVATING] = "...KR.====Y.DK.Y.KHG",
    [INCARNATION_ACTIVE] = "......====Y.DKY..KHG",
    [INCARNATION_DRAINING] = "...========.=K..KK=G",
    [INCARNATION_HUNG_UP] = "===========.KK..K==G",
    [INCARNATION_DYING] = "===========.=K..K==G",
    [INCARNATION_KILLED] = "===========.==...==G",
    [INCARNATION_GONE] = "............==......",
};

static char letter(enum incarnation_state state, enum incarnation_state next)
{
    static const char letters[] = "SLWARDHYKG=";
    return letters[state == next ? INCARNATION_STATES : next];
}

static void every_pair_goes_where_it_should(void **state)
{
    (void)state;
    for (int s = 0; s < INCARNATION_STATES; s++) {
        for (int e = 0; e < INCARNATION_EVENTS; e++) {
            enum incarnation_state from = (enum incarnation_state)s;
            const struct incarnation_row *row = incarnation_find(from, (enum incarnation_event)e);
            char found = '.';
            if (row != NULL) {
                found = letter(from, row->next);
            }
            if (found != expected[s][e]) {
                print_error("%s + %s: %c, not %c\n", incarnation_state_name(from),
                            incarnation_event_name((enum incarnation_event)e), found,
                            expected[s][e]);
            }
            assert_int_equal(found, expected[s][e]);
        }
    }
}

static void a_word_out_of_order_can_always_be_treated_as_a_breach(void **state)
{
    (void)state;
    for (int s = 0; s < INCARNATION_STATES; s++) {
        enum incarnation_state from = (enum incarnation_state)s;
        if (from == INCARNATION_GONE) {
            continue; /* its channel is closed: no words come */
        }
        assert_non_null(incarnation_find(from, INCARNATION_ON_BROKEN));
    }
}

static void the_owner_is_told_of_a_loss_once_and_of_the_end_always(void **state)
{
    (void)state;
    for (int s = 0; s < INCARNATION_GONE; s++) {
        enum incarnation_state from = (enum incarnation_state)s;
        const struct incarnation_row *end = incarnation_find(from, INCARNATION_ON_EXITED);
        assert_non_null(end);
        assert_int_equal(end->next, INCARNATION_GONE);
        int was_told =
            from == INCARNATION_DRAINING || from == INCARNATION_KILLED || from == INCARNATION_DYING;
        assert_int_equal(end->action, was_told ? INCARNATION_TELL_GONE : INCARNATION_FAIL_AND_GONE);
        for (int e = 0; e < INCARNATION_EVENTS; e++) {
            const struct incarnation_row *row = incarnation_find(from, (enum incarnation_event)e);
            if (row != NULL && row->action == INCARNATION_FAIL) {
                assert_false(was_told);
                assert_int_equal(row->next, INCARNATION_KILLED);
            }
        }
    }
}

static void an_order_to_stop_now_always_leads_to_the_end(void **state)
{
    (void)state;
    for (int s = 0; s < INCARNATION_GONE; s++) {
        const struct incarnation_row *row =
            incarnation_find((enum incarnation_state)s, INCARNATION_ON_STOP);
        assert_non_null(row);
        assert_int_equal(row->next, INCARNATION_KILLED);
    }
}

static void every_failure_has_a_sentence_and_orders_have_none_as_errors(void **state)
{
    (void)state;
    for (int s = 0; s < INCARNATION_STATES; s++) {
        for (int e = 0; e < INCARNATION_EVENTS; e++) {
            const struct incarnation_row *row =
                incarnation_find((enum incarnation_state)s, (enum incarnation_event)e);
            if (row == NULL) {
                continue;
            }
            bool is_loss = row->action == INCARNATION_FAIL ||
                           row->action == INCARNATION_FAIL_AND_GONE ||
                           row->action == INCARNATION_ABORT || row->action == INCARNATION_AWAIT_END;
            assert_int_equal(row->sentence == NULL, row->name == NULL);
            if (is_loss && e != INCARNATION_ON_LEAVE) {
                assert_non_null(row->sentence);
                assert_int_equal(row->level, LOG_LEVEL_ERROR);
            } else {
                assert_true(row->level > LOG_LEVEL_ERROR);
            }
        }
    }
}

static void a_life_without_trouble_ends_in_gone(void **state)
{
    (void)state;
    static const enum incarnation_event events[] = {
        INCARNATION_ON_HELLO,  INCARNATION_ON_LOADED, INCARNATION_ON_ACTIVATE,
        INCARNATION_ON_ACTIVE, INCARNATION_ON_DRAIN,  INCARNATION_ON_WITHDRAWN,
        INCARNATION_ON_CLOSED, INCARNATION_ON_EXITED,
    };
    static const enum incarnation_action actions[] = {
        INCARNATION_HAND_OUT,   INCARNATION_TELL_LOADED, INCARNATION_ACTIVATE,
        INCARNATION_TELL_READY, INCARNATION_SEND_DRAIN,  INCARNATION_TELL_WITHDRAWN,
        INCARNATION_DO_NOTHING, INCARNATION_TELL_GONE,
    };
    enum incarnation_state at = INCARNATION_SPAWNED;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        assert_int_equal(incarnation_is_booting(at), i < 4 && i != 2);
        const struct incarnation_row *row = incarnation_find(at, events[i]);
        assert_non_null(row);
        assert_int_equal(row->action, actions[i]);
        at = row->next;
    }
    assert_int_equal(at, INCARNATION_GONE);
}

static void only_the_first_events_are_words(void **state)
{
    (void)state;
    for (int e = 0; e < INCARNATION_EVENTS; e++) {
        assert_int_equal(incarnation_is_word((enum incarnation_event)e), e <= INCARNATION_ON_DYING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_goes_where_it_should),
        cmocka_unit_test(a_word_out_of_order_can_always_be_treated_as_a_breach),
        cmocka_unit_test(the_owner_is_told_of_a_loss_once_and_of_the_end_always),
        cmocka_unit_test(an_order_to_stop_now_always_leads_to_the_end),
        cmocka_unit_test(every_failure_has_a_sentence_and_orders_have_none_as_errors),
        cmocka_unit_test(a_life_without_trouble_ends_in_gone),
        cmocka_unit_test(only_the_first_events_are_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
