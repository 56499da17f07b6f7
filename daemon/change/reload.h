#ifndef FSD_DAEMON_CHANGE_RELOAD_H
#define FSD_DAEMON_CHANGE_RELOAD_H

#include <jansson.h>
#include <stdbool.h>

#include "daemon/change/reload_round.h"
#include "daemon/pool/pool.h"

struct control_call;
struct inventory;
struct master;

enum { RELOAD_WHY_MAX = 4096 };

/* How a reload that was started from here ended; why NULL: it is done. */
typedef void (*reload_fn)(struct master *master, const char *why);

/* The one reload that may run at a time. */
struct reload {
    struct reload_round now;
    /* who came meanwhile: they want to be sure of what is on the disk now */
    struct reload_round later;
    reload_fn on_end;         /* hears of the end of this one; NULL: nobody else does */
    uint64_t begun_ms;        /* monotonic */
    json_t *apps;             /* owned; the answer's, once it is decided what they will be */
    char why[RELOAD_WHY_MAX]; /* the first reason of a failure */
};

/* Brings new code from the disk to every worker: in place, or (is_restart) by other processes, one after another.  call is
 * answered when that is done or has failed; while another reload or change runs it waits for the next round, together with all
 * others; NULL: only the log is told. */
void reload_start(struct master *master, struct control_call *call, bool is_restart);
/* Brings the candidates that are in the stores to every worker, in place; apps without one take no part.  Nothing else may be under way
 * (master_find_obstacle).  call: answered at the end, or NULL; on_end is called at the end as well, or NULL. */
void reload_from_store(struct master *master, struct control_call *call, reload_fn on_end);
/* Replaces the workers of one pool, one after another, by others with the same code. */
void reload_restart(struct master *master, struct pool *pool, struct control_call *call);
/* For those who carry it out (swap.c, restart.c).  It is decided: the candidates are the running ones from now on. */
void reload_commit(struct master *master);
/* It is over: done, after reload_commit; or nothing is changed, for the first reason that was kept. */
void reload_finish(struct master *master);
void reload_fail(struct master *master);
void reload_keep_reason(struct master *master, const char *why);
/* What became of a reload that had to change the configuration, too; takes result, NULL: it failed. */
void reload_on_deployed(struct master *master, json_t *result, const char *why);
/* Gives up new code that is being prepared and that nobody waits for.  False: it goes on. */
bool reload_give_up(struct master *master, const char *why);
/* Another change is over: those who wait get their round. */
void reload_on_free(struct master *master);
/* What happened in the pools; the master passes everything on. */
void reload_on_pool_news(struct master *master, const struct pool *pool, unsigned slot,
                         enum pool_news news, const char *why);
/* All workers are leaving by order: nobody can be replaced any more, so a reload that has begun with that is over. */
void reload_on_drained(struct master *master);
/* The daemon stops: the reload is over, the callers are told. */
void reload_stop(struct master *master);
bool reload_is_running(const struct master *master);
/* The apps of an inventory as fsd.reload/1 lists them, from the running generation to the candidate; NULL when memory is out. */
json_t *reload_describe_apps(const struct master *master, const struct inventory *inventory);

#endif
