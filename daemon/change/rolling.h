#ifndef FSD_DAEMON_CHANGE_ROLLING_H
#define FSD_DAEMON_CHANGE_ROLLING_H

#include <stddef.h>

/* Moving all slots to a new generation, one at a time. */
enum rolling_state {
    ROLLING_IDLE,
    ROLLING_LOADING,   /* the bundles are being made; nothing has changed yet */
    ROLLING_MOVING,    /* slots before .at have the new generation, .at is on its way */
    ROLLING_REVERTING, /* .at is on its way back, slots before it follow */
};
enum { ROLLING_STATES = ROLLING_REVERTING + 1 };

enum rolling_event {
    ROLLING_ON_START,
    ROLLING_ON_LOADED,
    ROLLING_ON_LOAD_FAILED,
    ROLLING_ON_SLOT_READY,  /* a slot's new worker serves */
    ROLLING_ON_SLOT_FAILED, /* a slot's new worker did not get that far */
    ROLLING_ON_SLOT_DIED,   /* a slot lost the worker that served */
    ROLLING_ON_STOP,        /* the daemon ends, or is drained */
};
enum { ROLLING_EVENTS = ROLLING_ON_STOP + 1 };

struct rolling {
    enum rolling_state state;
    size_t total; /* slots, at least 1 */
    size_t at;
};

enum rolling_action {
    ROLLING_DO_NOTHING,
    ROLLING_LOAD,      /* make the bundles */
    ROLLING_MOVE,      /* replace the slot's worker by one of the new generation */
    ROLLING_MOVE_BACK, /* ... of the old generation */
    ROLLING_COMMIT,    /* done: the new generation is the running one */
    ROLLING_ABORT,     /* done: the new generation is dropped */
};

struct rolling_order {
    enum rolling_action action;
    size_t slot; /* of MOVE and MOVE_BACK */
};

/* Every event may come in every state; those of slots that are not at stake change nothing.  slot: of ON_SLOT_*, counted over
 * all pools.  Each MOVE and MOVE_BACK must be followed by one READY or FAILED of that slot, else nothing goes on. */
struct rolling_order rolling_step(struct rolling *rolling, enum rolling_event event, size_t slot);

#endif
