#ifndef FSD_DAEMON_TREE_TREE_NODE_H
#define FSD_DAEMON_TREE_TREE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/supervise.h"
#include "daemon/conf/conf.h"
#include "daemon/tree/tree.h"

/* Between the parts of the tree only. */

/* What makes a node a supervisor; the arrays are in the same piece of memory. */
struct tree_branch {
    struct supervise supervise;
    struct supervise_child *room; /* the count children, by their place in start order */
    uint64_t *times;              /* of the supervise's window */
    size_t *children;             /* their nodes, in start order */
    uint32_t count;
    struct supervise_window inherited; /* the restarts before the last tree_rebuild */
    bool is_leaving;                   /* ended, but pools of it that were held are not down yet */
    enum supervise_end end;            /* valid while it is leaving */
    bool is_on_probation;              /* gave up, and its first pool is not up yet */
};

struct tree_node {
    size_t parent;                     /* a node; of the root: itself */
    uint32_t id;                       /* place among the parent's children */
    const struct conf_children *after; /* borrowed from the configuration; NULL for the root */
    uint64_t obeyed; /* bit i: after->items[i] is waited for; the others would wait for ever */
    enum tree_pool_state state; /* of a supervisor: WAITING, UP (at work) or DOWN */
    bool gave_up;               /* of a pool: the next start is a probe */
    bool is_to_start;           /* of a pool that an older configuration stops: when it is down */
    bool is_to_stop;            /* when those that wait for it at their start are down */
    struct tree_branch *branch; /* owned; NULL for a pool */
};

/* Nodes: the pools, the supervisors, the root; by their indexes in the configuration. */
struct tree {
    const struct conf *conf; /* borrowed */
    struct tree_node *nodes; /* owned */
    size_t pool_count;
    size_t count; /* the root is the last one */
    bool is_stopping;
    bool has_order;
    struct tree_order order; /* found during tree_next */
};

size_t tree_root(const struct tree *tree);
/* The node that a list of the configuration names. */
size_t tree_node_of(const struct tree *tree, const struct conf_child *child);
/* Do all the pools of a node serve?  Are they all down? */
bool tree_node_is_up(const struct tree *tree, size_t node);
bool tree_node_is_down(const struct tree *tree, size_t node);
const char *tree_node_name(const struct tree *tree, size_t node);

/* tree_order.c.  Puts every branch's children into start order; 0, or -ENOMEM. */
int tree_order_children(struct tree *tree);
/* Is everything up that the node waits for?  *ret_blocker (may be NULL): the first that isn't. */
bool tree_order_allows(const struct tree *tree, size_t node, size_t *ret_blocker);
/* Has everything that waits for the node at its start gone?  Then it may be stopped. */
bool tree_order_releases(const struct tree *tree, size_t node);

/* tree_next.c.  Begins to start the children of a supervisor that is down. */
void tree_next_begin(struct tree *tree, size_t node);
/* Begins to end them, those as well that run although it was not their turn yet: a former configuration had started them. */
void tree_next_end(struct tree *tree, size_t node);

/* tree_tell.c.  Takes a pool along its row and carries out the action; false: there is no row. */
bool tree_tell_pool(struct tree *tree, size_t pool, enum tree_pool_event event);
/* Does the supervisor of a node wait for its start? */
bool tree_tell_is_awaited(const struct tree *tree, size_t node);
/* The supervisor of a node hears that it has started, ... */
void tree_tell_started(struct tree *tree, size_t node);
/* ... that it can't be waited for: it is held, or waits itself, ... */
void tree_tell_held(struct tree *tree, size_t node);
/* ... or that it has ended, by itself or as ordered. */
void tree_tell_ended(struct tree *tree, size_t node, enum supervise_reason reason);

#endif
