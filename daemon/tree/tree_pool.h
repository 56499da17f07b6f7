#ifndef FSD_DAEMON_TREE_TREE_POOL_H
#define FSD_DAEMON_TREE_TREE_POOL_H

/* What the tree knows of a pool. */
enum tree_pool_state {
    TREE_POOL_DOWN,     /* not ordered to run, or gone after an order to stop */
    TREE_POOL_WAITING,  /* is to run, but not before what it names in `after` is up */
    TREE_POOL_STARTING, /* was ordered to start */
    TREE_POOL_UP,       /* serves */
    TREE_POOL_HELD,     /* gave up; answers 503, and is probed by itself */
    TREE_POOL_STOPPING, /* was ordered to stop */
};
enum { TREE_POOL_STATES = TREE_POOL_STOPPING + 1 };

enum tree_pool_event {
    TREE_POOL_WAIT,  /* the tree wants it to run later */
    TREE_POOL_START, /* ... to run */
    TREE_POOL_HOLD,  /* ... to be probed, because it, or its supervisor, gave up */
    TREE_POOL_STOP,
    TREE_POOL_ON_UP,
    TREE_POOL_ON_GAVE_UP,
    TREE_POOL_ON_DOWN,
};
enum { TREE_POOL_EVENTS = TREE_POOL_ON_DOWN + 1 };

enum tree_pool_action {
    TREE_POOL_DO_NOTHING,
    TREE_POOL_ORDER_START,
    TREE_POOL_ORDER_HOLD,
    TREE_POOL_ORDER_STOP,
    TREE_POOL_TELL_UP,    /* its supervisor: has started, nothing of its past counts */
    TREE_POOL_TELL_HELD,  /* ... is held in its place, without having failed */
    TREE_POOL_TELL_WAITS, /* ... waits */
    TREE_POOL_TELL_FAILED,
    TREE_POOL_TELL_GONE,
    TREE_POOL_REMEMBER, /* that it gave up: the next start is a probe */
};

struct tree_pool_row {
    enum tree_pool_state state;
    enum tree_pool_event event;
    enum tree_pool_state next;
    enum tree_pool_action action;
};

/* The row of a pair, or NULL: the pair must not happen. */
const struct tree_pool_row *tree_pool_find(enum tree_pool_state state, enum tree_pool_event event);
const char *tree_pool_state_name(enum tree_pool_state state);
const char *tree_pool_event_name(enum tree_pool_event event);

#endif
