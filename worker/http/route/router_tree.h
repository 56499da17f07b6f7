#ifndef FSD_WORKER_HTTP_ROUTE_ROUTER_TREE_H
#define FSD_WORKER_HTTP_ROUTE_ROUTER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern_path;
struct router_arena;
struct router_chain;
struct router_entry;
struct router_node;
struct router_terminal;

/* Terminals in the order in which they were added. */
struct router_terminals {
    struct router_terminal *first;
    struct router_terminal *last;
};

/* The paths of all entries as a tree of segments. */
struct router_tree {
    struct router_arena *arena; /* borrowed from the router; owns the nodes */
    struct router_node *root;
    struct router_terminals anything; /* patterns that are one wildcard without "/" */
    struct router_terminals wild; /* paths that are matched one after the other (router_wild.c) */
};

void router_tree_init(struct router_tree *tree, struct router_arena *arena);
/* Adds one path of an entry; the entry must stay.  Ranks must rise from call to call. */
void router_tree_add(struct router_tree *tree, const struct pattern_path *path,
                     const struct router_entry *entry, uint32_t rank);
/* Adds a step to the chain for each path that matches.  len: 1 to ROUTER_PATH_MAX - 1. */
void router_tree_match(const struct router_tree *tree, const char *path, size_t len,
                       struct router_chain *chain);
/* How much of the last literal of a path counts.  As in Express, slashes at the end of the pattern
 * itself are ignored unless strict (not those that a group left behind), and "/" stays. */
size_t router_tree_significant_len(const struct router_entry *entry,
                                   const struct pattern_path *path, const char *text, size_t len);
/* Whether an alternative of a route is, of its own, nothing or "/": then it is what the route is mounted at, with a slash or without. */
bool router_tree_is_mount(const struct router_entry *entry, const struct pattern_path *path);

#endif
