#ifndef FSD_DAEMON_POOL_POOL_H
#define FSD_DAEMON_POOL_POOL_H

#include <stdbool.h>

#include "common/backoff.h"
#include "common/supervise_window.h"
#include "daemon/conf/conf.h"
#include "daemon/pool/slot.h"
#include "daemon/proc/proc.h"

struct app;
struct listener;
struct master;
struct pool;
struct pool_slot;
struct privilege;
struct shared_set;

enum {
    POOL_SLOTS_MAX = 64,
    POOL_SLOT_PROCS_MAX = 4, /* current, next, and two that leave */
    POOL_TEXT_MAX = 160,
};

/* One process of a pool. */
struct pool_proc {
    struct proc proc;
    struct pool *pool;      /* borrowed */
    struct pool_slot *slot; /* borrowed; NULL: in reserve, or the one that answers 503 */
    uint64_t config;        /* number of the configuration that it has */
    bool has_withdrawn;     /* told to leave, it accepts nothing any more */
    /* wall clock: when the worker died that this one stands in for; 0: none did */
    uint64_t died_us;
    char next[POOL_TEXT_MAX]; /* what followed when it was lost, for its crash report */
};

/* One place for a worker. */
struct pool_slot {
    struct pool *pool; /* borrowed */
    unsigned index;
    enum slot_state state;
    struct backoff backoff;
    sd_event_source *retry_timer; /* owned; armed in SLOT_BACKOFF */
    uint64_t retry_at_ms;         /* monotonic; valid in SLOT_BACKOFF */
    struct pool_proc *current;    /* in the pool's procs, or NULL; so are the next four */
    struct pool_proc *next;
    struct pool_proc *withdrawing; /* READY is told when it accepts nothing more */
    struct pool_proc *borrower;    /* accepts for the slot, which nobody serves */
    uint64_t vacant_since_ms;      /* monotonic: nobody serves; 0: somebody does, or nobody shall */
    /* monotonic: retiring, and nothing was seen waiting at its sockets since; 0: not looked */
    uint64_t clear_since_ms;
    /* current when it was asked to prepare a change; NULL: none is under way */
    const struct pool_proc *asked;
    uint64_t renew_at_ms; /* monotonic; the next try to replace a worker that missed a change */
    bool awaits_commit;   /* next stays LOADED until pool_commit_slot */
    bool awaits_room;     /* next is not there yet: an older worker has to leave first */
    /* the worker that was lost had done good work: its place may be taken at once */
    bool had_proved;
    uint64_t wanted; /* generation that next is to have */
    uint64_t restarts;
    uint64_t requests_total; /* of the incarnations that are gone */
    uint64_t died_us;        /* wall clock: when the slot last lost a worker; 0: never */
    char last_exit[FSD_ERR_MAX];
};

enum pool_phase {
    POOL_IDLE,      /* not started, or everything has left */
    POOL_RUNNING,   /* every slot is to serve */
    POOL_HELD,      /* gave up: what still serves goes on, the rest answers 503; probed */
    POOL_SUSPENDED, /* waits for another pool: answers 503 */
    POOL_DRAINED,   /* by order; connections wait */
    POOL_LEAVING,   /* by order, for ever */
};

enum pool_news {
    POOL_SLOT_READY,    /* a new worker serves, and it alone */
    POOL_SLOT_FAILED,   /* a new worker did not get that far */
    POOL_SLOT_DIED,     /* a worker that served is lost */
    POOL_SLOT_PREPARED, /* after pool_prepare_slot: it can be committed */
    POOL_SLOT_REJECTED, /* the worker that serves does not take the change */
    POOL_SLOT_COMMITTED,
    POOL_SLOT_EMPTY, /* after an order to leave: the slot's last process is gone */
    POOL_UP,         /* all that is to serve serves, for the first time or after having been held */
    POOL_GAVE_UP,    /* it is held from now on; why is the cause */
    POOL_DOWN,       /* after pool_suspend: its last worker has left */
    POOL_PROC_ENDED, /* some process was reaped; proc is valid for the last time, why: what followed */
    POOL_REAPED,     /* ... and is free */
    POOL_WITHDRAWN,     /* a worker that leaves accepts nothing any more */
    POOL_PROC_LOST,     /* some process is no use any more; its slot knows it already */
    POOL_CODE_PREPARED, /* the answers of processes to pool_code_prepare and pool_code_commit */
    POOL_CODE_REJECTED,
    POOL_CODE_COMMITTED,
};
/* slot: LOG_SLOT_NONE where it is not about one.  proc: the worker in question, or NULL when it could not even be started; why: the
 * reason of FAILED, DIED, LOST and both REJECTED. */
typedef void (*pool_fn)(struct pool *pool, unsigned slot, enum pool_news news,
                        const struct proc *proc, const char *why);

/* What a pool needs from the daemon; borrowed for its life. */
struct pool_setting {
    sd_event *loop;
    struct log *log;
    const char *worker_path;
    const struct privilege *privilege;
    struct members *members; /* the workers of all pools that have actors */
    struct asks *asks;       /* what workers ask of the daemon */
    const int *access_fd;    /* where workers write the access log; NULL, or -1 there: nowhere */
    uint64_t *incarnations;  /* counts the processes of the whole daemon */
    pool_fn on_news;
    struct master *owner; /* for on_news; opaque here */
};

/* What a configuration says about a pool; borrowed, and valid until the next one is adopted. */
struct pool_conf {
    uint64_t number;
    const struct conf *whole;
    const struct conf_pool *own;
    struct app *app;
    struct listener *listeners[CONF_POOL_LISTENERS_MAX]; /* own->listener_count */
    struct shared_set *shared;
};

struct pool {
    struct pool_setting setting;
    char name[PROTO_NAME_MAX];
    struct proc_setting proc_setting;
    struct pool_conf conf;
    unsigned pending_count;
    struct pool_conf pending;                /* number 0: none is being prepared */
    struct pool_slot *slots[POOL_SLOTS_MAX]; /* owned; made of them exist */
    unsigned made;
    unsigned count;           /* of them are to serve; the others are leaving */
    struct pool_proc **procs; /* owned, POOL_SLOT_PROCS_MAX for each slot and some in reserve */
    size_t proc_count;
    bool is_start_failing; /* said so; no process can be made now, whatever it is for */
    enum pool_phase phase;
    bool is_down_told; /* of POOL_SUSPENDED */
    /* code is being changed in place: nobody begins to serve before that is decided */
    bool is_frozen;
    /* the last change took a listener away: old workers serve what waits there */
    bool empties_queues;
    bool was_up;                    /* POOL_UP was told since it was started or held */
    char cause[POOL_TEXT_MAX];      /* why it does not run */
    struct supervise_window window; /* of restarts */
    uint64_t window_times[CONF_INTENSITY_MAX];
    uint64_t probe_at_ms;  /* monotonic; of POOL_HELD */
    uint64_t probed_at_ms; /* monotonic: what became ready since then is the probe; 0: nothing */
    /* of POOL_HELD: the probe is an order of somebody who has done something about the cause */
    bool is_mended;
    struct pool_proc *unavailable; /* in procs, or NULL: answers 503 */
    uint64_t requests_gone;        /* of slots that are no more */
    struct backoff reserve_backoff;
    /* the last one for the reserve was lost; until another one is loaded */
    bool is_reserve_failing;
    uint64_t reserve_at_ms; /* monotonic: no standby is started before */
    struct backoff unavailable_backoff;
    uint64_t unavailable_at_ms; /* the same for the one that answers 503 */
    /* owned; runs pool_settle at the end of the turn, or when something is due */
    sd_event_source *settle;
    sd_event_source *due;
};

/* conf is copied.  0 or -ENOMEM. */
int pool_init(struct pool *pool, const struct pool_setting *setting, const struct pool_conf *conf,
              unsigned count);
/* Ends whatever is left.  All zero is fine. */
void pool_fini(struct pool *pool);

/* Before the start: slots above the count whose sockets an earlier daemon has left.  What waits there is served by the others, then
 * they retire.  0 or -ENOMEM. */
int pool_add_retiring(struct pool *pool, unsigned made);

/* Starts a worker of the running generation in every slot; also again after drain and suspend, or to end a hold. */
void pool_start(struct pool *pool);
/* Lets every worker finish and leave.  EMPTY of each slot follows. */
void pool_suspend(struct pool *pool, const char *cause);
/* Held from outside: answers 503, and is probed. */
void pool_order_hold(struct pool *pool, const char *cause);
void pool_drain(struct pool *pool);
/* The same for good; now: ends them at once. */
void pool_stop(struct pool *pool, bool now);

/* Starts another worker in a slot, of the given generation (the running one or the candidate); the old one drains when it is
 * ready.  READY or FAILED of the slot follows, possibly from inside the call. */
void pool_replace(struct pool *pool, unsigned slot, uint64_t generation);

/* The running generation is another one: what waits in reserve is out of date. */
void pool_refresh(struct pool *pool);

/* A change of configuration, in two phases: pool_pend says what it will be.  For every slot that takes part pool_prepare_slot (a
 * new worker is booted and waits) or pool_update_slot (the worker that serves is asked), then PREPARED, FAILED or REJECTED; then
 * pool_adopt and pool_commit_slot for each, then READY, COMMITTED or FAILED; or pool_cancel. */
int pool_pend(struct pool *pool, const struct pool_conf *conf, unsigned count, struct fsd_err *err);
void pool_prepare_slot(struct pool *pool, unsigned index);
void pool_update_slot(struct pool *pool, unsigned index);
void pool_adopt(struct pool *pool, unsigned count);
void pool_commit_slot(struct pool *pool, unsigned index);
void pool_cancel(struct pool *pool);
/* Its worker did not take what was committed: it is ended, and its successor has it. */
void pool_kill_slot(struct pool *pool, unsigned index);
/* The access log goes elsewhere from now on: tells all workers. */
void pool_give_access(struct pool *pool);

/* How a process stands to a change of code in place (pool_code.c). */
enum pool_code {
    POOL_CODE_APART,   /* it can't take part: it still boots, has no code, or is ending */
    POOL_CODE_SOON,    /* it can, or is known to be lost, in a moment */
    POOL_CODE_ABLE,    /* it can be asked */
    POOL_CODE_LEAVING, /* told to leave: it keeps what it has */
    POOL_CODE_LOST,
};
enum pool_code pool_code_judge(const struct pool_proc *which);
/* A change of code in place: pool_code_freeze, then pool_code_prepare for each process that takes part, whose answer is CODE_PREPARED,
 * CODE_REJECTED or PROC_LOST.  From the freeze on nobody begins to serve.  Then either the new code becomes the running one, all who have
 * prepared it get pool_code_commit, and then pool_code_thaw; or pool_code_abort, and pool_code_thaw. */
void pool_code_freeze(struct pool *pool);
void pool_code_prepare(struct pool_proc *which, uint64_t number);
void pool_code_commit(struct pool_proc *which);
void pool_code_abort(struct pool_proc *which);
/* Its time to prepare is over: POOL_CODE_REJECTED follows, with the place in the code, if it can say anything. */
void pool_code_cut(struct pool_proc *which);
/* For a pool in which nobody can be asked: boots a worker with the new code in a slot that nobody serves.  PREPARED of the slot when it is
 * loaded, or FAILED; it serves when it is thawed. */
struct pool_slot *pool_code_find_vacant(const struct pool *pool);
void pool_code_try(struct pool_slot *slot);
void pool_code_give_up(struct pool_slot *slot);
/* Who waited with the running code begins to serve, who waited with other code is replaced. */
void pool_code_thaw(struct pool *pool);
/* The running code is new: slots that nobody serves try it now, whatever they wait for. */
void pool_code_retry(struct pool *pool);
/* It did not take what was committed: it is ended, and its successor has it. */
void pool_code_kill(struct pool_proc *which);

/* Looks at the heartbeats. */
void pool_watch(struct pool *pool, uint64_t now_ms);

bool pool_is_empty(const struct pool *pool);     /* no process is left */
bool pool_is_withdrawn(const struct pool *pool); /* none is left that accepts, or will */
bool pool_is_serving(
    const struct pool *pool); /* every slot has a worker that serves, or needs none any more */
unsigned pool_count_serving(const struct pool *pool);
bool pool_owns(const struct pool *pool, pid_t pid);
unsigned pool_wanted_standby(const struct pool *pool);

#endif
