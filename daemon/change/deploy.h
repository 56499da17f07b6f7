#ifndef FSD_DAEMON_CHANGE_DEPLOY_H
#define FSD_DAEMON_CHANGE_DEPLOY_H

#include <jansson.h>
#include <stdbool.h>

#include "daemon/change/inventory.h"
#include "daemon/change/phase.h"
#include "daemon/change/plan.h"

struct control_call;
struct master;
struct retired;
struct tree;

enum { DEPLOY_WHY_MAX = 4096 };

/* One way for a change to come about: a worker has ordered it (orders.c).  It has no place in the history. */
#define DEPLOY_BY_WORKER "worker"

/* A slot that takes part. */
struct deploy_member {
    struct pool *pool; /* borrowed */
    unsigned slot;
    bool is_in_place; /* its worker takes the change; else a new one is booted with it */
};

/* The one change of configuration that may be under way. */
struct deploy {
    bool is_running;
    bool with_code;        /* all code is bundled anew, and every pool gets new workers */
    const char *how;       /* for the history; constant */
    struct retired *grave; /* owned: the place for what is left over in the end */
    struct inventory next; /* owned until it is the running one */
    struct tree *tree;     /* owned; of the next configuration, until that runs */
    struct plan plan;      /* owned */
    struct phase phase;
    unsigned char *answers; /* owned; phase.c's */
    struct deploy_member *members;
    size_t member_count;
    sd_event_source *timer;    /* owned; no progress for too long */
    struct control_call *call; /* to be answered; NULL: nobody asked (a signal) */
    json_t *apps;              /* owned; of a change with code, for its answer */
    uint64_t begun_ms;         /* monotonic */
    bool is_stepping;
    char why[DEPLOY_WHY_MAX]; /* the first reason of a failure */
};

/* Brings the daemon from the configuration that runs to another one, or changes nothing.  Takes conf.  call is answered when it is
 * done or has failed; NULL: only the log is told.  how: "apply", "rollback", "scale", "reload" or
 * DEPLOY_BY_WORKER, a constant. */
void deploy_start(struct master *master, struct conf *conf, const char *how, bool with_code,
                  struct control_call *call);
/* What happened in the pools; the master passes everything on. */
void deploy_on_pool_news(struct master *master, const struct pool *pool, unsigned slot,
                         enum pool_news news, const char *why);
/* The daemon stops, or is drained while slots prepare the change or take it: what is not committed does not happen any more, the
 * caller is told why. */
void deploy_stop(struct master *master, const char *why);
/* Is the change so far that slots are concerned?  Before that, it takes them as it finds them. */
bool deploy_has_begun(const struct master *master);
bool deploy_is_running(const struct master *master);
bool deploy_is_by_worker(const char *how);

#endif
