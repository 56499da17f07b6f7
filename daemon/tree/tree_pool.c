/* tree_pool.c - the life of one pool in the supervision tree, as rows.
 * Owns the table.  tree.c translates the master's news into events, tree_next.c the orders of supervisors; both take the next
 * state and carry out the action.  A held pool probes itself, so a probe that fails is no news, and a start of a pool that runs
 * or is held already (a new configuration asks for it) orders nothing.
 * Pure.  Must not know how pools depend on each other. */
#include "daemon/tree/tree_pool.h"

#include <stddef.h>

static const struct tree_pool_row rows[] = {
    {TREE_POOL_DOWN, TREE_POOL_WAIT, TREE_POOL_WAITING, TREE_POOL_TELL_WAITS},
    {TREE_POOL_DOWN, TREE_POOL_START, TREE_POOL_STARTING, TREE_POOL_ORDER_START},
    {TREE_POOL_DOWN, TREE_POOL_HOLD, TREE_POOL_HELD, TREE_POOL_ORDER_HOLD},
    {TREE_POOL_DOWN, TREE_POOL_STOP, TREE_POOL_DOWN, TREE_POOL_TELL_GONE},

    {TREE_POOL_WAITING, TREE_POOL_START, TREE_POOL_STARTING, TREE_POOL_ORDER_START},
    {TREE_POOL_WAITING, TREE_POOL_HOLD, TREE_POOL_HELD, TREE_POOL_ORDER_HOLD},
    {TREE_POOL_WAITING, TREE_POOL_STOP, TREE_POOL_DOWN, TREE_POOL_TELL_GONE},

    {TREE_POOL_STARTING, TREE_POOL_START, TREE_POOL_STARTING, TREE_POOL_DO_NOTHING},
    {TREE_POOL_STARTING, TREE_POOL_STOP, TREE_POOL_STOPPING, TREE_POOL_ORDER_STOP},
    {TREE_POOL_STARTING, TREE_POOL_ON_UP, TREE_POOL_UP, TREE_POOL_TELL_UP},
    {TREE_POOL_STARTING, TREE_POOL_ON_GAVE_UP, TREE_POOL_HELD, TREE_POOL_TELL_HELD},

    {TREE_POOL_UP, TREE_POOL_START, TREE_POOL_UP, TREE_POOL_TELL_UP},
    {TREE_POOL_UP, TREE_POOL_STOP, TREE_POOL_STOPPING, TREE_POOL_ORDER_STOP},
    {TREE_POOL_UP, TREE_POOL_ON_UP, TREE_POOL_UP, TREE_POOL_DO_NOTHING},
    {TREE_POOL_UP, TREE_POOL_ON_GAVE_UP, TREE_POOL_HELD, TREE_POOL_TELL_FAILED},

    {TREE_POOL_HELD, TREE_POOL_START, TREE_POOL_HELD, TREE_POOL_TELL_HELD},
    {TREE_POOL_HELD, TREE_POOL_HOLD, TREE_POOL_HELD, TREE_POOL_TELL_HELD},
    {TREE_POOL_HELD, TREE_POOL_STOP, TREE_POOL_STOPPING, TREE_POOL_ORDER_STOP},
    {TREE_POOL_HELD, TREE_POOL_ON_UP, TREE_POOL_UP, TREE_POOL_TELL_UP},
    {TREE_POOL_HELD, TREE_POOL_ON_GAVE_UP, TREE_POOL_HELD, TREE_POOL_DO_NOTHING},

    {TREE_POOL_STOPPING, TREE_POOL_STOP, TREE_POOL_STOPPING, TREE_POOL_DO_NOTHING},
    {TREE_POOL_STOPPING, TREE_POOL_ON_UP, TREE_POOL_STOPPING, TREE_POOL_DO_NOTHING},
    {TREE_POOL_STOPPING, TREE_POOL_ON_GAVE_UP, TREE_POOL_STOPPING, TREE_POOL_REMEMBER},
    {TREE_POOL_STOPPING, TREE_POOL_ON_DOWN, TREE_POOL_DOWN, TREE_POOL_TELL_GONE},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const char *const state_names[] = {
    "down", "waiting", "starting", "up", "held", "stopping",
};
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == TREE_POOL_STATES, "one a state");

static const char *const event_names[] = {
    "wait", "start", "hold", "stop", "is up", "gave up", "is down",
};
_Static_assert(sizeof(event_names) / sizeof(event_names[0]) == TREE_POOL_EVENTS, "one an event");

const struct tree_pool_row *tree_pool_find(enum tree_pool_state state, enum tree_pool_event event)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].state == state && rows[i].event == event) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *tree_pool_state_name(enum tree_pool_state state)
{
    return state_names[state];
}

const char *tree_pool_event_name(enum tree_pool_event event)
{
    return event_names[event];
}
