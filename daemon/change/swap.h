#ifndef FSD_DAEMON_CHANGE_SWAP_H
#define FSD_DAEMON_CHANGE_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/change/phase.h"
#include "daemon/pool/pool.h"

struct master;

/* Which code is brought to the workers. */
enum swap_source {
    SWAP_FROM_DISK, /* all apps are bundled anew */
    SWAP_FROM_STORE, /* the candidates that are in the stores already; apps without one take no part */
};

/* A process that takes part; or a slot that tries the code, where no process of the pool can. */
struct swap_member {
    struct pool_proc *which; /* borrowed; another process may be there when the number is another */
    uint64_t incarnation;
    struct pool_slot *trial; /* borrowed; NULL: it is a process */
    uint64_t asked_ms;       /* monotonic; 0: it was not asked yet */
    bool is_cut;             /* its time was over, and it was asked where it stands */
    bool is_excused;         /* it leaves, and keeps what it has */
};

/* The one change of code in place that may be under way. */
struct swap {
    bool is_running;
    bool is_loading; /* the bundles are being made */
    bool is_proven;  /* the code has run before: where nobody runs there is no trial */
    struct phase phase;
    unsigned char *answers; /* owned; phase.c's */
    struct swap_member *members;
    size_t member_count;
    sd_event_source *timer; /* owned; the next moment at which somebody is too late */
    uint64_t number;        /* of the transaction; rises */
    uint64_t committed_ms;  /* monotonic; valid in PHASE_COMMITTING */
    bool is_stepping;
    bool is_unchecked; /* members may have been lost, or may be able to take part now */
};

/* What became of a member; the log has an event of that name for each. */
enum swap_step {
    SWAP_PREPARED,  /* "reload.prepared" */
    SWAP_REJECTED,  /* "reload.rejected": by it everything ends */
    SWAP_COMMITTED, /* "reload.committed" */
    SWAP_KILLED,    /* "reload.killed": it did not commit, its successor has the code */
};

/* Changes the code of all workers where they are, or changes nothing; nothing else may be under way.  It ends with reload_finish (after
 * reload_commit) or reload_fail, possibly from inside the call. */
void swap_start(struct master *master, enum swap_source source);
/* What happened in the pools. */
void swap_on_pool_news(struct master *master, enum pool_news news, const struct proc *proc,
                       const char *why);
/* The daemon stops, or is drained: what is not committed does not happen any more. */
void swap_stop(struct master *master);
bool swap_is_running(const struct master *master);
/* Are workers concerned already? */
bool swap_has_begun(const struct master *master);

#endif
