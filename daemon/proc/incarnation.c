/* incarnation.c - the life of one worker process, as rows.
 * Owns the table and nothing else.  proc.c translates what it sees (messages, timers, the pidfd) into events, finds the row,
 * takes the next state and carries out the action.  Pairs that are not in the table must not happen; what only a
 * disobedient worker can cause counts as ON_BROKEN there.
 * Pure: no system call, no clock, no log.  Must not know how a worker is started or which slot it serves. */
#include "daemon/proc/incarnation.h"

#include <stddef.h>

#define QUIET LOG_LEVEL_DEBUG, NULL

/* Short names keep a row on a line. */
#define ROW(state, event, next, action, ...)                                                       \
    {                                                                                              \
        INCARNATION_##state, INCARNATION_ON_##event, INCARNATION_##next, INCARNATION_##action,     \
            __VA_ARGS__                                                                            \
    }

static const struct incarnation_row rows[] = {
    ROW(SPAWNED, HELLO, LOADING, HAND_OUT, QUIET),
    ROW(SPAWNED, MISMATCH, KILLED, FAIL, LOG_LEVEL_ERROR, "worker is refused"),
    ROW(SPAWNED, DRAIN, KILLED, KILL, QUIET),
    ROW(SPAWNED, STOP, KILLED, KILL, QUIET),
    ROW(SPAWNED, BOOT_TIMEOUT, KILLED, FAIL, LOG_LEVEL_ERROR, "worker is killed"),
    ROW(SPAWNED, BROKEN, KILLED, FAIL, LOG_LEVEL_ERROR, "worker broke the protocol"),
    ROW(SPAWNED, CLOSED, HUNG_UP, AWAIT_EXIT, QUIET),
    ROW(SPAWNED, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker died while starting"),

    ROW(LOADING, LOADED, ACTIVATING, ACTIVATE, QUIET),
    ROW(LOADING, REFUSED, KILLED, FAIL, LOG_LEVEL_ERROR, "worker cannot load the code"),
    ROW(LOADING, DRAIN, KILLED, KILL, QUIET),
    ROW(LOADING, STOP, KILLED, KILL, QUIET),
    ROW(LOADING, BOOT_TIMEOUT, KILLED, FAIL, LOG_LEVEL_ERROR, "worker is killed while loading"),
    ROW(LOADING, BROKEN, KILLED, FAIL, LOG_LEVEL_ERROR, "worker broke the protocol"),
    ROW(LOADING, CLOSED, HUNG_UP, AWAIT_EXIT, QUIET),
    ROW(LOADING, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker died while loading"),

    ROW(ACTIVATING, ACTIVE, ACTIVE, TELL_READY, LOG_LEVEL_NOTICE, "worker is ready"),
    ROW(ACTIVATING, REFUSED, KILLED, FAIL, LOG_LEVEL_ERROR, "worker cannot start the code"),
    ROW(ACTIVATING, DRAIN, DRAINING, SEND_DRAIN, QUIET),
    ROW(ACTIVATING, STOP, KILLED, KILL, QUIET),
    ROW(ACTIVATING, BOOT_TIMEOUT, KILLED, FAIL, LOG_LEVEL_ERROR, "worker is killed while starting"),
    ROW(ACTIVATING, BROKEN, KILLED, FAIL, LOG_LEVEL_ERROR, "worker broke the protocol"),
    ROW(ACTIVATING, CLOSED, HUNG_UP, AWAIT_EXIT, QUIET),
    ROW(ACTIVATING, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker died while starting"),

    ROW(ACTIVE, DRAIN, DRAINING, SEND_DRAIN, LOG_LEVEL_INFO, "worker is told to leave"),
    ROW(ACTIVE, STOP, KILLED, KILL, QUIET),
    ROW(ACTIVE, BROKEN, KILLED, FAIL, LOG_LEVEL_ERROR, "worker broke the protocol"),
    ROW(ACTIVE, CLOSED, HUNG_UP, AWAIT_EXIT, QUIET),
    ROW(ACTIVE, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker died"),

    /* ACTIVE may have crossed DRAIN on its way, REFUSED as well */
    ROW(DRAINING, REFUSED, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, ACTIVE, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, WITHDRAWN, DRAINING, TELL_WITHDRAWN, QUIET),
    ROW(DRAINING, DRAIN, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, STOP, KILLED, KILL, QUIET),
    ROW(DRAINING, SHUTDOWN_TIMEOUT, KILLED, KILL, LOG_LEVEL_WARNING, "worker is killed"),
    ROW(DRAINING, BROKEN, KILLED, KILL, LOG_LEVEL_WARNING, "worker broke the protocol"),
    ROW(DRAINING, CLOSED, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, EXITED, GONE, TELL_GONE, LOG_LEVEL_INFO, "worker left"),

    ROW(HUNG_UP, DRAIN, KILLED, KILL, QUIET),
    ROW(HUNG_UP, STOP, KILLED, KILL, QUIET),
    ROW(HUNG_UP, SHUTDOWN_TIMEOUT, KILLED, FAIL, LOG_LEVEL_ERROR, "worker is killed"),
    ROW(HUNG_UP, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker died"),

    /* whatever was on its way does not matter any more */
    ROW(KILLED, HELLO, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, MISMATCH, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, LOADED, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, REFUSED, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, ACTIVE, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, WITHDRAWN, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, DRAIN, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, STOP, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, BROKEN, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, CLOSED, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, EXITED, GONE, TELL_GONE, QUIET),

    /* the owner ends everything while it hears of the loss that comes just before GONE */
    ROW(GONE, DRAIN, GONE, DO_NOTHING, QUIET),
    ROW(GONE, STOP, GONE, DO_NOTHING, QUIET),
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const char *const state_names[] = {
    "spawned", "loading", "activating", "active", "draining", "hung up", "killed", "gone",
};
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == INCARNATION_STATES, "one a state");

static const char *const event_names[] = {
    "hello", "mismatch",     "loaded",           "refused", "active", "withdrawn", "drain",
    "stop",  "boot timeout", "shutdown timeout", "broken",  "closed", "exited",
};
_Static_assert(sizeof(event_names) / sizeof(event_names[0]) == INCARNATION_EVENTS, "one an event");

const struct incarnation_row *incarnation_find(enum incarnation_state state,
                                               enum incarnation_event event)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].state == state && rows[i].event == event) {
            return &rows[i];
        }
    }
    return NULL;
}

bool incarnation_is_word(enum incarnation_event event)
{
    return event <= INCARNATION_ON_WITHDRAWN;
}

bool incarnation_is_booting(enum incarnation_state state)
{
    return state <= INCARNATION_ACTIVATING;
}

const char *incarnation_state_name(enum incarnation_state state)
{
    return state_names[state];
}

const char *incarnation_event_name(enum incarnation_event event)
{
    return event_names[event];
}
