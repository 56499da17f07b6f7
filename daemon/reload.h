#ifndef FSD_DAEMON_RELOAD_H
#define FSD_DAEMON_RELOAD_H

#include <stdbool.h>

#include "daemon/pool.h"
#include "daemon/rolling.h"

struct control_call;
struct master;

enum { RELOAD_WHY_MAX = 4096 };

/* The one reload that may run at a time. */
struct reload {
    struct rolling rolling;
    struct control_call *call; /* to be answered; NULL: nobody asked (SIGHUP), or nothing runs */
    bool is_restart;           /* a rolling restart was asked for, not an in-place reload */
    bool is_stepping;          /* events from inside a step wait in .pending */
    bool has_pending;
    enum rolling_event pending;
    size_t pending_slot;
    char why[RELOAD_WHY_MAX]; /* the first reason of a failure */
};

/* Brings new code from the disk to every worker.  call is answered when that is done or has failed, at once when another
 * reload runs; NULL: only the log is told. */
void reload_start(struct master *master, struct control_call *call, bool is_restart);
/* What happened in the pools; the master passes everything on. */
void reload_on_pool_news(struct master *master, const struct pool *pool, unsigned slot,
                         enum pool_news news, const char *why);
/* The daemon stops: the reload is over, the caller is told. */
void reload_stop(struct master *master);
bool reload_is_running(const struct master *master);

#endif
