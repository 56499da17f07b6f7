#ifndef FSD_WORKER_HTTP_ROUTE_ROUTER_NODE_H
#define FSD_WORKER_HTTP_ROUTE_ROUTER_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/http/route/pattern.h"
#include "worker/http/route/router_segment.h"
#include "worker/http/route/router_tree.h"

/* Between router_tree.c and router_walk.c only: what the tree is made of. */

struct router_terminal {
    struct router_terminal *next;
    const struct router_entry *entry; /* borrowed */
    const struct pattern_path *path;  /* borrowed from it */
    uint32_t rank;
    uint32_t capture_count;
    const struct router_wild *wild;   /* owned by the arena; only of tree->wild */
    bool is_mount;                    /* a route that is, of its own, nothing or "/" */
    uint8_t names[PATTERN_NAMES_MAX]; /* capture i belongs to this name of the entry */
};

struct router_edge {
    uint64_t hash;
    const char *text;
    size_t len;
    struct router_node *node; /* NULL: free place */
};

struct router_mixed_edge {
    struct router_mixed_edge *next;
    struct router_node *node;
    struct router_segment segment;
};

struct router_node {
    struct router_edge *edges; /* open addressing; edge_room is 0 or a power of two */
    size_t edge_room;
    size_t edge_count;
    struct router_node *param;
    struct router_mixed_edge *mixed;
    struct router_terminals routes;
    struct router_terminals prefixes;
    struct router_terminals wildcards;
};

/* The node behind the edge of this text, whatever the case of its letters; NULL: there is none. */
struct router_node *router_node_find(const struct router_node *node, const char *text, size_t len);
/* Whether the case of the letter at a place of the path's literal bytes counts: that depends on the part it stands in. */
bool router_terminal_is_exact(const struct router_terminal *terminal, const char *text);

#endif
