/* tree_tell.c - what happens to a pool, told to the supervisors above it.
 * Owns the two places where the tree differs from OTP: a child that is held counts as started for the one_for_one supervisors
 * above it, so that nobody waits for a pool that is none of his business, and as still starting for all others; and a pool that
 * gives up before it ever served has not failed, it is held in its place.
 * Called by tree.c and tree_next.c.  Pure.  Must not know when a pool is started or stopped. */
#include <assert.h>

#include "daemon/tree/tree_node.h"

static struct supervise *supervise_of(const struct tree *tree, size_t node)
{
    return &tree->nodes[tree->nodes[node].parent].branch->supervise;
}

bool tree_tell_is_awaited(const struct tree *tree, size_t node)
{
    enum supervise_state state = supervise_state(supervise_of(tree, node), tree->nodes[node].id);
    return state == SUPERVISE_STARTING || state == SUPERVISE_DELAYED;
}

void tree_tell_started(struct tree *tree, size_t node)
{
    struct supervise *supervise = supervise_of(tree, node);
    uint32_t id = tree->nodes[node].id;
    if (tree_tell_is_awaited(tree, node)) {
        (void)supervise_on_started(supervise, id);
    }
}

/* Inside a supervisor on probation everybody waits for its first pool. */
static size_t skip_probation(const struct tree *tree, size_t node)
{
    size_t above = node;
    for (; node != tree_root(tree); node = tree->nodes[node].parent) {
        const struct tree_branch *branch = tree->nodes[node].branch;
        if (branch != NULL && branch->is_on_probation) {
            above = node;
        }
    }
    return above;
}

static void pass_probation(struct tree *tree, size_t node)
{
    for (; node != tree_root(tree); node = tree->nodes[node].parent) {
        if (tree->nodes[node].branch != NULL) {
            tree->nodes[node].branch->is_on_probation = false;
        }
    }
}

void tree_tell_held(struct tree *tree, size_t node)
{
    size_t above = skip_probation(tree, node);
    bool is_below = true;
    for (; node != tree_root(tree); node = tree->nodes[node].parent) {
        struct supervise *supervise = supervise_of(tree, node);
        is_below = is_below && node != above;
        if (supervise->flags.strategy == SUPERVISE_ONE_FOR_ONE && !is_below) {
            tree_tell_started(tree, node);
        } else if (tree_tell_is_awaited(tree, node)) {
            (void)supervise_on_delayed(supervise, tree->nodes[node].id);
        }
    }
}

/* A child of the root is never waited for, so it has ended in the root's eyes as soon as it was told to. */
void tree_tell_ended(struct tree *tree, size_t node, enum supervise_reason reason)
{
    struct supervise *supervise = supervise_of(tree, node);
    uint32_t id = tree->nodes[node].id;
    enum supervise_state state = supervise_state(supervise, id);
    if (state == SUPERVISE_RUNNING || state == SUPERVISE_STOPPING) {
        (void)supervise_on_exited(supervise, id, reason); /* it runs */
    }
}

static void give_order(struct tree *tree, enum tree_order_kind kind, size_t pool)
{
    assert(!tree->has_order);
    tree->has_order = true;
    tree->order = (struct tree_order){.kind = kind, .pool = pool};
}

static void tell_gone(struct tree *tree, size_t pool)
{
    if (!tree->nodes[pool].is_to_start) {
        tree_tell_ended(tree, pool, SUPERVISE_SHUTDOWN);
    }
}

static void carry_out(struct tree *tree, size_t pool, enum tree_pool_action action)
{
    struct tree_node *node = &tree->nodes[pool];
    switch (action) {
    case TREE_POOL_DO_NOTHING:
        break;
    case TREE_POOL_ORDER_START:
        give_order(tree, TREE_START, pool);
        break;
    case TREE_POOL_ORDER_HOLD:
        give_order(tree, TREE_HOLD, pool);
        tree_tell_held(tree, pool);
        break;
    case TREE_POOL_ORDER_STOP:
        give_order(tree, TREE_STOP, pool);
        break;
    case TREE_POOL_TELL_UP:
        node->gave_up = false;
        pass_probation(tree, pool);
        tree_tell_started(tree, pool);
        break;
    case TREE_POOL_TELL_HELD:
        node->gave_up = true;
        tree_tell_held(tree, pool);
        break;
    case TREE_POOL_TELL_WAITS:
        tree_tell_held(tree, pool);
        break;
    case TREE_POOL_TELL_FAILED:
        node->gave_up = true;
        tree_tell_ended(tree, pool, SUPERVISE_ABNORMAL);
        break;
    case TREE_POOL_TELL_GONE:
        tell_gone(tree, pool);
        break;
    case TREE_POOL_REMEMBER:
        node->gave_up = true;
        break;
    }
}

bool tree_tell_pool(struct tree *tree, size_t pool, enum tree_pool_event event)
{
    const struct tree_pool_row *row = tree_pool_find(tree->nodes[pool].state, event);
    if (row == NULL) {
        return false;
    }
    tree->nodes[pool].state = row->next;
    carry_out(tree, pool, row->action);
    return true;
}
