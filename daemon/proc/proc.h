#ifndef FSD_DAEMON_PROC_PROC_H
#define FSD_DAEMON_PROC_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/blackbox.h"
#include "common/err.h"
#include "common/page.h"
#include "daemon/log/log_record.h"
#include "daemon/proc/asks.h"
#include "daemon/proc/cause.h"
#include "daemon/proc/channel.h"
#include "daemon/proc/incarnation.h"
#include "daemon/proc/laggards.h"
#include "daemon/proc/members.h"
#include "daemon/proc/spawn.h"

struct log;
struct privilege;
struct shared_set;
struct proc;

/* What all workers of one pool share; lives longer than they do. */
struct proc_setting {
    sd_event *loop;
    struct log *log;
    const char *worker_path;           /* borrowed */
    const struct privilege *privilege; /* borrowed */
    const char *pool;                  /* borrowed */
    struct members *members;           /* borrowed; the workers of all pools that have actors */
    bool is_starting;                  /* the pool's first workers are not all ready yet */
    struct asks *asks;                 /* borrowed; what workers ask of the daemon */
    const int
        *access_fd;   /* borrowed; where they write the access log; NULL, or -1 there: nowhere */
    uint32_t boot_ms; /* until LOADED, and again from there until ACTIVE */
    uint32_t drain_ms;
    uint32_t shutdown_ms; /* or SUPERVISE_BRUTAL_KILL, SUPERVISE_INFINITY */
};

struct proc_listener {
    const char *name; /* borrowed */
    int fd;           /* borrowed; the master's for life */
};

/* Where a worker serves. */
struct proc_post {
    unsigned slot;
    const struct proc_listener *listeners; /* borrowed during the call */
    size_t listener_count;
};

/* One worker to be started. */
struct proc_order {
    unsigned slot;          /* that it is started for, or LOG_SLOT_NONE: it will be told */
    uint64_t number;        /* of the incarnation: never repeats */
    uint64_t generation;    /* of the code */
    int bundle_fd;          /* duplicated; -1: the worker answers every request with 503 */
    uint32_t retry_after_s; /* what it says then */
    int config_fd;          /* taken, also on failure */
    struct shared_set *set; /* of dictionaries; a reference is kept */
};

enum proc_news {
    PROC_LOADED,    /* it waits to be told where to serve */
    PROC_READY,     /* it serves */
    PROC_WITHDRAWN, /* told to leave, it accepts no connection any more */
    PROC_LEAVE,     /* it asks to be replaced, and serves on until then */
    PROC_PREPARED,  /* answers to proc_prepare; of a rejection proc->why is the reason */
    PROC_REJECTED,
    PROC_COMMITTED, /* the change has happened */
    PROC_LOST, /* it is no use any more, though nobody told it to leave; proc->failure and proc->why say more.  Once. */
    PROC_GONE, /* it has ended and is reaped; the callee calls proc_fini */
};
typedef void (*proc_fn)(struct proc *proc, enum proc_news news);

enum proc_failure {
    PROC_FAILURE_NONE,
    PROC_FAILURE_REFUSED,          /* the code can't be loaded; why is the worker's reason */
    PROC_FAILURE_MISMATCH,         /* another protocol version */
    PROC_FAILURE_BOOT_TIMEOUT,     /* did not get ready in time */
    PROC_FAILURE_HUNG,             /* its loop stood still */
    PROC_FAILURE_BROKEN,           /* broke the contract */
    PROC_FAILURE_LEFT,             /* went when a signal told it to */
    PROC_FAILURE_DIED,             /* ended by itself */
    PROC_FAILURE_SHUTDOWN_TIMEOUT, /* told to leave, it did not end in time; never with LOST */
};

/* One worker process.  Embedded in its owner; all zero is free. */
struct proc {
    const struct proc_setting *setting; /* borrowed; NULL: free */
    proc_fn on_news;
    enum incarnation_state state;
    uint64_t number;
    uint64_t generation;
    struct log_subject subject;
    struct spawn_child child;
    struct channel channel;
    struct member member;
    struct ask ask;
    struct laggards laggards;        /* what it still runs on replaced code, as it said */
    struct page *page;               /* owned mapping, hostile content */
    const struct blackbox *blackbox; /* owned mapping, hostile content */
    int page_fd;                     /* owned; the memfds of both: for an upgrade in place */
    int blackbox_fd;
    int log_fd;             /* owned; our end of the log socket */
    int log_peer_fd;        /* owned until handed out */
    int bundle_fd;          /* owned until handed out; -1 also for a worker without code */
    int config_fd;          /* owned until handed out */
    struct shared_set *set; /* a reference until it is handed out; NULL: none */
    uint32_t retry_after_s;
    uint64_t change; /* number of the change that it was last asked to prepare */
    /* of the code that this change brings; 0: it brings none */
    uint64_t change_generation;
    bool is_committing; /* COMMIT of code was sent and not yet answered */
    sd_event_source *exit_source;
    sd_event_source *log_source;
    sd_event_source *timer;
    bool was_told;       /* to leave, by its owner */
    bool empties_queues; /* what DRAIN is to say */
    bool was_killed;     /* by its owner */
    bool was_loaded;
    bool log_was_malformed; /* said once */
    uint64_t started_us;    /* wall clock; 0: not yet */
    uint64_t ready_us;      /* wall clock; 0: not yet */
    uint64_t started_mono_ms;
    uint64_t loaded_mono_ms; /* 0: not yet, as with the other two */
    uint64_t activated_mono_ms;
    uint64_t ready_mono_ms;
    enum proc_failure failure;
    struct fsd_err why;
    struct cause cause; /* valid with GONE */
};

/* Starts a worker.  0, or a negative errno with a sentence; proc is free then. */
int proc_start(struct proc *proc, const struct proc_setting *setting,
               const struct proc_order *order, proc_fn on_news, struct fsd_err *err);
/* Takes over one that another program of ours has started, before an upgrade in place.  The caller has filled what is known of it: what
 * tells it apart, state, times, pid, channel.sock, log_fd (-1: closed) and the two memfds; all else is zero.  Negative errno
 * with a sentence: *proc is not to be used, and the process and its descriptors are left alone. */
int proc_inherit(struct proc *proc, const struct proc_setting *setting, proc_fn on_news,
                 struct fsd_err *err);
/* One that was inherited had joined the workers with actors: it is a member still.  is_behind: it has missed names. */
void proc_rejoin(struct proc *proc, bool is_behind);
/* Order to one that is LOADED: serve there.  READY or LOST follows. */
void proc_activate(struct proc *proc, const struct proc_post *post);
/* To one that serves: accept for another slot as well, until the end or proc_return. */
void proc_lend(struct proc *proc, const struct proc_post *post);
void proc_return(struct proc *proc, unsigned slot);
/* The shared dictionaries are others from now on (either may be NULL): it is told what is new and what is gone, at once or with all else
 * that it is handed. */
void proc_share(struct proc *proc, const struct shared_set *from, struct shared_set *to);
/* The access log goes elsewhere from now on. */
void proc_give_access(struct proc *proc);
/* Two phases of a change of what it has; fd stays the caller's.  PREPARED or REJECTED follows, or LOST; later COMMITTED. */
void proc_prepare(struct proc *proc, const struct proto_transaction *change, int fd);
void proc_commit(struct proc *proc);
void proc_abort(struct proc *proc);
/* It has not answered to PREPARE in time: REJECTED follows, which says where it stood, if it can say anything. */
void proc_cut(struct proc *proc);
/* The code that it runs, or will run when it has read all that it was told. */
uint64_t proc_get_generation(const struct proc *proc);
/* Its heartbeat has stopped for so long: ended, with a chance to write down what it was doing. */
void proc_hang(struct proc *proc, uint64_t age_ms);
/* Orders: finish and leave (empties_queues: after accepting what waits); leave now.  GONE follows later, never from inside the
 * call. */
void proc_drain(struct proc *proc, bool empties_queues);
void proc_kill(struct proc *proc);
/* Frees what the process left; must have ended, or be given up at the very end (it is killed then). */
void proc_fini(struct proc *proc);
bool proc_is_free(const struct proc *proc);

#endif
