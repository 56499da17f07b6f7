#ifndef FSD_COMMON_SUPERVISE_CHILD_H
#define FSD_COMMON_SUPERVISE_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/supervise_list.h"

struct supervise;

enum supervise_restart {
    SUPERVISE_PERMANENT, /* always */
    SUPERVISE_TRANSIENT, /* only when it ended abnormally */
    SUPERVISE_TEMPORARY, /* never; its specification is forgotten */
};

/* How long a child may take to end: milliseconds, or one of these. */
#define SUPERVISE_BRUTAL_KILL 0
#define SUPERVISE_INFINITY    UINT32_MAX

/* How a child ended. */
enum supervise_reason {
    SUPERVISE_NORMAL,
    SUPERVISE_SHUTDOWN, /* it was told to, or it is a supervisor that gave up */
    SUPERVISE_ABNORMAL,
    SUPERVISE_REPLACED, /* to run other code: it is restarted unless it is temporary, and that does not count */
};

/* What a child is to be; all zero is a permanent one that is killed to end it. */
struct supervise_spec {
    enum supervise_restart restart;
    uint32_t shutdown_ms; /* or SUPERVISE_BRUTAL_KILL, SUPERVISE_INFINITY */
    bool is_supervisor;   /* only counted; its shutdown_ms ought to be SUPERVISE_INFINITY */
    bool is_significant;  /* its end may be the supervisor's, see enum supervise_auto_shutdown */
};

/* The life of one child, as its supervisor sees it. */
enum supervise_state {
    SUPERVISE_ABSENT,   /* no specification */
    SUPERVISE_IDLE,     /* specified, not running */
    SUPERVISE_STARTING, /* START was ordered; awaits what comes of it */
    SUPERVISE_DELAYED,  /* ... which will take long: the failures of others come first */
    SUPERVISE_RUNNING,
    SUPERVISE_IGNORED,  /* did not want to run; to be dealt with */
    SUPERVISE_FAILED,   /* could not be started; to be dealt with */
    SUPERVISE_DIED,     /* ended by itself; waits in the queue */
    SUPERVISE_RETRYING, /* its restart failed; waits in the queue for the next try */
    SUPERVISE_STOPPING, /* STOP was ordered; awaits its end, or that it takes too long */
    SUPERVISE_KILLING,  /* KILL was ordered; awaits its end */
};
enum { SUPERVISE_STATES = SUPERVISE_KILLING + 1 };

enum supervise_event {
    SUPERVISE_ADD,    /* the owner specifies it */
    SUPERVISE_REMOVE, /* the specification goes */
    SUPERVISE_START,  /* the supervisor wants it to run */
    SUPERVISE_STOP,   /* ... to end */
    SUPERVISE_KILL,   /* ... to end now, at once or because STOP took too long */
    SUPERVISE_SETTLE, /* the supervisor has dealt with its news */
    SUPERVISE_RETRY,  /* the supervisor puts off the next try */
    SUPERVISE_ON_DELAYED,
    SUPERVISE_ON_STARTED,
    SUPERVISE_ON_IGNORED,
    SUPERVISE_ON_FAILED, /* to start */
    SUPERVISE_ON_EXITED,
};
enum { SUPERVISE_EVENTS = SUPERVISE_ON_EXITED + 1 };

enum supervise_effect {
    SUPERVISE_DO_NOTHING,
    SUPERVISE_DO_JOIN,    /* becomes the last in start order */
    SUPERVISE_DO_LEAVE,   /* leaves the start order */
    SUPERVISE_DO_QUEUE,   /* its news wait behind those of others */
    SUPERVISE_DO_UNQUEUE, /* its news are dealt with, or of no interest any more */
};

struct supervise_row {
    enum supervise_state state;
    enum supervise_event event;
    enum supervise_state next;
    enum supervise_effect effect;
};

/* One child; the owner gives the memory, an array indexed by id that is all zero at first. */
struct supervise_child {
    struct supervise_spec spec;
    enum supervise_state state;
    enum supervise_reason reason; /* valid in SUPERVISE_DIED */
    struct supervise_link links[SUPERVISE_LISTS];
};

/* The row of a pair, or NULL: the pair must not happen. */
const struct supervise_row *supervise_child_find(enum supervise_state state,
                                                 enum supervise_event event);
/* Takes a child of the supervisor along its row; false: there is none, and nothing has changed. */
bool supervise_child_step(struct supervise *supervise, uint32_t id, enum supervise_event event);
const char *supervise_child_state_name(enum supervise_state state);
const char *supervise_child_event_name(enum supervise_event event);

#endif
