/* slot.c - the life of one slot of a pool, as rows.
 * Owns the table.  pool_slot.c translates the news of worker processes, orders and timers into events, takes the next state
 * and carries out the action.  The point of the table: a new worker is always started first and the old one leaves
 * only when the new one serves, and a new one that fails changes nothing for the old one.
 * Pure: no system call, no clock, no log.  Must not know what a worker is doing (incarnation.c) or why one is replaced. */
#include "daemon/pool/slot.h"

#include <stddef.h>

static const struct slot_row rows[] = {
    {SLOT_EMPTY, SLOT_ON_START, SLOT_STARTING, SLOT_START_NEXT},
    {SLOT_EMPTY, SLOT_ON_CANCEL, SLOT_EMPTY, SLOT_DO_NOTHING},
    {SLOT_EMPTY, SLOT_ON_HOLD, SLOT_HELD, SLOT_DO_NOTHING},
    {SLOT_EMPTY, SLOT_ON_STOP, SLOT_EMPTY, SLOT_DO_NOTHING},
    {SLOT_EMPTY, SLOT_ON_KILL, SLOT_EMPTY, SLOT_DO_NOTHING},

    {SLOT_STARTING, SLOT_ON_NEXT_READY, SLOT_READY, SLOT_PROMOTE},
    {SLOT_STARTING, SLOT_ON_NEXT_LOST, SLOT_BACKOFF, SLOT_DECIDE},
    {SLOT_STARTING, SLOT_ON_HOLD, SLOT_STARTING, SLOT_DO_NOTHING},
    {SLOT_STARTING, SLOT_ON_REPLACE, SLOT_STARTING, SLOT_RESTART_NEXT},
    {SLOT_STARTING, SLOT_ON_CANCEL, SLOT_BACKOFF, SLOT_DROP_AND_RETRY},
    {SLOT_STARTING, SLOT_ON_LAST_GONE, SLOT_STARTING, SLOT_DO_NOTHING}, /* next waited for room */
    {SLOT_STARTING, SLOT_ON_STOP, SLOT_LEAVING, SLOT_DRAIN_ALL},
    {SLOT_STARTING, SLOT_ON_KILL, SLOT_LEAVING, SLOT_KILL_ALL},

    {SLOT_READY, SLOT_ON_CURRENT_LOST, SLOT_BACKOFF, SLOT_DECIDE},
    {SLOT_READY, SLOT_ON_HOLD, SLOT_READY, SLOT_DO_NOTHING},
    {SLOT_READY, SLOT_ON_REPLACE, SLOT_REPLACING, SLOT_START_NEXT},
    {SLOT_READY, SLOT_ON_CANCEL, SLOT_READY, SLOT_DO_NOTHING},
    {SLOT_READY, SLOT_ON_STOP, SLOT_LEAVING, SLOT_DRAIN_ALL},
    {SLOT_READY, SLOT_ON_KILL, SLOT_LEAVING, SLOT_KILL_ALL},

    {SLOT_REPLACING, SLOT_ON_NEXT_READY, SLOT_READY, SLOT_SWAP},
    {SLOT_REPLACING, SLOT_ON_NEXT_LOST, SLOT_READY, SLOT_TELL_FAILED},
    {SLOT_REPLACING, SLOT_ON_CURRENT_LOST, SLOT_STARTING, SLOT_TELL_DIED},
    {SLOT_REPLACING, SLOT_ON_HOLD, SLOT_REPLACING, SLOT_DO_NOTHING},
    {SLOT_REPLACING, SLOT_ON_REPLACE, SLOT_REPLACING, SLOT_RESTART_NEXT},
    {SLOT_REPLACING, SLOT_ON_CANCEL, SLOT_READY, SLOT_DROP_NEXT},
    {SLOT_REPLACING, SLOT_ON_STOP, SLOT_LEAVING, SLOT_DRAIN_ALL},
    {SLOT_REPLACING, SLOT_ON_KILL, SLOT_LEAVING, SLOT_KILL_ALL},

    {SLOT_BACKOFF, SLOT_ON_RETRY, SLOT_STARTING, SLOT_START_NEXT},
    {SLOT_BACKOFF, SLOT_ON_HOLD, SLOT_HELD, SLOT_STOP_WAITING},
    {SLOT_BACKOFF, SLOT_ON_FINISH, SLOT_DONE, SLOT_STOP_WAITING},
    {SLOT_BACKOFF, SLOT_ON_REPLACE, SLOT_STARTING, SLOT_START_NEXT},
    {SLOT_BACKOFF, SLOT_ON_CANCEL, SLOT_BACKOFF, SLOT_DO_NOTHING},
    {SLOT_BACKOFF, SLOT_ON_LAST_GONE, SLOT_BACKOFF, SLOT_DO_NOTHING},
    {SLOT_BACKOFF, SLOT_ON_STOP, SLOT_LEAVING, SLOT_DRAIN_ALL},
    {SLOT_BACKOFF, SLOT_ON_KILL, SLOT_LEAVING, SLOT_KILL_ALL},

    {SLOT_HELD, SLOT_ON_RETRY, SLOT_STARTING, SLOT_START_NEXT},
    {SLOT_HELD, SLOT_ON_HOLD, SLOT_HELD, SLOT_DO_NOTHING},
    {SLOT_HELD, SLOT_ON_REPLACE, SLOT_STARTING, SLOT_START_NEXT},
    {SLOT_HELD, SLOT_ON_CANCEL, SLOT_HELD, SLOT_DO_NOTHING},
    {SLOT_HELD, SLOT_ON_LAST_GONE, SLOT_HELD, SLOT_DO_NOTHING},
    {SLOT_HELD, SLOT_ON_STOP, SLOT_LEAVING, SLOT_DRAIN_ALL},
    {SLOT_HELD, SLOT_ON_KILL, SLOT_LEAVING, SLOT_KILL_ALL},

    {SLOT_DONE, SLOT_ON_START, SLOT_STARTING, SLOT_START_NEXT},
    {SLOT_DONE, SLOT_ON_HOLD, SLOT_DONE, SLOT_DO_NOTHING},
    {SLOT_DONE, SLOT_ON_REPLACE, SLOT_STARTING, SLOT_START_NEXT},
    {SLOT_DONE, SLOT_ON_CANCEL, SLOT_DONE, SLOT_DO_NOTHING},
    {SLOT_DONE, SLOT_ON_LAST_GONE, SLOT_DONE, SLOT_DO_NOTHING},
    {SLOT_DONE, SLOT_ON_STOP, SLOT_LEAVING, SLOT_DRAIN_ALL},
    {SLOT_DONE, SLOT_ON_KILL, SLOT_LEAVING, SLOT_KILL_ALL},

    {SLOT_LEAVING, SLOT_ON_REPLACE, SLOT_STARTING, SLOT_START_NEXT}, /* the leavers go on leaving */
    {SLOT_LEAVING, SLOT_ON_HOLD, SLOT_LEAVING, SLOT_DO_NOTHING},
    {SLOT_LEAVING, SLOT_ON_CANCEL, SLOT_LEAVING, SLOT_DO_NOTHING},
    {SLOT_LEAVING, SLOT_ON_STOP, SLOT_LEAVING, SLOT_DO_NOTHING},
    {SLOT_LEAVING, SLOT_ON_KILL, SLOT_LEAVING, SLOT_KILL_ALL},
    {SLOT_LEAVING, SLOT_ON_LAST_GONE, SLOT_EMPTY, SLOT_TELL_EMPTY},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const char *const state_names[] = {
    "empty", "starting", "ready", "replacing", "backoff", "held", "done", "leaving",
};
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == SLOT_STATES, "one a state");

static const char *const event_names[] = {
    "start",  "next ready", "next lost", "current lost", "retry", "hold",
    "finish", "replace",    "cancel",    "stop",         "kill",  "last gone",
};
_Static_assert(sizeof(event_names) / sizeof(event_names[0]) == SLOT_EVENTS, "one an event");

const struct slot_row *slot_find(enum slot_state state, enum slot_event event)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].state == state && rows[i].event == event) {
            return &rows[i];
        }
    }
    return NULL;
}

bool slot_is_serving(enum slot_state state)
{
    return state == SLOT_READY || state == SLOT_REPLACING;
}

const char *slot_state_name(enum slot_state state)
{
    return state_names[state];
}

const char *slot_event_name(enum slot_event event)
{
    return event_names[event];
}
