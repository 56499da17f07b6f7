/* The life of a slot: every state with every event, and random lives with a model of its processes. */
#include "daemon/pool/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* One letter an event, in the order of enum slot_event (start, next ready, next lost, current lost, retry, hold, finish, replace,
 * cancel, stop, kill, last gone): '.' must not happen, otherwise the next state. */
static const char *const expected[SLOT_STATES] = {
    [SLOT_EMPTY] = "S....H..EEE.",   [SLOT_STARTING] = ".RB..S.SBLLS",
    [SLOT_READY] = "...B.R.PRLL.",   [SLOT_REPLACING] = ".RRS.P.PRLL.",
    [SLOT_BACKOFF] = "....SHDSBLLB", [SLOT_HELD] = "....SH.SHLLH",
    [SLOT_DONE] = "S....D.SDLLD",    [SLOT_LEAVING] = ".....L.SLLLE",
};

static void every_pair_goes_where_it_should(void **state)
{
    (void)state;
    static const char letters[] = "ESRPBHDL";
    for (int s = 0; s < SLOT_STATES; s++) {
        for (int e = 0; e < SLOT_EVENTS; e++) {
            const struct slot_row *row = slot_find((enum slot_state)s, (enum slot_event)e);
            char found = '.';
            if (row != NULL) {
                found = letters[row->next];
            }
            if (found != expected[s][e]) {
                print_error("%s + %s: %c, not %c\n", slot_state_name((enum slot_state)s),
                            slot_event_name((enum slot_event)e), found, expected[s][e]);
            }
            assert_int_equal(found, expected[s][e]);
        }
    }
}

static void serving_is_having_a_current_worker(void **state)
{
    (void)state;
    static const bool serving[SLOT_STATES] = {[SLOT_READY] = true, [SLOT_REPLACING] = true};
    for (int s = 0; s < SLOT_STATES; s++) {
        assert_int_equal(slot_is_serving((enum slot_state)s), serving[s]);
    }
}

static void a_successor_that_fails_leaves_the_old_one_serving(void **state)
{
    (void)state;
    const struct slot_row *row = slot_find(SLOT_REPLACING, SLOT_ON_NEXT_LOST);
    assert_int_equal(row->next, SLOT_READY);
    assert_int_equal(row->action, SLOT_TELL_FAILED);
}

/* The processes of a slot, as its owner keeps them. */
struct model {
    enum slot_state state;
    bool has_current;
    bool has_next; /* there, or about to be started */
    bool awaits_room;
    unsigned leavers;
    unsigned random;
};

static unsigned draw(struct model *model, unsigned limit)
{
    model->random = model->random * 1103515245U + 12345U;
    return model->random / 65536 % limit;
}

static void lose_next(struct model *model)
{
    model->leavers += model->has_next && !model->awaits_room;
    model->has_next = false;
    model->awaits_room = false;
}

static void start_next(struct model *model)
{
    model->has_next = true;
    model->awaits_room = model->leavers > 0 && draw(model, 3) == 0;
}

static void carry_out(struct model *model, enum slot_action action)
{
    switch (action) {
    case SLOT_RESTART_NEXT:
        assert_true(model->has_next);
        lose_next(model);
        start_next(model);
        break;
    case SLOT_START_NEXT:
        assert_false(model->has_next);
        start_next(model);
        break;
    case SLOT_PROMOTE:
        assert_false(model->has_current);
        model->has_current = true;
        model->has_next = false;
        break;
    case SLOT_SWAP:
        assert_true(model->has_current);
        model->leavers++;
        model->has_next = false;
        break;
    case SLOT_DRAIN_ALL:
    case SLOT_KILL_ALL:
        model->leavers += model->has_current;
        model->has_current = false;
        lose_next(model);
        break;
    case SLOT_DROP_NEXT:
    case SLOT_DROP_AND_RETRY:
        assert_true(model->has_next);
        lose_next(model);
        break;
    case SLOT_DECIDE:
    case SLOT_STOP_WAITING:
        assert_false(model->has_current || model->has_next);
        break;
    case SLOT_TELL_EMPTY:
        assert_int_equal(model->leavers, 0);
        break;
    case SLOT_DO_NOTHING:
    case SLOT_TELL_FAILED:
    case SLOT_TELL_DIED:
        break;
    }
}

/* Takes one event that can happen to the model; false when the drawn one can't. */
static bool happen(struct model *model, enum slot_event event)
{
    switch (event) {
    case SLOT_ON_START:
        return model->state == SLOT_EMPTY || model->state == SLOT_DONE;
    case SLOT_ON_NEXT_READY:
        return model->has_next && !model->awaits_room;
    case SLOT_ON_NEXT_LOST: /* also when it could not even be started */
        if (!model->has_next || model->awaits_room) {
            return false;
        }
        lose_next(model);
        return true;
    case SLOT_ON_CURRENT_LOST:
        if (!model->has_current) {
            return false;
        }
        model->has_current = false;
        model->leavers++;
        return true;
    case SLOT_ON_RETRY:
        return model->state == SLOT_BACKOFF || model->state == SLOT_HELD;
    case SLOT_ON_FINISH:
        return model->state == SLOT_BACKOFF;
    case SLOT_ON_REPLACE:
        return model->state != SLOT_EMPTY && model->state != SLOT_LEAVING;
    case SLOT_ON_HOLD:
    case SLOT_ON_CANCEL:
    case SLOT_ON_STOP:
    case SLOT_ON_KILL:
        return true;
    case SLOT_ON_LAST_GONE:
        if (model->leavers == 0 || model->has_current || (model->has_next && !model->awaits_room)) {
            return false;
        }
        model->leavers = 0;
        return model->state != SLOT_EMPTY;
    }
    return false;
}

static void whatever_happens_the_state_tells_which_workers_there_are(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 500; seed++) {
        struct model model = {.random = seed};
        for (int i = 0; i < 200; i++) {
            enum slot_event event = (enum slot_event)draw(&model, SLOT_EVENTS);
            bool is_end = event == SLOT_ON_STOP || event == SLOT_ON_KILL;
            if ((is_end && draw(&model, 20) != 0) || !happen(&model, event)) {
                continue;
            }
            const struct slot_row *row = slot_find(model.state, event);
            assert_non_null(row);
            model.state = row->next;
            carry_out(&model, row->action);
            assert_int_equal(model.has_current, slot_is_serving(model.state));
            assert_int_equal(model.has_next,
                             model.state == SLOT_STARTING || model.state == SLOT_REPLACING);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_goes_where_it_should),
        cmocka_unit_test(serving_is_having_a_current_worker),
        cmocka_unit_test(a_successor_that_fails_leaves_the_old_one_serving),
        cmocka_unit_test(whatever_happens_the_state_tells_which_workers_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
