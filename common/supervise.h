#ifndef FSD_COMMON_SUPERVISE_H
#define FSD_COMMON_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/supervise_child.h"
#include "common/supervise_list.h"
#include "common/supervise_window.h"

/* The rules of OTP's supervisor (erlang.org/doc/man/supervisor), as a pure module. */

/* Which children are restarted when one of them ends. */
enum supervise_strategy {
    SUPERVISE_ONE_FOR_ONE,  /* that one */
    SUPERVISE_ONE_FOR_ALL,  /* all of them */
    SUPERVISE_REST_FOR_ONE, /* that one, and those that were started after it */
};

/* Whether a significant child that ends and is not to be restarted ends the supervisor. */
enum supervise_auto_shutdown {
    SUPERVISE_NEVER,
    SUPERVISE_ANY_SIGNIFICANT,
    SUPERVISE_ALL_SIGNIFICANT, /* the last one of them does */
};

struct supervise_flags {
    enum supervise_strategy strategy;
    /* simple_one_for_one: strategy is ONE_FOR_ONE, children come by supervise_start_child only and have one shutdown_ms,
     * leave no specification behind, and are stopped all at once. */
    bool is_simple;
    uint32_t intensity; /* more restarts than this, or SUPERVISE_UNLIMITED */
    uint32_t period_ms; /* within this time are too many; at least 1 */
    enum supervise_auto_shutdown auto_shutdown;
};

/* Why a supervisor ended.  Its own supervisor sees the exit reason "shutdown", but for START_FAILED, which is a failed start. */
enum supervise_end {
    SUPERVISE_END_TOLD,          /* supervise_stop */
    SUPERVISE_END_START_FAILED,  /* a child failed when all were started first */
    SUPERVISE_END_INTENSITY,     /* more restarts than allowed */
    SUPERVISE_END_AUTO_SHUTDOWN, /* significant children ended */
};

enum supervise_action_kind {
    SUPERVISE_DO_START, /* start the child; answer with one of on_started, on_ignored, on_failed */
    SUPERVISE_DO_STOP,  /* tell the child to end; answer with on_exited */
    SUPERVISE_DO_KILL,  /* end the child now; answer with on_exited */
    SUPERVISE_DO_RETRY, /* for information: a restart failed; it is tried again at the next supervise_next, until which
                            requests may come first */
    SUPERVISE_DO_FORGET, /* the child's specification is gone, its id is free */
    SUPERVISE_DO_READY,  /* all children were started for the first time */
    SUPERVISE_DO_END,    /* all children have ended, and the supervisor with them */
};

struct supervise_action {
    enum supervise_action_kind kind;
    uint32_t id;            /* the child; SUPERVISE_NONE in READY and END */
    uint32_t shutdown_ms;   /* of STOP: KILL follows after this time */
    enum supervise_end end; /* of END */
};

/* What the supervisor is doing; it does one thing at a time.  From ENDING on nothing is started any more. */
enum supervise_phase {
    SUPERVISE_NEW,
    SUPERVISE_FIRST_START, /* starting all, one after another */
    SUPERVISE_READY,       /* waiting for news */
    SUPERVISE_CLEARING,    /* stopping those that are to be restarted with the one that failed */
    SUPERVISE_RESTARTING,  /* starting them again */
    SUPERVISE_RESTARTING_ONE,
    SUPERVISE_ADDING,         /* start_child */
    SUPERVISE_RESUMING,       /* restart_child */
    SUPERVISE_TERMINATING,    /* terminate_child */
    SUPERVISE_ENDING,         /* stopping all, one after another, the last one first */
    SUPERVISE_ENDING_AT_ONCE, /* simple: stopping all */
    SUPERVISE_KILLING_ALL,    /* simple: ... took too long */
    SUPERVISE_ENDED,
};

struct supervise {
    struct supervise_flags flags;
    struct supervise_child *children; /* borrowed; indexed by id */
    uint32_t capacity;
    uint32_t active;      /* children that are neither absent nor idle */
    uint32_t significant; /* ... and significant */
    struct supervise_list order;
    struct supervise_list queue;
    struct supervise_window window;
    enum supervise_phase phase;
    enum supervise_end end; /* valid from ENDING on */
    bool is_told_to_stop;
    bool is_ready_told;   /* READY was given out */
    uint32_t at;          /* the child that the phase is at, or SUPERVISE_NONE */
    uint32_t from;        /* of CLEARING: the first child to be stopped; SUPERVISE_NONE: all are */
    uint64_t deadline_ms; /* of the child that is STOPPING */
};

/* children: capacity of them, all zero; times: as for the window.  Both are borrowed for the supervisor's life; nothing is
 * to be freed.  A supervisor that ended, or was never started, may be initialised again. */
void supervise_init(struct supervise *supervise, const struct supervise_flags *flags,
                    struct supervise_child *children, uint32_t capacity, uint64_t *times);
/* The owner has copied the children to a bigger array. */
void supervise_move(struct supervise *supervise, struct supervise_child *children,
                    uint32_t capacity);
/* 0, or -EINVAL: significant goes neither with permanent nor with auto_shutdown never. */
int supervise_check(const struct supervise_flags *flags, const struct supervise_spec *spec);
/* Specifies a child before the start; the order of calls is the start order.  0, -EINVAL (supervise_check), -ERANGE (id
 * beyond capacity), -EEXIST (id is taken), -EBUSY (started already; or simple: use supervise_start_child). */
int supervise_add(struct supervise *supervise, uint32_t id, const struct supervise_spec *spec);
/* Begins to start the children; supervise_next says what is to be done. */
void supervise_start(struct supervise *supervise);
/* Ends all children and the supervisor.  A child that is starting is not waited for, but stopped like a running one. */
void supervise_stop(struct supervise *supervise);

/* What happened to a child.  0, or -EPROTO: it can't have, nothing has changed. */
/* Beyond OTP, whose starts don't take long: on_delayed says that this one does.  It is still waited for; but when a child that
 * had started fails meanwhile, one_for_all and rest_for_one deal with that at once, and go through the start again. */
int supervise_on_delayed(struct supervise *supervise, uint32_t id);
int supervise_on_started(struct supervise *supervise, uint32_t id);
int supervise_on_ignored(struct supervise *supervise, uint32_t id);
int supervise_on_failed(struct supervise *supervise, uint32_t id);
int supervise_on_exited(struct supervise *supervise, uint32_t id, enum supervise_reason reason);

/* What is to be done next; to be called until it returns false: after each of the calls above and below, and when the time
 * of supervise_wake_ms has come. */
bool supervise_next(struct supervise *supervise, uint64_t now_ms, struct supervise_action *ret);
/* When supervise_next must be called although nothing happened; UINT64_MAX: no need. */
uint64_t supervise_wake_ms(const struct supervise *supervise);

/* OTP's requests.  Any of them: -EAGAIN while the supervisor is at work (supervise_is_idle), -ESHUTDOWN when it ends or has
 * ended, -ENOENT for an id without specification, -EOPNOTSUPP for one that a simple supervisor does not know. */
/* A new child at the end of the order.  Also -EINVAL, -ERANGE; -EALREADY (already started), -EEXIST (already present). */
int supervise_start_child(struct supervise *supervise, uint32_t id,
                          const struct supervise_spec *spec);
/* Ends a child; its specification stays (temporary: goes), and no restart that is due takes place. */
int supervise_terminate_child(struct supervise *supervise, uint32_t id);
/* Starts an idle child.  Also -EALREADY (running), -EINPROGRESS (restarting). */
int supervise_restart_child(struct supervise *supervise, uint32_t id);
/* Forgets an idle child at once, without an action.  Also -EALREADY (running), -EINPROGRESS (restarting). */
int supervise_delete_child(struct supervise *supervise, uint32_t id);

/* What a change of code brings, beyond OTP, whose release handler would send requests; as these, but for a supervisor that is idle:
 * -EAGAIN, -ESHUTDOWN, -ENOENT, -EOPNOTSUPP, -EINVAL. */
/* Other flags, but not another kind of supervisor; times: as for the window, which takes over the restarts that it knows.  The old times
 * are not used any more.  Without auto_shutdown no child stays significant. */
int supervise_change_flags(struct supervise *supervise, const struct supervise_flags *flags,
                           uint64_t *times);
/* Another specification for a child, whether it runs or not: counts from its end, or its order to end, on. */
int supervise_change_child(struct supervise *supervise, uint32_t id,
                           const struct supervise_spec *spec);
/* A child more that does not run yet, at the end of the start order.  Also -ERANGE, -EEXIST. */
int supervise_include_child(struct supervise *supervise, uint32_t id,
                            const struct supervise_spec *spec);
/* Starts an idle child as if it were to be restarted, so that a start that fails is tried again and counted; nothing happens to one that
 * is not idle. */
int supervise_recover_child(struct supervise *supervise, uint32_t id);
/* Makes a child the last one of the start order. */
int supervise_put_last(struct supervise *supervise, uint32_t id);

/* Reads.  The children in start order: supervise_first, then supervise_after each, until SUPERVISE_NONE. */
struct supervise_counts {
    uint32_t specs, active, supervisors, workers;
};
bool supervise_is_idle(const struct supervise *supervise);
uint32_t supervise_first(const struct supervise *supervise);
uint32_t supervise_after(const struct supervise *supervise, uint32_t id);
enum supervise_state supervise_state(const struct supervise *supervise, uint32_t id);
struct supervise_counts supervise_count(const struct supervise *supervise);

#endif
