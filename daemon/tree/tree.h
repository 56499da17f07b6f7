#ifndef FSD_DAEMON_TREE_TREE_H
#define FSD_DAEMON_TREE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/tree/tree_pool.h"

struct conf;
struct tree;

enum tree_order_kind {
    TREE_START, /* start the pool; answer with on_up or on_gave_up */
    TREE_STOP,  /* stop the pool, held or not; answer with on_down */
    TREE_HOLD, /* the pool is held: 503, and probed after the usual time; answer with on_up when a probe succeeds */
};

struct tree_order {
    enum tree_order_kind kind;
    size_t pool; /* index into the configuration's pools */
};

/* The tree of a configuration, which must stay until tree_rebuild or tree_free.  NULL: no memory. */
struct tree *tree_new(const struct conf *conf);
void tree_free(struct tree *tree);

/* Begins to start, or stop, all pools; tree_next says which.  A tree that is down may be started again.  To stop one that was
 * not started changes nothing. */
void tree_start(struct tree *tree);
void tree_stop(struct tree *tree);

/* News of a pool: it serves (first time, again, or its probe succeeded); it gave up and holds itself; it is gone after an
 * order to stop.  0, or -EPROTO: that can't be, nothing has changed. */
int tree_on_up(struct tree *tree, size_t pool);
int tree_on_gave_up(struct tree *tree, size_t pool);
int tree_on_down(struct tree *tree, size_t pool);

/* What is to be done next; to be called until it returns false, after each of the calls above and of tree_rebuild.  No call is
 * needed because time passes. */
bool tree_next(struct tree *tree, uint64_t now_ms, struct tree_order *ret);

/* Goes over to the configuration of next, which tree_new has made; takes it.  The old configuration is needed no more.  Pools of the
 * same name keep their state, supervisors of the same name the memory of their restarts; pools that are new, or are stopped now, are
 * started in their turn; of those that are gone nothing is known any more: who applies the configuration stops them.  Not to be called
 * after tree_stop. */
void tree_rebuild(struct tree *tree, struct tree *next);

enum tree_pool_state tree_state(const struct tree *tree, size_t pool);
/* Why a pool is WAITING or DOWN while the tree runs: a text such as `waits for pool "db"`; empty in other states. */
void tree_explain(const struct tree *tree, size_t pool, char *text, size_t size);
bool tree_is_up(const struct tree *tree);   /* every pool is */
bool tree_is_down(const struct tree *tree); /* no pool runs or stops */

#endif
