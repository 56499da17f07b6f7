#ifndef FSD_DAEMON_POOL_SLOT_H
#define FSD_DAEMON_POOL_SLOT_H

#include <stdbool.h>

/* The life of one slot.  A slot has at most one current worker (it serves), at most one next (it starts), and leavers. */
enum slot_state {
    SLOT_EMPTY,     /* not started, or everybody has left */
    SLOT_STARTING,  /* no current; next is on its way */
    SLOT_READY,     /* current serves */
    SLOT_REPLACING, /* current serves, next is on its way to take over */
    SLOT_BACKOFF,   /* nobody serves; waits before it starts the next */
    SLOT_HELD,      /* nobody serves, and nobody is started before the pool says so */
    SLOT_DONE,      /* its worker has ended, and was not to be restarted */
    SLOT_LEAVING,   /* told to stop; waits for the leavers */
};
enum { SLOT_STATES = SLOT_LEAVING + 1 };

enum slot_event {
    SLOT_ON_START,        /* order: get a worker */
    SLOT_ON_NEXT_READY,   /* next became ACTIVE */
    SLOT_ON_NEXT_LOST,    /* next died, was refused, was too slow or could not be started */
    SLOT_ON_CURRENT_LOST, /* current died or broke the contract */
    SLOT_ON_RETRY,        /* the wait is over, or the pool probes */
    SLOT_ON_HOLD,         /* the pool has given up: no more restarts */
    SLOT_ON_FINISH,       /* the worker that was lost is not to be restarted */
    SLOT_ON_REPLACE,      /* order: get another worker, then let the old one go */
    SLOT_ON_CANCEL,       /* order: drop the next that is on its way */
    SLOT_ON_STOP,         /* order: let everybody finish and go */
    SLOT_ON_KILL,         /* order: end everybody now */
    SLOT_ON_LAST_GONE,    /* no process is left */
};
enum { SLOT_EVENTS = SLOT_ON_LAST_GONE + 1 };

enum slot_action {
    SLOT_DO_NOTHING,
    SLOT_START_NEXT,
    SLOT_RESTART_NEXT,   /* end the next that is on its way, start another */
    SLOT_DROP_NEXT,      /* end the next that is on its way */
    SLOT_DROP_AND_RETRY, /* ... and start another one soon */
    SLOT_PROMOTE,        /* next becomes current */
    SLOT_SWAP,           /* next becomes current, the old current drains */
    SLOT_DECIDE,         /* tell what was lost; then RETRY at once or later, HOLD, or FINISH */
    SLOT_STOP_WAITING,   /* no retry */
    SLOT_TELL_FAILED,    /* next is lost, current goes on */
    SLOT_TELL_DIED,      /* current is lost, next takes over when it is ready */
    SLOT_DRAIN_ALL,
    SLOT_KILL_ALL,
    SLOT_TELL_EMPTY,
};

struct slot_row {
    enum slot_state state;
    enum slot_event event;
    enum slot_state next;
    enum slot_action action;
};

/* The row of a pair, or NULL: the pair must not happen, the caller logs it as an error and does nothing. */
const struct slot_row *slot_find(enum slot_state state, enum slot_event event);
/* Is somebody serving? */
bool slot_is_serving(enum slot_state state);
const char *slot_state_name(enum slot_state state);
const char *slot_event_name(enum slot_event event);

#endif
