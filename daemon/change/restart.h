#ifndef FSD_DAEMON_CHANGE_RESTART_H
#define FSD_DAEMON_CHANGE_RESTART_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/change/rolling.h"
#include "daemon/pool/pool.h"

struct master;

/* The one rolling restart that may run at a time. */
struct restart {
    struct rolling rolling;
    /* borrowed: the pool that is restarted with the code it has; NULL: all, with new code */
    struct pool *only;
    bool is_stepping; /* events from inside a step wait in .pending */
    bool has_pending;
    enum rolling_event pending;
    size_t pending_slot;
};

/* Replaces the workers of one pool by others with the same code, or (NULL) all by others with new code from the disk; none may
 * run.  It ends with reload_finish or reload_fail, possibly from inside the call. */
void restart_start(struct master *master, struct pool *only);
/* What happened in the pools. */
void restart_on_pool_news(struct master *master, const struct pool *pool, unsigned slot,
                          enum pool_news news, const char *why);
/* Ends it where it stands, whatever has moved; nobody is told. */
void restart_stop(struct master *master);
bool restart_is_running(const struct master *master);
/* Are slots concerned already? */
bool restart_has_begun(const struct master *master);

#endif
