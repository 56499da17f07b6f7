#ifndef FSD_DAEMON_CHANGE_PLAN_H
#define FSD_DAEMON_CHANGE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

struct conf;

/* What has to happen so that one configuration takes the place of another. */
enum plan_action {
    PLAN_OPEN,  /* a listener is new, or has a new address (then the old one is closed as well) */
    PLAN_KEEP,  /* its address is the same, so is its socket; its name or its pool is not */
    PLAN_START, /* a pool is new */
    PLAN_REPLACE, /* a pool's workers must be new processes; they then have all that UPDATE would bring */
    PLAN_UPDATE,        /* a pool's workers take it over while they run; never beside REPLACE */
    PLAN_SCALE,         /* a pool has another number of workers */
    PLAN_ADJUST,        /* of a pool or a supervisor: concerns the master alone */
    PLAN_STOP,          /* a pool is gone */
    PLAN_CLOSE,         /* a listener is gone, or its address is */
    PLAN_MASTER,        /* the master's own log */
    PLAN_NEEDS_RESTART, /* is not applied: only a restart of the daemon can */
};
enum { PLAN_ACTIONS = PLAN_NEEDS_RESTART + 1 };

/* A shared dictionary is opened (new), replaced (another size: it starts empty) or closed (gone). */
enum plan_kind { PLAN_LISTENER, PLAN_POOL, PLAN_SUPERVISOR, PLAN_SHARED, PLAN_KEY };

enum { PLAN_DETAIL_MAX = 512, PLAN_WHAT_MAX = 96 };

struct plan_row {
    enum plan_action action;
    enum plan_kind kind;
    char *name; /* owned; of a key: "log.level" */
    /* Of what name stands for, in the old and the new conf; SIZE_MAX: not there, and for keys. */
    size_t from_index;
    size_t to_index;
    /* "count 2 -> 4"; what is new or gone may have none; no secrets */
    char detail[PLAN_DETAIL_MAX];
};

/* Rows in the order of the actions above, but the rows of one pool stand together (START, or REPLACE, UPDATE, SCALE, ADJUST), pools
 * in the order of the new conf, then the supervisors, then the shared dictionaries. */
struct plan {
    struct plan_row *rows; /* owned array */
    size_t count;          /* 0: nothing changes */
    size_t capacity;
};

/* Compares two checked configurations.  0 or -ENOMEM; the caller ends the plan with plan_fini.  The plan borrows nothing. */
int plan_make(const struct conf *from, const struct conf *to, struct plan *ret_plan);
/* Accepts a zeroed plan; the plan is empty afterwards. */
void plan_fini(struct plan *plan);
/* NULL: nothing of the sort happens to that pool. */
const struct plan_row *plan_find(const struct plan *plan, const char *pool,
                                 enum plan_action action);
/* Is there anything to be applied, were it only a comment?  What needs a restart is not.  plan: of these two. */
bool plan_would_change(const struct plan *plan, const struct conf *from, const struct conf *to);
/* "open", ..., "needs-restart". */
const char *plan_action_format(enum plan_action action);
/* What a row is about: "pool web", "listener http", "log.level". */
void plan_describe(const struct plan_row *row, char what[PLAN_WHAT_MAX]);

#endif
