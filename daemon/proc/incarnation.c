/* incarnation.c - the life of one worker process, as rows.
 * Owns the table and nothing else.  proc.c translates what it sees (messages, timers, the pidfd) into events, finds the row,
 * takes the next state and carries out the action.  Pairs that are not in the table must not happen; what only a
 * disobedient worker can cause counts as ON_BROKEN there.
 * Pure: no system call, no clock, no log.  Must not know how a worker is started or which slot it serves. */
#include "daemon/proc/incarnation.h"

#include <stddef.h>

#define QUIET LOG_LEVEL_DEBUG, NULL, NULL

/* Short names keep a row on a line. */
#define ROW(state, event, next, action, ...)                                                       \
    {                                                                                              \
        INCARNATION_##state, INCARNATION_ON_##event, INCARNATION_##next, INCARNATION_##action,     \
            __VA_ARGS__                                                                            \
    }

static const struct incarnation_row rows[] = {
    ROW(SPAWNED, HELLO, LOADING, HAND_OUT, QUIET),
    ROW(SPAWNED, MISMATCH, KILLED, FAIL, LOG_LEVEL_ERROR, "worker.refused", "worker is refused"),
    ROW(SPAWNED, DRAIN, KILLED, KILL, QUIET),
    ROW(SPAWNED, STOP, KILLED, KILL, QUIET),
    ROW(SPAWNED, BOOT_TIMEOUT, DYING, ABORT, LOG_LEVEL_ERROR, "worker.boot_timeout",
        "worker that does not start is given up"),
    ROW(SPAWNED, LEAVE, SPAWNED, DO_NOTHING, QUIET),
    ROW(SPAWNED, DYING, DYING, AWAIT_END, LOG_LEVEL_ERROR, "worker.died",
        "worker died while starting"),
    ROW(SPAWNED, BROKEN, KILLED, FAIL, LOG_LEVEL_ERROR, "worker.broken",
        "worker broke the protocol"),
    ROW(SPAWNED, CLOSED, HUNG_UP, AWAIT_EXIT, QUIET),
    ROW(SPAWNED, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker.died",
        "worker died while starting"),

    ROW(LOADING, LOADED, LOADED, TELL_LOADED, QUIET),
    ROW(LOADING, REFUSED, KILLED, FAIL, LOG_LEVEL_ERROR, "worker.refused",
        "worker cannot load the code"),
    ROW(LOADING, DRAIN, KILLED, KILL, QUIET),
    ROW(LOADING, STOP, KILLED, KILL, QUIET),
    ROW(LOADING, BOOT_TIMEOUT, DYING, ABORT, LOG_LEVEL_ERROR, "worker.boot_timeout",
        "worker that does not finish loading is given up"),
    ROW(LOADING, LEAVE, LOADING, DO_NOTHING, QUIET),
    ROW(LOADING, DYING, DYING, AWAIT_END, LOG_LEVEL_ERROR, "worker.died",
        "worker died while loading"),
    ROW(LOADING, BROKEN, KILLED, FAIL, LOG_LEVEL_ERROR, "worker.broken",
        "worker broke the protocol"),
    ROW(LOADING, CLOSED, HUNG_UP, AWAIT_EXIT, QUIET),
    ROW(LOADING, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker.died",
        "worker died while loading"),

    ROW(LOADED, ACTIVATE, ACTIVATING, ACTIVATE, QUIET),
    ROW(LOADED, PREPARED, LOADED, TELL_ANSWER, QUIET),
    ROW(LOADED, REJECTED, LOADED, TELL_ANSWER, QUIET),
    ROW(LOADED, COMMITTED, LOADED, TELL_ANSWER, QUIET),
    ROW(LOADED, LEAVE, KILLED, FAIL, LOG_LEVEL_INFO, "worker.leave",
        "worker in reserve was told to leave by a signal"),
    ROW(LOADED, DRAIN, KILLED, KILL, QUIET),
    ROW(LOADED, STOP, KILLED, KILL, QUIET),
    ROW(LOADED, HANG, DYING, ABORT, LOG_LEVEL_ERROR, "worker.hung", "worker in reserve hangs"),
    ROW(LOADED, DYING, DYING, AWAIT_END, LOG_LEVEL_ERROR, "worker.died", "worker in reserve died"),
    ROW(LOADED, BROKEN, KILLED, FAIL, LOG_LEVEL_ERROR, "worker.broken",
        "worker broke the protocol"),
    ROW(LOADED, CLOSED, HUNG_UP, AWAIT_EXIT, QUIET),
    ROW(LOADED, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker.died",
        "worker in reserve died"),

    ROW(ACTIVATING, ACTIVE, ACTIVE, TELL_READY, LOG_LEVEL_NOTICE, "worker.ready",
        "worker is ready"),
    ROW(ACTIVATING, REFUSED, KILLED, FAIL, LOG_LEVEL_ERROR, "worker.refused",
        "worker cannot start the code"),
    ROW(ACTIVATING, PREPARED, ACTIVATING, TELL_ANSWER, QUIET),
    ROW(ACTIVATING, REJECTED, ACTIVATING, TELL_ANSWER, QUIET),
    ROW(ACTIVATING, COMMITTED, ACTIVATING, TELL_ANSWER, QUIET),
    ROW(ACTIVATING, DRAIN, DRAINING, SEND_DRAIN, QUIET),
    ROW(ACTIVATING, STOP, KILLED, KILL, QUIET),
    ROW(ACTIVATING, BOOT_TIMEOUT, DYING, ABORT, LOG_LEVEL_ERROR, "worker.boot_timeout",
        "worker that does not begin to serve is given up"),
    ROW(ACTIVATING, LEAVE, ACTIVATING, DO_NOTHING, QUIET),
    ROW(ACTIVATING, DYING, DYING, AWAIT_END, LOG_LEVEL_ERROR, "worker.died",
        "worker died while starting"),
    ROW(ACTIVATING, BROKEN, KILLED, FAIL, LOG_LEVEL_ERROR, "worker.broken",
        "worker broke the protocol"),
    ROW(ACTIVATING, CLOSED, HUNG_UP, AWAIT_EXIT, QUIET),
    ROW(ACTIVATING, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker.died",
        "worker died while starting"),

    ROW(ACTIVE, PREPARED, ACTIVE, TELL_ANSWER, QUIET),
    ROW(ACTIVE, REJECTED, ACTIVE, TELL_ANSWER, QUIET),
    ROW(ACTIVE, COMMITTED, ACTIVE, TELL_ANSWER, QUIET),
    ROW(ACTIVE, LEAVE, ACTIVE, TELL_LEAVE, LOG_LEVEL_NOTICE, "worker.leave",
        "worker was told to leave by a signal"),
    ROW(ACTIVE, DRAIN, DRAINING, SEND_DRAIN, LOG_LEVEL_INFO, "worker.draining",
        "worker is told to leave"),
    ROW(ACTIVE, STOP, KILLED, KILL, QUIET),
    ROW(ACTIVE, HANG, DYING, ABORT, LOG_LEVEL_ERROR, "worker.hung", "worker hangs"),
    ROW(ACTIVE, DYING, DYING, AWAIT_END, LOG_LEVEL_ERROR, "worker.died", "worker died"),
    ROW(ACTIVE, BROKEN, KILLED, FAIL, LOG_LEVEL_ERROR, "worker.broken",
        "worker broke the protocol"),
    ROW(ACTIVE, CLOSED, HUNG_UP, AWAIT_EXIT, QUIET),
    ROW(ACTIVE, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker.died", "worker died"),

    /* ACTIVE may have crossed DRAIN on its way, so may the others */
    ROW(DRAINING, REFUSED, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, ACTIVE, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, WITHDRAWN, DRAINING, TELL_WITHDRAWN, QUIET),
    ROW(DRAINING, PREPARED, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, REJECTED, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, COMMITTED, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, LEAVE, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, DYING, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, DRAIN, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, STOP, KILLED, KILL, QUIET),
    ROW(DRAINING, SHUTDOWN_TIMEOUT, KILLED, KILL, LOG_LEVEL_WARNING, "worker.shutdown_timeout",
        "worker is killed"),
    ROW(DRAINING, BROKEN, KILLED, KILL, LOG_LEVEL_WARNING, "worker.broken",
        "worker broke the protocol"),
    ROW(DRAINING, CLOSED, DRAINING, DO_NOTHING, QUIET),
    ROW(DRAINING, EXITED, GONE, TELL_GONE, LOG_LEVEL_INFO, "worker.left", "worker left"),

    /* one that could be told nothing more may have said something before */
    ROW(HUNG_UP, HELLO, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, MISMATCH, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, LOADED, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, REFUSED, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, ACTIVE, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, WITHDRAWN, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, PREPARED, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, REJECTED, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, COMMITTED, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, LEAVE, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, DYING, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, DRAIN, KILLED, KILL, QUIET),
    ROW(HUNG_UP, STOP, KILLED, KILL, QUIET),
    ROW(HUNG_UP, SHUTDOWN_TIMEOUT, KILLED, FAIL, LOG_LEVEL_ERROR, "worker.died",
        "worker is killed"),
    ROW(HUNG_UP, BROKEN, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, CLOSED, HUNG_UP, DO_NOTHING, QUIET),
    ROW(HUNG_UP, EXITED, GONE, FAIL_AND_GONE, LOG_LEVEL_ERROR, "worker.died", "worker died"),

    /* the owner knows that it is lost; it writes down why, if it still can */
    ROW(DYING, HELLO, DYING, DO_NOTHING, QUIET),
    ROW(DYING, MISMATCH, DYING, DO_NOTHING, QUIET),
    ROW(DYING, LOADED, DYING, DO_NOTHING, QUIET),
    ROW(DYING, REFUSED, DYING, DO_NOTHING, QUIET),
    ROW(DYING, ACTIVE, DYING, DO_NOTHING, QUIET),
    ROW(DYING, WITHDRAWN, DYING, DO_NOTHING, QUIET),
    ROW(DYING, PREPARED, DYING, DO_NOTHING, QUIET),
    ROW(DYING, REJECTED, DYING, DO_NOTHING, QUIET),
    ROW(DYING, COMMITTED, DYING, DO_NOTHING, QUIET),
    ROW(DYING, LEAVE, DYING, DO_NOTHING, QUIET),
    ROW(DYING, DYING, DYING, DO_NOTHING, QUIET),
    ROW(DYING, DRAIN, DYING, DO_NOTHING, QUIET),
    ROW(DYING, STOP, KILLED, KILL, QUIET),
    ROW(DYING, SHUTDOWN_TIMEOUT, KILLED, KILL, QUIET),
    ROW(DYING, BROKEN, DYING, DO_NOTHING, QUIET),
    ROW(DYING, CLOSED, DYING, DO_NOTHING, QUIET),
    ROW(DYING, EXITED, GONE, TELL_GONE, QUIET),

    /* whatever was on its way does not matter any more */
    ROW(KILLED, HELLO, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, MISMATCH, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, LOADED, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, REFUSED, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, ACTIVE, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, WITHDRAWN, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, PREPARED, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, REJECTED, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, COMMITTED, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, LEAVE, KILLED, DO_NOTHING, QUIET),
    ROW(KILLED, DYING, KILLED, DO_NOTHING, QUIET),
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
    "spawned",  "loading", "loaded", "activating", "active",
    "draining", "hung up", "dying",  "killed",     "gone",
};
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == INCARNATION_STATES, "one a state");

static const char *const event_names[] = {
    "hello",        "mismatch",         "loaded",   "refused",   "active",
    "withdrawn",    "prepared",         "rejected", "committed", "leave",
    "dying",        "activate",         "drain",    "stop",      "hang",
    "boot timeout", "shutdown timeout", "broken",   "closed",    "exited",
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
    return event <= INCARNATION_ON_DYING;
}

bool incarnation_is_booting(enum incarnation_state state)
{
    return state <= INCARNATION_LOADING || state == INCARNATION_ACTIVATING;
}

const char *incarnation_state_name(enum incarnation_state state)
{
    return state_names[state];
}

const char *incarnation_event_name(enum incarnation_event event)
{
    return event_names[event];
}
