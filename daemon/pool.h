#ifndef FSD_DAEMON_POOL_H
#define FSD_DAEMON_POOL_H

#include <stdbool.h>

#include "common/backoff.h"
#include "daemon/bundle.h"
#include "daemon/conf/conf.h"
#include "daemon/proc/proc.h"
#include "daemon/slot.h"

struct listener;
struct master;
struct pool;

enum { POOL_PROCS_MAX = 4 }; /* of one slot: current, next, and two that leave */

struct pool_slot;

/* One process of a slot. */
struct pool_proc {
    struct proc proc;
    struct pool_slot *slot; /* borrowed */
    uint64_t
        died_us; /* wall clock: when the worker died that this one stands in for; 0: none did */
};

/* One slot with its processes. */
struct pool_slot {
    struct pool *pool; /* borrowed */
    unsigned index;
    enum slot_state state;
    struct backoff backoff;
    sd_event_source *retry_timer; /* owned; armed in SLOT_BACKOFF */
    uint64_t retry_at_ms;         /* monotonic; valid in SLOT_BACKOFF */
    struct pool_proc *current;    /* in procs, or NULL */
    struct pool_proc *next;       /* in procs, or NULL */
    struct pool_proc
        *withdrawing; /* in procs: READY is told when it accepts nothing more; or NULL */
    struct pool_proc procs[POOL_PROCS_MAX];
    struct proc_listener listeners[CONF_POOL_LISTENERS_MAX];
    uint64_t wanted; /* generation that next is to have */
    uint64_t restarts;
    uint64_t requests_total; /* of the incarnations that are gone */
    uint64_t died_us;        /* wall clock: when the slot last lost a worker; 0: never */
    char last_exit[FSD_ERR_MAX];
};

enum pool_news {
    POOL_SLOT_READY,  /* a new worker serves, and it alone */
    POOL_SLOT_FAILED, /* a new worker did not get that far */
    POOL_SLOT_DIED,   /* a worker that served is lost */
    POOL_SLOT_EMPTY,  /* after pool_stop: the slot's last process is gone */
    POOL_REAPED,      /* some process of ours was reaped */
};
/* proc: the worker in question, or NULL when it could not even be started; why: the reason of FAILED and DIED. */
typedef void (*pool_fn)(struct pool *pool, unsigned slot, enum pool_news news,
                        const struct proc *proc, const char *why);

/* What a pool needs from the daemon; borrowed for its life. */
struct pool_setting {
    sd_event *loop;
    struct log *log;
    const struct conf *conf;
    const char *worker_path;
    uint64_t *incarnations;           /* counts the processes of the whole daemon */
    const struct bundle_store *store; /* of the pool's app */
    const struct listener *listeners; /* by index of the configuration */
    pool_fn on_news;
    struct master *owner; /* for on_news; opaque here */
};

struct pool {
    struct pool_setting setting;
    struct proc_setting proc_setting;
    const struct conf_pool *conf; /* borrowed */
    struct pool_slot *slots;      /* owned */
    unsigned count;
};

/* count slots, all empty.  0 or -ENOMEM. */
int pool_init(struct pool *pool, const struct conf_pool *conf, unsigned count,
              const struct pool_setting *setting);
/* Ends whatever is left.  All zero is fine. */
void pool_fini(struct pool *pool);

/* Starts a worker of the running generation in every slot. */
void pool_start(struct pool *pool);
/* Starts another worker in a slot, of the given generation (the running one or the candidate); the old one drains when it is
 * ready.  READY or FAILED of the slot follows, possibly from inside the call. */
void pool_replace(struct pool *pool, unsigned slot, uint64_t generation);
/* Lets every worker finish and leave, or ends them now.  EMPTY of each slot that was not empty yet follows. */
void pool_stop(struct pool *pool, bool now);

bool pool_is_empty(const struct pool *pool);   /* no process is left */
bool pool_is_serving(const struct pool *pool); /* every slot has a worker that serves */
bool pool_owns(const struct pool *pool, pid_t pid);

#endif
