#ifndef FSD_DAEMON_TREE_SUPERVISION_H
#define FSD_DAEMON_TREE_SUPERVISION_H

#include "daemon/pool/pool.h"

struct master;
struct tree;

/* The tree of supervisors, put into effect. */

/* Starts the pools, in the order of the tree, but those that run already after an upgrade in place.  0 or -ENOMEM. */
int supervision_start(struct master *master);
/* Ends the pools, in the reverse order, each when those that need it have gone; now: all at once.  May be called again. */
void supervision_stop(struct master *master, bool now);
/* A process has ended: while the daemon stops, other pools may follow. */
void supervision_on_reaped(struct master *master);
/* What happened in the pools; the master passes everything on. */
void supervision_on_pool_news(struct master *master, const struct pool *pool, enum pool_news news);
/* Why a pool does not run, or does not serve: its own cause, or what the tree lets it wait for.  Empty: it runs. */
void supervision_explain(const struct master *master, const struct pool *pool,
                         char text[POOL_TEXT_MAX]);
/* Another configuration runs now; its pools are there.  Takes next, its tree. */
void supervision_on_applied(struct master *master, struct tree *next);

#endif
