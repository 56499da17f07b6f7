#ifndef FSD_DAEMON_STATE_H
#define FSD_DAEMON_STATE_H

#include <jansson.h>

#include "daemon/change/configs.h"
#include "daemon/change/deploy.h"
#include "daemon/change/inventory.h"
#include "daemon/change/orders.h"
#include "daemon/change/reload.h"
#include "daemon/change/restart.h"
#include "daemon/change/setback.h"
#include "daemon/change/swap.h"
#include "daemon/code/app.h"
#include "daemon/code/loader.h"
#include "daemon/control/control.h"
#include "daemon/crash/crashes.h"
#include "daemon/crash/oom.h"
#include "daemon/develop/develop.h"
#include "daemon/host/manager.h"
#include "daemon/host/privilege.h"
#include "daemon/listen/listener.h"
#include "daemon/log/access_log.h"
#include "daemon/log/log.h"
#include "daemon/method/stream.h"
#include "daemon/method/waiting.h"
#include "daemon/tree/tree.h"
#include "daemon/upgrade/upgrade.h"

struct master_options;

enum master_phase {
    MASTER_LOADING,  /* the first bundles are being made */
    MASTER_RUNNING,  /* the pools are started */
    MASTER_STOPPING, /* one pool after the other is stopped; ends when the last process is gone */
};

/* All that the running master owns.  Only master.c and the modules named beside a field write to it; the others read it. */
struct master {
    const struct master_options *options; /* borrowed */
    sd_event *loop;                       /* owned */
    struct log log;
    struct access_log access;     /* log_files.c's */
    struct log_hub *hub;          /* owned; the recent past of the log */
    struct stream_table *streams; /* owned; who follows it */
    struct control *control;      /* owned */
    /* what runs: the configuration and its apps, listeners and pools; deploy.c changes it */
    struct inventory inventory;
    uint64_t config_last; /* the highest number that a configuration has had */
    /* owned list: what an older one had, until its last process is gone; retired.c's */
    struct retired *retired;
    struct privilege privilege;       /* of the workers and the bundle tool */
    sd_event_source *bury;            /* owned; retired.c's, NULL until it is needed */
    struct members members;           /* workers with actors; proc/ joins them */
    struct pool_setting pool_setting; /* for new pools */
    unsigned auto_count;              /* workers of a pool whose count is auto */
    struct manager manager;           /* manager.c's */
    struct loader loader;
    struct reload reload;     /* reload.c's */
    struct restart restart;   /* restart.c's */
    struct swap swap;         /* swap.c's */
    struct deploy deploy;     /* deploy.c's */
    struct setbacks setbacks; /* setback.c's */
    struct configs configs;   /* configs.c's */
    struct orders orders;     /* orders.c's */
    struct upgrade upgrade;   /* upgrade.c's */
    struct waiting waiting;   /* waiting.c's */
    struct develop develop;   /* develop.c's */
    bool is_ordering;         /* its orders are being carried out */
    struct tree *tree;        /* owned; which pool is started, stopped or held when */
    struct crashes crashes;
    struct oom oom;
    bool is_crash_store_failing; /* said so */
    sd_event_source *watch;      /* owned; once a second: the heartbeats */
    uint64_t watched_ms;         /* monotonic; when that was last done */
    enum master_phase phase;
    bool is_drained;     /* by order */
    bool follows_killed; /* the daemon before this one was killed: its workers may be dying still */
    bool was_ready;      /* at one moment every pool served, or was held while others did */
    int exit_code;
    uint64_t incarnations;
    uint64_t started_us; /* wall clock */
};

/* Graceful, or at once; a second time, or at once after graceful, is fine. */
void master_stop(struct master *master, bool now);
/* Ends the loop when the master is stopping and the last process is gone. */
void master_check_end(struct master *master);
/* Whether a process is one of ours; owner is the master. */
bool master_owns(const void *owner, pid_t pid);
/* Why nothing may be changed now, or NULL. */
const char *master_find_obstacle(const struct master *master);
/* Lets all workers leave and starts none, or starts them again. */
void master_drain(struct master *master);
void master_resume(struct master *master);

/* methods.c: the rows for control_open. */
const struct control_method *methods_get(size_t *ret_count);
/* status.c: the result of the method; NULL when memory is out. */
json_t *status_describe(const struct master *master);
/* "running", "held", ...; "config", or "lua" for a pool that an application has started. */
const char *status_name_pool_state(const struct master *master, const struct pool *pool);
const char *status_name_origin(const struct pool *pool);

#endif
