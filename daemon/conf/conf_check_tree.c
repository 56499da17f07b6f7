/*
 * conf_check_tree.c - do pools and supervisors form a tree that can be started?
 *
 * Owns the rules of supervision that need all entries.  The order of starts is a graph: to serve,
 * a supervisor needs all its children to serve; to be started, an entry needs what its `after`
 * names to serve and its parent to be started.  So every entry is two nodes, start and serve, and
 * a circle in that graph is a start that would wait for ever.
 *
 * Called by conf_check.c.  Must not know the rules of restarts (common/supervise.h).
 */
#include "daemon/conf/conf_check_tree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/conf_place.h"
#include "daemon/conf/problem.h"

enum { NONE = -1 };
enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

/* Entries are numbered: pools first, then supervisors. */
struct tree {
    const struct conf *conf;      /* borrowed */
    const struct yaml_node *root; /* borrowed; NULL: no file */
    struct problem_list *list;    /* borrowed */
    int count;
    int *parents;     /* owned; by entry, NONE: the root's child */
    enum mark *marks; /* owned; by node: 2 * entry is its start, 2 * entry + 1 its serving */
    int *path;        /* owned; the open nodes, from the first to the last */
    int depth;        /* of path */
    bool *blamed;     /* owned; by entry: it was reported as waiting for itself */
};

static int entry_of(const struct tree *tree, const struct conf_child *child)
{
    return (int)child->index + (child->is_supervisor ? (int)tree->conf->pool_count : 0);
}

static bool is_supervisor(const struct tree *tree, int entry)
{
    return entry >= (int)tree->conf->pool_count;
}

static const struct conf_supervisor *supervisor_of(const struct tree *tree, int entry)
{
    return &tree->conf->supervisors[entry - (int)tree->conf->pool_count];
}

static const char *name_of(const struct tree *tree, int entry)
{
    return is_supervisor(tree, entry) ? supervisor_of(tree, entry)->name
                                      : tree->conf->pools[entry].name;
}

static const char *section_of(const struct tree *tree, int entry)
{
    return is_supervisor(tree, entry) ? "supervisors" : "pools";
}

static const struct conf_children *after_of(const struct tree *tree, int entry)
{
    return is_supervisor(tree, entry) ? &supervisor_of(tree, entry)->after
                                      : &tree->conf->pools[entry].after;
}

static void check_names(const struct tree *tree)
{
    for (int entry = (int)tree->conf->pool_count; entry < tree->count; entry++) {
        const struct conf_supervisor *supervisor = supervisor_of(tree, entry);
        for (size_t i = 0; i < tree->conf->pool_count; i++) {
            const struct conf_pool *pool = &tree->conf->pools[i];
            if (strcmp(pool->name, supervisor->name) == 0) {
                (void)problem_add(tree->list, PROBLEM_ERROR,
                                  conf_place_find(tree->root, "supervisors", supervisor->name, ""),
                                  "supervisors.%s has the name of a pool, which is at %s:%u:%u",
                                  supervisor->name, pool->place.file, pool->place.line,
                                  pool->place.column);
            }
        }
    }
}

static bool set_parent(struct tree *tree, int parent, int child)
{
    if (tree->parents[child] == NONE) {
        tree->parents[child] = parent;
        return true;
    }
    const struct conf_supervisor *first = supervisor_of(tree, tree->parents[child]);
    const char *name = name_of(tree, parent);
    (void)problem_add(
        tree->list, PROBLEM_ERROR,
        conf_place_find_item(tree->root, "supervisors", name, "children", name_of(tree, child)),
        "supervisors.%s: \"%s\" is a child of supervisors.%s already, at %s:%u:%u", name,
        name_of(tree, child), first->name, first->place.file, first->place.line,
        first->place.column);
    return false;
}

/* False when a child has two, which was reported. */
static bool find_parents(struct tree *tree)
{
    bool is_good = true;

    for (int entry = 0; entry < tree->count; entry++) {
        tree->parents[entry] = NONE;
    }
    for (int entry = (int)tree->conf->pool_count; entry < tree->count; entry++) {
        const struct conf_children *children = &supervisor_of(tree, entry)->children;
        for (size_t i = 0; i < children->count; i++) {
            is_good = set_parent(tree, entry, entry_of(tree, &children->items[i])) && is_good;
        }
    }
    return is_good;
}

static void append_name(char text[PROBLEM_TEXT_MAX], const char *name)
{
    size_t len = strlen(text);

    (void)snprintf(text + len, PROBLEM_TEXT_MAX - len, "%s%s", len == 0 ? "" : " -> ", name);
}

/* first is above itself. */
static void refuse_family(const struct tree *tree, int first)
{
    char circle[PROBLEM_TEXT_MAX] = "";
    int count = 0;

    for (int entry = tree->parents[first]; entry != first; entry = tree->parents[entry]) {
        tree->path[count++] = entry;
    }
    append_name(circle, name_of(tree, first));
    while (count > 0) { /* it was walked from child to parent, and reads from parent to child */
        append_name(circle, name_of(tree, tree->path[--count]));
    }
    append_name(circle, name_of(tree, first));
    (void)problem_add(tree->list, PROBLEM_ERROR,
                      conf_place_find(tree->root, "supervisors", name_of(tree, first), "children"),
                      "supervisors.%s is among its own children: %s", name_of(tree, first), circle);
}

/* Each circle is reported once, at its first supervisor. */
static bool check_families(const struct tree *tree)
{
    bool is_good = true;

    for (int entry = (int)tree->conf->pool_count; entry < tree->count; entry++) {
        int above = tree->parents[entry];
        for (int steps = 0; above != NONE && above > entry && steps < tree->count; steps++) {
            above = tree->parents[above];
        }
        if (above == entry) {
            refuse_family(tree, entry);
            is_good = false;
        }
    }
    return is_good;
}

/* The node that waits by its own `after`; every circle has one when the families have none. */
static int find_waiting(const int *nodes, int count)
{
    int i = 0;

    while (nodes[i] % 2 != 0 || nodes[(i + 1) % count] % 2 != 1) {
        i++;
    }
    return i;
}

/* The open nodes from node on are a circle. */
static void refuse_wait(struct tree *tree, int node)
{
    char circle[PROBLEM_TEXT_MAX] = "";
    int start = tree->depth - 1;

    while (tree->path[start] != node) {
        start--;
    }
    const int *nodes = tree->path + start;
    int count = tree->depth - start;
    int first = find_waiting(nodes, count);
    int waiting = nodes[first] / 2;
    int awaited = nodes[(first + 1) % count] / 2;
    int last = NONE;
    if (tree->blamed[waiting]) {
        return; /* another way round */
    }
    tree->blamed[waiting] = true;
    for (int i = 0; i < count; i++) {
        int entry = nodes[(first + i) % count] / 2;
        if (entry != last) {
            append_name(circle, name_of(tree, entry));
        }
        last = entry;
    }
    if (last != waiting || awaited == waiting) {
        append_name(circle, name_of(tree, waiting));
    }
    const char *section = section_of(tree, waiting);
    (void)problem_add(tree->list, PROBLEM_ERROR,
                      conf_place_find_item(tree->root, section, name_of(tree, waiting), "after",
                                           name_of(tree, awaited)),
                      "%s.%s would wait for itself: %s", section, name_of(tree, waiting), circle);
}

static void visit(struct tree *tree, int node);

static void visit_all(struct tree *tree, const struct conf_children *children)
{
    for (size_t i = 0; i < children->count; i++) {
        visit(tree, 2 * entry_of(tree, &children->items[i]) + 1);
    }
}

/* Depth first; a node that is open is met again only in a circle.  As deep as there are nodes. */
static void visit(struct tree *tree, int node)
{
    int entry = node / 2;

    if (tree->marks[node] != MARK_NEW) {
        if (tree->marks[node] == MARK_OPEN) {
            refuse_wait(tree, node);
        }
        return;
    }
    tree->marks[node] = MARK_OPEN;
    tree->path[tree->depth++] = node;
    if (node % 2 == 0) {
        visit_all(tree, after_of(tree, entry));
        if (tree->parents[entry] != NONE) {
            visit(tree, 2 * tree->parents[entry]);
        }
    } else {
        visit(tree, node - 1);
        if (is_supervisor(tree, entry)) {
            visit_all(tree, &supervisor_of(tree, entry)->children);
        }
    }
    tree->depth--;
    tree->marks[node] = MARK_DONE;
}

void conf_check_tree(const struct conf *conf, const struct yaml_node *root,
                     struct problem_list *list)
{
    int count = (int)(conf->pool_count + conf->supervisor_count);
    struct tree tree = {conf, root, list, count, NULL, NULL, NULL, 0, NULL};
    size_t room = count == 0 ? 1 : (size_t)count;

    tree.parents = calloc(room, sizeof(*tree.parents));
    tree.marks = calloc(2 * room, sizeof(*tree.marks));
    tree.path = calloc(2 * room, sizeof(*tree.path));
    tree.blamed = calloc(room, sizeof(*tree.blamed));
    if (tree.blamed == NULL || tree.parents == NULL || tree.marks == NULL || tree.path == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
        goto out;
    }
    check_names(&tree);
    if (find_parents(&tree) && check_families(&tree)) {
        for (int entry = 0; entry < count; entry++) {
            visit(&tree, 2 * entry + 1);
        }
    }

out:
    free(tree.parents);
    free(tree.marks);
    free(tree.path);
    free(tree.blamed);
}
