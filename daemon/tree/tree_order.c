/* tree_order.c - what comes before what in the supervision tree.
 * Owns the start order inside a supervisor and the meaning of `after`.  The children of a supervisor start as they are listed,
 * but a child comes behind another one when it, or something in it, names that one, or something in that, in `after`.
 * Across supervisors `after` is waited for.  Together with the order inside supervisors that could be a circle, for ever waiting:
 * the `after` that would close a circle is not obeyed.  At the end of the daemon all goes the other way round.
 * Called by tree.c when a tree is made, and by tree_next.c.  Pure.  Must not know what a node is doing. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/tree/tree_node.h"

/* The child of a branch that a node is, or is in; SIZE_MAX: it is elsewhere. */
static size_t climb(const struct tree *tree, size_t node, size_t branch)
{
    while (node != tree_root(tree)) {
        if (tree->nodes[node].parent == branch) {
            return node;
        }
        node = tree->nodes[node].parent;
    }
    return SIZE_MAX;
}

/* Must the first child come behind the second one? */
static bool is_behind(const struct tree *tree, size_t branch, size_t child, size_t other)
{
    for (size_t node = 0; node < tree_root(tree); node++) {
        if (climb(tree, node, branch) != child) {
            continue;
        }
        const struct conf_children *after = tree->nodes[node].after;
        for (size_t i = 0; i < after->count; i++) {
            if (climb(tree, tree_node_of(tree, &after->items[i]), branch) == other) {
                return true;
            }
        }
    }
    return false;
}

/* The first of the children from begin on that is behind none of the others; in a circle, the first one. */
static uint32_t pick(const struct tree *tree, size_t branch, uint32_t begin)
{
    const struct tree_branch *parent = tree->nodes[branch].branch;
    for (uint32_t i = begin; i < parent->count; i++) {
        bool is_free = true;
        for (uint32_t other = begin; other < parent->count && is_free; other++) {
            is_free = other == i ||
                      !is_behind(tree, branch, parent->children[i], parent->children[other]);
        }
        if (is_free) {
            return i;
        }
    }
    return begin;
}

static void sort_children(struct tree *tree, size_t branch)
{
    struct tree_branch *parent = tree->nodes[branch].branch;
    for (uint32_t i = 0; i < parent->count; i++) {
        uint32_t found = pick(tree, branch, i);
        size_t child = parent->children[found];
        for (; found > i; found--) {
            parent->children[found] = parent->children[found - 1];
            tree->nodes[parent->children[found]].id = found;
        }
        parent->children[i] = child;
        tree->nodes[child].id = i;
    }
}

/* The search for a circle: does something need the start of `wanted` before it? */
struct search {
    const struct tree *tree;
    size_t wanted;
    bool *seen_start; /* by node */
    bool *seen_up;
};

static bool start_needs(struct search *search, size_t node);

static bool up_needs(struct search *search, size_t node)
{
    if (search->seen_up[node]) {
        return false;
    }
    search->seen_up[node] = true;
    const struct tree_branch *branch = search->tree->nodes[node].branch;
    if (start_needs(search, node)) {
        return true;
    }
    for (uint32_t i = 0; branch != NULL && i < branch->count; i++) {
        if (up_needs(search, branch->children[i])) {
            return true;
        }
    }
    return false;
}

/* A start needs that of the supervisor, the siblings before it to be up (the root's don't wait for each other), and what
 * is named in `after`. */
static bool start_needs(struct search *search, size_t node)
{
    const struct tree *tree = search->tree;
    if (node == tree_root(tree) || search->seen_start[node]) {
        return false;
    }
    search->seen_start[node] = true;
    const struct tree_node *self = &tree->nodes[node];
    if (node == search->wanted || start_needs(search, self->parent)) {
        return true;
    }
    for (uint32_t i = 0; self->parent != tree_root(tree) && i < self->id; i++) {
        if (up_needs(search, tree->nodes[self->parent].branch->children[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < self->after->count; i++) {
        bool is_obeyed = (self->obeyed & UINT64_C(1) << i) != 0;
        if (is_obeyed && up_needs(search, tree_node_of(tree, &self->after->items[i]))) {
            return true;
        }
    }
    return false;
}

static void obey_after(struct tree *tree, size_t node, bool *seen)
{
    _Static_assert(CONF_CHILDREN_MAX <= 64, "one bit each");
    struct tree_node *self = &tree->nodes[node];
    for (size_t i = 0; i < self->after->count; i++) {
        for (size_t j = 0; j < 2 * tree->count; j++) {
            seen[j] = false;
        }
        struct search search = {tree, node, seen, seen + tree->count};
        if (!up_needs(&search, tree_node_of(tree, &self->after->items[i]))) {
            self->obeyed |= UINT64_C(1) << i;
        }
    }
}

int tree_order_children(struct tree *tree)
{
    bool *seen = calloc(2 * tree->count, sizeof(*seen));
    if (seen == NULL) {
        return -ENOMEM;
    }
    /* The root's children need no order: they don't wait for each other, but for what they name. */
    for (size_t node = tree->pool_count; node < tree_root(tree); node++) {
        sort_children(tree, node);
    }
    for (size_t node = 0; node < tree_root(tree); node++) {
        obey_after(tree, node, seen);
    }
    free(seen);
    return 0;
}

bool tree_order_allows(const struct tree *tree, size_t node, size_t *ret_blocker)
{
    const struct tree_node *self = &tree->nodes[node];
    for (size_t i = 0; i < self->after->count; i++) {
        size_t target = tree_node_of(tree, &self->after->items[i]);
        if ((self->obeyed & UINT64_C(1) << i) != 0 && !tree_node_is_up(tree, target)) {
            if (ret_blocker != NULL) {
                *ret_blocker = target;
            }
            return false;
        }
    }
    return true;
}

bool tree_order_releases(const struct tree *tree, size_t node)
{
    for (size_t other = 0; other < tree_root(tree); other++) {
        const struct tree_node *self = &tree->nodes[other];
        for (size_t i = 0; i < self->after->count; i++) {
            if ((self->obeyed & UINT64_C(1) << i) != 0 &&
                tree_node_of(tree, &self->after->items[i]) == node &&
                !tree_node_is_down(tree, other)) {
                return false;
            }
        }
    }
    return true;
}
