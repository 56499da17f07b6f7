/* tree.c - the supervision tree of a configuration: root, supervisors, pools.
 * Owns one `struct supervise` for the root and one for each configured supervisor, and the state of every pool.  The rule is OTP's
 * (common/supervise_next.c) with pools as permanent children (conf_pool.restart is about the workers in a pool) that may take
 * for ever to end, and one addition: a pool that gives up is *held*, and a held pool is up again when a probe succeeds.
 *   1. A pool that served and gives up is a child that failed: its supervisor counts that, stops the siblings that the strategy
 *      names, the last one first, and starts them again in order.  To start a held pool is to wait for its probe.
 *   2. A pool that gives up before it served is held in its place; nobody is stopped for that.
 *   3. Under one_for_one nobody waits for a held pool; otherwise those behind it do, but a failure of those before it is dealt
 *      with at once (supervise_on_delayed).
 *   4. A supervisor with more failures than its intensity stops all its pools, the held ones, too, and has failed in the eyes of
 *      its own supervisor.  When it is started again its first pool is held, that is probed, and the others follow when that
 *      one is up; what they did before is forgotten.  One that gives up before it was ever up is held in its place, too.
 *   5. The root is one_for_one, never gives up, starts all its children without waiting, and stops them so.
 *   6. A start waits until all that the pool, and its supervisor, name in `after` is up; a pool that fails later stops nobody
 *      by that.  When the daemon ends, what is named is stopped after those that named it.
 * So a pool that is not up is ordered to start, held, or waits for one that is; and each round of failures takes a probe's time.
 * Called by the master with news of pools.  Pure.  Must not know workers, times of probes, or why a pool gave up. */
#include "daemon/tree/tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/tree/tree_node.h"

size_t tree_root(const struct tree *tree)
{
    return tree->count - 1;
}

size_t tree_node_of(const struct tree *tree, const struct conf_child *child)
{
    return child->is_supervisor ? tree->pool_count + child->index : child->index;
}

bool tree_node_is_up(const struct tree *tree, size_t node)
{
    const struct tree_branch *branch = tree->nodes[node].branch;
    if (branch == NULL) {
        return tree->nodes[node].state == TREE_POOL_UP;
    }
    for (uint32_t i = 0; i < branch->count; i++) {
        if (!tree_node_is_up(tree, branch->children[i])) {
            return false;
        }
    }
    return true;
}

bool tree_node_is_down(const struct tree *tree, size_t node)
{
    const struct tree_branch *branch = tree->nodes[node].branch;
    if (branch == NULL) {
        return tree->nodes[node].state == TREE_POOL_DOWN ||
               tree->nodes[node].state == TREE_POOL_WAITING;
    }
    for (uint32_t i = 0; i < branch->count; i++) {
        if (!tree_node_is_down(tree, branch->children[i])) {
            return false;
        }
    }
    return true;
}

const char *tree_node_name(const struct tree *tree, size_t node)
{
    return node < tree->pool_count ? tree->conf->pools[node].name
                                   : tree->conf->supervisors[node - tree->pool_count].name;
}

/* One piece of memory: what is in it has the alignment of 8, or 4 at the end. */
static struct tree_branch *new_branch(size_t count, uint32_t intensity)
{
    size_t times = intensity == SUPERVISE_UNLIMITED ? 0 : intensity;
    struct tree_branch *branch =
        calloc(1, sizeof(*branch) + 2 * times * sizeof(*branch->times) +
                      count * (sizeof(*branch->children) + sizeof(*branch->room)));
    if (branch == NULL) {
        return NULL;
    }
    void *memory = branch + 1;
    branch->times = memory;
    branch->inherited.times = branch->times + times;
    memory = branch->inherited.times + times;
    branch->children = memory;
    memory = branch->children + count;
    branch->room = memory;
    branch->count = (uint32_t)count;
    return branch;
}

static void adopt(struct tree *tree, size_t parent, uint32_t id, size_t child)
{
    tree->nodes[parent].branch->children[id] = child;
    tree->nodes[child].parent = parent;
    tree->nodes[child].id = id;
}

/* Nodes without a parent yet have the root as theirs. */
static int plant(struct tree *tree)
{
    const struct conf *conf = tree->conf;
    size_t root = tree_root(tree);
    size_t orphans = root;
    for (size_t node = 0; node < tree->count; node++) {
        tree->nodes[node].parent = root;
    }
    for (size_t i = 0; i < conf->supervisor_count; i++) {
        const struct conf_supervisor *supervisor = &conf->supervisors[i];
        size_t node = tree->pool_count + i;
        tree->nodes[node].after = &supervisor->after;
        tree->nodes[node].branch = new_branch(supervisor->children.count, supervisor->intensity);
        if (tree->nodes[node].branch == NULL) {
            return -ENOMEM;
        }
        for (uint32_t id = 0; id < supervisor->children.count; id++) {
            adopt(tree, node, id, tree_node_of(tree, &supervisor->children.items[id]));
        }
        orphans -= supervisor->children.count;
    }
    tree->nodes[root].branch = new_branch(orphans, SUPERVISE_UNLIMITED);
    if (tree->nodes[root].branch == NULL) {
        return -ENOMEM;
    }
    uint32_t id = 0;
    for (size_t node = 0; node < root; node++) {
        if (node < tree->pool_count) {
            tree->nodes[node].after = &conf->pools[node].after;
        }
        if (tree->nodes[node].parent == root) {
            adopt(tree, root, id++, node);
        }
    }
    return 0;
}

struct tree *tree_new(const struct conf *conf)
{
    struct tree *tree = calloc(1, sizeof(*tree));
    if (tree == NULL) {
        return NULL;
    }
    tree->conf = conf;
    tree->pool_count = conf->pool_count;
    tree->count = conf->pool_count + conf->supervisor_count + 1;
    tree->nodes = calloc(tree->count, sizeof(*tree->nodes));
    if (tree->nodes == NULL || plant(tree) < 0 || tree_order_children(tree) < 0) {
        tree_free(tree);
        return NULL;
    }
    return tree;
}

static void free_nodes(struct tree *tree)
{
    for (size_t node = 0; tree->nodes != NULL && node < tree->count; node++) {
        free(tree->nodes[node].branch);
    }
    free(tree->nodes);
}

void tree_free(struct tree *tree)
{
    if (tree != NULL) {
        free_nodes(tree);
        free(tree);
    }
}

static bool is_begun(const struct tree *tree)
{
    enum supervise_phase phase = tree->nodes[tree_root(tree)].branch->supervise.phase;
    return phase != SUPERVISE_NEW && phase != SUPERVISE_ENDED;
}

void tree_start(struct tree *tree)
{
    assert(!is_begun(tree) && tree_is_down(tree));
    tree->is_stopping = false;
    tree_next_begin(tree, tree_root(tree));
}

void tree_stop(struct tree *tree)
{
    if (is_begun(tree)) {
        tree->is_stopping = true;
        tree_next_end(tree, tree_root(tree));
    }
}

static int tell(struct tree *tree, size_t pool, enum tree_pool_event event)
{
    return pool < tree->pool_count && tree_tell_pool(tree, pool, event) ? 0 : -EPROTO;
}

int tree_on_up(struct tree *tree, size_t pool)
{
    return tell(tree, pool, TREE_POOL_ON_UP);
}

int tree_on_gave_up(struct tree *tree, size_t pool)
{
    return tell(tree, pool, TREE_POOL_ON_GAVE_UP);
}

int tree_on_down(struct tree *tree, size_t pool)
{
    return tell(tree, pool, TREE_POOL_ON_DOWN);
}

enum tree_pool_state tree_state(const struct tree *tree, size_t pool)
{
    return tree->nodes[pool].state;
}

bool tree_is_up(const struct tree *tree)
{
    return tree_node_is_up(tree, tree_root(tree));
}

bool tree_is_down(const struct tree *tree)
{
    return tree_node_is_down(tree, tree_root(tree));
}
