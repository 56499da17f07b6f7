/* tree_rebuild.c - the tree goes over to another configuration; and what a person is told about pools that do not run.
 * Owns what is carried over: by name, the states of pools and the restarts that supervisors remember.  The new tree is started as
 * any other; a pool that runs, starts or is held already is simply found so when its turn comes.
 * Called by the master when a configuration is applied, and for status.  Pure.  Must not know what else has changed. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/tree/tree_node.h"

/* The node of the same kind and name, or SIZE_MAX. */
static size_t find_name(const struct tree *tree, const struct tree *other, size_t node)
{
    bool is_pool = node < tree->pool_count;
    size_t begin = is_pool ? 0 : other->pool_count;
    size_t end = is_pool ? other->pool_count : tree_root(other);
    for (size_t i = begin; i < end; i++) {
        if (strcmp(tree_node_name(tree, node), tree_node_name(other, i)) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void carry_over(struct tree *tree, size_t node, const struct tree_node *from)
{
    struct tree_node *self = &tree->nodes[node];
    if (self->branch == NULL) {
        self->state = from->state == TREE_POOL_WAITING ? TREE_POOL_DOWN : from->state;
        self->gave_up = from->gave_up;
        return;
    }
    const struct conf_supervisor *conf = &tree->conf->supervisors[node - tree->pool_count];
    supervise_window_init(&self->branch->inherited, self->branch->inherited.times, conf->intensity,
                          conf->period_ms);
    supervise_window_copy(&self->branch->inherited, &from->branch->supervise.window);
}

void tree_rebuild(struct tree *tree, struct tree *next)
{
    assert(!tree->is_stopping);
    for (size_t node = 0; node < tree_root(next); node++) {
        size_t from = find_name(next, tree, node);
        if (from != SIZE_MAX) {
            carry_over(next, node, &tree->nodes[from]);
        }
    }
    if (tree->nodes[tree_root(tree)].state == TREE_POOL_UP) {
        tree_next_begin(next, tree_root(next));
    }
    struct tree old = *tree;
    *tree = *next;
    *next = old;
    tree_free(next);
}

/* The first pool of a branch that is held, in start order; SIZE_MAX: none is. */
static size_t find_held(const struct tree *tree, size_t node)
{
    const struct tree_branch *branch = tree->nodes[node].branch;
    if (branch == NULL) {
        return tree->nodes[node].state == TREE_POOL_HELD ? node : SIZE_MAX;
    }
    size_t found = SIZE_MAX;
    for (uint32_t i = 0; i < branch->count && found == SIZE_MAX; i++) {
        found = find_held(tree, branch->children[i]);
    }
    return found;
}

static void describe(const struct tree *tree, size_t node, char *text, size_t size)
{
    (void)snprintf(text, size, "waits for %s \"%s\"",
                   node < tree->pool_count ? "pool" : "supervisor", tree_node_name(tree, node));
}

void tree_explain(const struct tree *tree, size_t pool, char *text, size_t size)
{
    text[0] = '\0';
    if (!tree_node_is_down(tree, pool) || tree->nodes[tree_root(tree)].state != TREE_POOL_UP) {
        return;
    }
    for (size_t node = pool; node != tree_root(tree); node = tree->nodes[node].parent) {
        size_t blocker;
        if (tree->nodes[node].state == TREE_POOL_WAITING &&
            !tree_order_allows(tree, node, &blocker)) {
            describe(tree, blocker, text, size);
            return;
        }
        size_t held = tree->nodes[node].parent == tree_root(tree)
                          ? SIZE_MAX
                          : find_held(tree, tree->nodes[node].parent);
        if (held != SIZE_MAX) {
            describe(tree, held, text, size);
            return;
        }
    }
    (void)snprintf(text, size, "waits for its turn");
}
