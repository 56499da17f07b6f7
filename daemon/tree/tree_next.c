/* tree_next.c - what the tree orders next.
 * Owns the way from a supervisor's action to an order for a pool.  It looks at all nodes in turn: those that are to be stopped, those
 * that wait, those whose supervisor has something to do; the first order that comes of it is handed out.  Trees are
 * small, so nothing is remembered between two calls but the nodes themselves.
 * Called by the master after every event.  Pure.  Must not know the rows of a pool (tree_pool.c). */
#include <assert.h>

#include "daemon/tree/tree_node.h"

static void get_flags(const struct tree *tree, size_t node, struct supervise_flags *ret)
{
    if (node == tree_root(tree)) {
        *ret = (struct supervise_flags){
            .strategy = SUPERVISE_ONE_FOR_ONE, .intensity = SUPERVISE_UNLIMITED, .period_ms = 1};
        return;
    }
    const struct conf_supervisor *conf = &tree->conf->supervisors[node - tree->pool_count];
    *ret = (struct supervise_flags){
        .strategy = conf->strategy, .intensity = conf->intensity, .period_ms = conf->period_ms};
}

void tree_next_begin(struct tree *tree, size_t node)
{
    struct tree_branch *branch = tree->nodes[node].branch;
    struct supervise_flags flags;
    get_flags(tree, node, &flags);
    supervise_init(&branch->supervise, &flags, branch->room, branch->count, branch->times);
    supervise_window_copy(&branch->supervise.window, &branch->inherited);
    supervise_window_clear(&branch->inherited);
    for (uint32_t id = 0; id < branch->count; id++) {
        const struct supervise_spec spec = {.restart = SUPERVISE_PERMANENT,
                                            .shutdown_ms = SUPERVISE_INFINITY};
        int result = supervise_add(&branch->supervise, id, &spec);
        assert(result == 0);
        (void)result; /* assert may be compiled away */
    }
    tree->nodes[node].state = TREE_POOL_UP;
    supervise_start(&branch->supervise);
}

/* Starts a node, or lets it wait for what it names. */
static void begin_node(struct tree *tree, size_t node)
{
    struct tree_node *self = &tree->nodes[node];
    if (self->parent == tree_root(tree)) {
        tree_tell_started(tree, node);
    }
    if (self->state == TREE_POOL_STOPPING) {
        self->is_to_start = true;
        return;
    }
    bool must_wait = self->state == TREE_POOL_DOWN && !tree_order_allows(tree, node, NULL);
    if (self->branch == NULL && must_wait) {
        (void)tree_tell_pool(tree, node, TREE_POOL_WAIT);
    } else if (self->branch == NULL) {
        (void)tree_tell_pool(tree, node, self->gave_up ? TREE_POOL_HOLD : TREE_POOL_START);
    } else if (must_wait) {
        self->state = TREE_POOL_WAITING;
        tree_tell_held(tree, node);
    } else {
        tree_next_begin(tree, node);
    }
}

void tree_next_end(struct tree *tree, size_t node)
{
    const struct tree_branch *branch = tree->nodes[node].branch;
    for (uint32_t id = 0; id < branch->count; id++) {
        bool is_stray = supervise_state(&branch->supervise, id) == SUPERVISE_IDLE &&
                        !tree_node_is_down(tree, branch->children[id]);
        tree->nodes[branch->children[id]].is_to_stop |= is_stray;
    }
    supervise_stop(&tree->nodes[node].branch->supervise);
}

static void end_node(struct tree *tree, size_t node)
{
    struct tree_node *self = &tree->nodes[node];
    self->is_to_start = false;
    if (self->branch == NULL) {
        (void)tree_tell_pool(tree, node, TREE_POOL_STOP);
        return;
    }
    if (self->state != TREE_POOL_UP) {
        tree_next_begin(tree, node); /* it waited, but pools of it may run */
    }
    tree_next_end(tree, node);
}

/* Everything in the branch has a fresh start; the first pool has to pass a probe, and nobody starts before that. */
static void hold_branch(struct tree *tree, size_t node, bool is_first)
{
    struct tree_branch *branch = tree->nodes[node].branch;
    if (branch == NULL) {
        tree->nodes[node].gave_up = is_first;
        return;
    }
    branch->is_on_probation = is_first;
    for (uint32_t i = 0; i < branch->count; i++) {
        hold_branch(tree, branch->children[i], is_first && i == 0);
    }
}

/* Stops the last pool of a branch that is not stopped yet; false: there is none. */
static bool stop_last(struct tree *tree, size_t node)
{
    const struct tree_node *self = &tree->nodes[node];
    if (self->branch == NULL) {
        return !self->is_to_stop && self->state != TREE_POOL_STOPPING &&
               self->state != TREE_POOL_DOWN && tree_tell_pool(tree, node, TREE_POOL_STOP);
    }
    for (uint32_t i = self->branch->count; i > 0; i--) {
        if (stop_last(tree, self->branch->children[i - 1])) {
            return true;
        }
    }
    return false;
}

/* The supervisor has ended; what it does not look after, because it is held or runs since an older configuration, must go, too.
 * True: something was done. */
static bool leave(struct tree *tree, size_t node)
{
    struct tree_branch *branch = tree->nodes[node].branch;
    if (!branch->is_leaving) {
        return false;
    }
    if (node != tree_root(tree) && stop_last(tree, node)) {
        return true;
    }
    if (!tree_node_is_down(tree, node)) {
        return false;
    }
    branch->is_leaving = false;
    tree->nodes[node].state = TREE_POOL_DOWN;
    if (node == tree_root(tree)) {
        return true;
    }
    bool has_failed = branch->end == SUPERVISE_END_INTENSITY;
    if (has_failed) {
        hold_branch(tree, node, true);
    }
    if (has_failed && tree_tell_is_awaited(tree, node)) {
        tree_next_begin(tree, node); /* held in its place */
        return true;
    }
    tree_tell_ended(tree, node, has_failed ? SUPERVISE_ABNORMAL : SUPERVISE_SHUTDOWN);
    return true;
}

static void carry_out(struct tree *tree, size_t node, const struct supervise_action *action)
{
    struct tree_branch *branch = tree->nodes[node].branch;
    switch (action->kind) {
    case SUPERVISE_DO_START:
        begin_node(tree, branch->children[action->id]);
        break;
    case SUPERVISE_DO_STOP:
        tree->nodes[branch->children[action->id]].is_to_stop = true;
        if (node == tree_root(tree)) {
            tree_tell_ended(tree, branch->children[action->id], SUPERVISE_SHUTDOWN);
        }
        break;
    case SUPERVISE_DO_READY:
        if (node != tree_root(tree)) {
            tree_tell_started(tree, node);
        }
        break;
    case SUPERVISE_DO_END:
        branch->is_leaving = true;
        branch->end = action->end;
        break;
    case SUPERVISE_DO_KILL:   /* children have all the time of the world, ... */
    case SUPERVISE_DO_RETRY:  /* ... never fail to start, ... */
    case SUPERVISE_DO_FORGET: /* ... and are permanent */
        assert(false);
    }
}

/* The last one first.  At the end of the daemon that must not be before those that wait for it at their start have gone. */
static bool stop_one(struct tree *tree)
{
    for (size_t node = tree_root(tree); node > 0; node--) {
        struct tree_node *self = &tree->nodes[node - 1];
        if (self->is_to_stop && (!tree->is_stopping || tree_order_releases(tree, node - 1))) {
            self->is_to_stop = false;
            end_node(tree, node - 1);
            return true;
        }
    }
    return false;
}

/* True: something has changed. */
static bool advance(struct tree *tree, size_t node, uint64_t now_ms)
{
    struct tree_node *self = &tree->nodes[node];
    if ((self->state == TREE_POOL_WAITING && tree_order_allows(tree, node, NULL)) ||
        (self->state == TREE_POOL_DOWN && self->is_to_start)) {
        self->is_to_start = false;
        begin_node(tree, node);
        return true;
    }
    if (self->branch == NULL) {
        return false;
    }
    struct supervise_action action;
    if (supervise_next(&self->branch->supervise, now_ms, &action)) {
        carry_out(tree, node, &action);
        return true;
    }
    return leave(tree, node);
}

bool tree_next(struct tree *tree, uint64_t now_ms, struct tree_order *ret)
{
    tree->has_order = false;
    bool has_changed = true;
    while (has_changed && !tree->has_order) {
        has_changed = stop_one(tree);
        for (size_t node = 0; node < tree->count && !tree->has_order; node++) {
            has_changed |= advance(tree, node, now_ms);
        }
    }
    if (tree->has_order) {
        *ret = tree->order;
    }
    return tree->has_order;
}
