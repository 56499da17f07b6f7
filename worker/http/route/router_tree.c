/* router_tree.c - the paths of a router as a tree of segments, and the walk that matches a path.
 * Owns the nodes (in the router's arena).  An edge is one segment: literal (by hash), parameter, or
 * mixed; a node holds the entries that end there (routes), those mounted there (prefixes) and
 * the wildcards that begin there.  The walk follows every edge that fits, because all matching
 * entries are wanted, and adds a step at each terminal it meets.
 * Bound: each edge consumes exactly one segment, so a node can be reached in one way only and is
 * visited at most once a match: at most (nodes) x (one segment comparison) steps, whatever the
 * path; there is nothing to backtrack over and nothing to memoise.  Recursion is as deep as the
 * longest pattern has segments (PATTERN_TEXT_MAX).
 * router.c adds at registration and matches for each request.  Must not know methods or values. */
#include "worker/http/route/router_tree.h"

#include <string.h>

#include "worker/http/route/pattern.h"
#include "worker/http/route/router.h"
#include "worker/http/route/router_arena.h"
#include "worker/http/route/router_chain.h"
#include "worker/http/route/router_segment.h"
#include "worker/http/route/router_text.h"

struct router_terminal {
    struct router_terminal *next;
    const struct router_entry *entry; /* borrowed */
    uint32_t rank;
    uint32_t capture_count;
    uint8_t names[PATTERN_NAMES_MAX]; /* capture i belongs to this name of the entry */
};

struct edge {
    uint64_t hash;
    const char *text;
    size_t len;
    struct router_node *node; /* NULL: free place */
};

struct mixed_edge {
    struct mixed_edge *next;
    struct router_node *node;
    struct router_segment segment;
};

struct router_node {
    struct edge *edges; /* open addressing; edge_room is 0 or a power of two */
    size_t edge_room;
    size_t edge_count;
    struct router_node *param;
    struct mixed_edge *mixed;
    struct router_terminals routes;
    struct router_terminals prefixes;
    struct router_terminals wildcards;
};

struct walk {
    const struct router_tree *tree;
    const char *path;
    size_t len;
    struct router_chain *chain;
    struct router_capture captures[PATTERN_NAMES_MAX]; /* of the way to the current node */
};

void router_tree_init(struct router_tree *tree, struct router_arena *arena)
{
    *tree = (struct router_tree){.arena = arena, .fold = true};
    tree->root = router_arena_take(arena, sizeof(*tree->root));
}

size_t router_tree_significant_len(const struct router_tree *tree, const struct router_entry *entry,
                                   const char *text, size_t len)
{
    const char *pattern = entry->pattern.text;
    size_t pattern_len = strlen(pattern);
    if (entry->kind == ROUTER_ROUTE && (tree->is_strict || pattern_len == 1)) {
        return len;
    }
    while (len > 0 && text[len - 1] == '/' && pattern_len > 0 && pattern[pattern_len - 1] == '/') {
        len--;
        pattern_len--;
    }
    return len;
}

static const char *keep_text(const struct router_tree *tree, const char *text, size_t len)
{
    char *kept = router_arena_take(tree->arena, len + 1);
    memcpy(kept, text, len);
    if (tree->fold) {
        router_text_fold(kept, len);
    }
    return kept;
}

static struct router_node *find_edge(const struct router_node *node, const char *text, size_t len,
                                     bool fold)
{
    if (node->edge_room == 0) {
        return NULL;
    }
    uint64_t hash = router_text_hash(text, len, fold);
    size_t mask = node->edge_room - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        const struct edge *edge = &node->edges[i];
        if (edge->node == NULL) {
            return NULL;
        }
        if (edge->hash == hash && edge->len == len &&
            router_text_equal(edge->text, text, len, fold)) {
            return edge->node;
        }
    }
}

static void place_edge(struct edge *edges, size_t room, struct edge edge)
{
    size_t i = edge.hash & (room - 1);
    while (edges[i].node != NULL) {
        i = (i + 1) & (room - 1);
    }
    edges[i] = edge;
}

static void grow_edges(const struct router_tree *tree, struct router_node *node)
{
    size_t room = node->edge_room == 0 ? 4 : node->edge_room * 2;
    struct edge *edges = router_arena_take(tree->arena, room * sizeof(edges[0]));
    for (size_t i = 0; i < node->edge_room; i++) {
        if (node->edges[i].node != NULL) {
            place_edge(edges, room, node->edges[i]);
        }
    }
    node->edges = edges; /* the old ones stay in the arena: together as much as the new ones */
    node->edge_room = room;
}

static struct router_node *child_by_text(const struct router_tree *tree, struct router_node *node,
                                         const char *text, size_t len)
{
    struct router_node *child = find_edge(node, text, len, tree->fold);
    if (child != NULL) {
        return child;
    }
    if (node->edge_count * 2 >= node->edge_room) {
        grow_edges(tree, node);
    }
    child = router_arena_take(tree->arena, sizeof(*child));
    struct edge edge = {.hash = router_text_hash(text, len, tree->fold),
                        .text = keep_text(tree, text, len),
                        .len = len,
                        .node = child};
    place_edge(node->edges, node->edge_room, edge);
    node->edge_count++;
    return child;
}

static struct router_node *child_by_mix(const struct router_tree *tree, struct router_node *node,
                                        struct router_segment *segment)
{
    segment->fold = tree->fold;
    for (size_t i = 0; i <= segment->param_count; i++) {
        segment->literals[i] = keep_text(tree, segment->literals[i], segment->lens[i]);
    }
    struct mixed_edge **link = &node->mixed;
    for (; *link != NULL; link = &(*link)->next) {
        if (router_segment_equal(&(*link)->segment, segment)) {
            return (*link)->node;
        }
    }
    struct mixed_edge *edge = router_arena_take(tree->arena, sizeof(*edge));
    edge->segment = *segment;
    edge->node = router_arena_take(tree->arena, sizeof(*edge->node));
    *link = edge;
    return edge->node;
}

static struct router_node *child_by_segment(const struct router_tree *tree,
                                            struct router_node *node,
                                            struct router_segment *segment)
{
    if (segment->param_count == 0) {
        return child_by_text(tree, node, segment->literals[0], segment->lens[0]);
    }
    if (segment->param_count > 1 || segment->lens[0] > 0 || segment->lens[1] > 0) {
        return child_by_mix(tree, node, segment);
    }
    if (node->param == NULL) {
        node->param = router_arena_take(tree->arena, sizeof(*node->param));
    }
    return node->param;
}

static void start_segment(struct router_segment *segment)
{
    *segment = (struct router_segment){.literals = {""}};
}

/* Follows or makes the edges for the literal up to len; the piece after its last slash becomes
 * part of the open segment. */
static struct router_node *follow_literal(const struct router_tree *tree, struct router_node *node,
                                          struct router_segment *segment, const char *text,
                                          size_t len)
{
    for (;;) {
        const char *slash = len == 0 ? NULL : memchr(text, '/', len);
        size_t piece_len = slash == NULL ? len : (size_t)(slash - text);
        segment->literals[segment->param_count] = text;
        segment->lens[segment->param_count] = piece_len;
        if (slash == NULL) {
            return node;
        }
        node = child_by_segment(tree, node, segment);
        start_segment(segment);
        text += piece_len + 1;
        len -= piece_len + 1;
    }
}

static void append_terminal(struct router_terminals *terminals, struct router_terminal *terminal)
{
    if (terminals->last == NULL) {
        terminals->first = terminal;
    } else {
        terminals->last->next = terminal;
    }
    terminals->last = terminal;
}

void router_tree_add(struct router_tree *tree, const struct pattern_path *path,
                     const struct router_entry *entry, uint32_t rank)
{
    struct router_terminal *terminal = router_arena_take(tree->arena, sizeof(*terminal));
    terminal->entry = entry;
    terminal->rank = rank;
    struct router_node *node = tree->root;
    struct router_segment segment;
    start_segment(&segment);
    bool is_open = false; /* a segment has begun: the path's first slash was seen */
    for (size_t i = 0; i < path->count; i++) {
        const struct pattern_token *token = &path->tokens[i];
        if (token->kind == PATTERN_WILDCARD) {
            terminal->names[terminal->capture_count++] = (uint8_t)token->name;
            append_terminal(i == 0 ? &tree->anything : &node->wildcards, terminal);
            return;
        }
        if (token->kind == PATTERN_PARAM) {
            terminal->names[terminal->capture_count++] = (uint8_t)token->name;
            segment.param_count++;
            segment.literals[segment.param_count] = "";
            continue;
        }
        size_t len = token->len;
        if (i + 1 == path->count) {
            len = router_tree_significant_len(tree, entry, token->text, len);
        }
        size_t skipped = !is_open && len > 0 ? 1 : 0; /* the slash that only opens */
        is_open = is_open || len > 0;
        node = follow_literal(tree, node, &segment, token->text + skipped, len - skipped);
    }
    if (is_open) {
        node = child_by_segment(tree, node, &segment);
    }
    append_terminal(entry->kind == ROUTER_PREFIX ? &node->prefixes : &node->routes, terminal);
}

/* What is mounted took the path before `end`; but req.base_url never ends in a slash. */
static void add_steps(struct walk *walk, const struct router_terminals *terminals, size_t end)
{
    size_t prefix_len = end > 0 && walk->path[end - 1] == '/' ? end - 1 : end;
    for (const struct router_terminal *terminal = terminals->first; terminal != NULL;
         terminal = terminal->next) {
        const struct router_entry *entry = terminal->entry;
        size_t name_count = entry->pattern.name_count;
        struct router_capture *captures;
        struct router_step *step =
            router_chain_add(walk->chain, terminal->rank, name_count, &captures);
        if (step == NULL) {
            return;
        }
        step->entry = entry;
        step->prefix_len = entry->kind == ROUTER_PREFIX ? (uint32_t)prefix_len : 0;
        if (name_count > terminal->capture_count) {
            memset(captures, 0, name_count * sizeof(captures[0]));
        }
        for (size_t i = 0; i < terminal->capture_count; i++) {
            captures[terminal->names[i]] = walk->captures[i];
        }
    }
}

static void add_wildcards(struct walk *walk, const struct router_terminals *terminals, size_t start,
                          size_t captured)
{
    if (terminals->first == NULL || start >= walk->len) {
        return;
    }
    walk->captures[captured] =
        (struct router_capture){.start = (uint32_t)start, .len = (uint32_t)(walk->len - start)};
    add_steps(walk, terminals, walk->len);
}

static void walk_node(struct walk *walk, const struct router_node *node, size_t at,
                      size_t captured);

static void walk_mixed(struct walk *walk, const struct router_node *node, size_t start, size_t end,
                       size_t captured)
{
    for (const struct mixed_edge *edge = node->mixed; edge != NULL; edge = edge->next) {
        struct router_capture *captures = &walk->captures[captured];
        size_t count = edge->segment.param_count;
        if (router_segment_match(&edge->segment, walk->path + start, end - start, captures)) {
            for (size_t i = 0; i < count; i++) {
                captures[i].start += (uint32_t)start;
            }
            walk_node(walk, edge->node, end, captured + count);
        }
    }
}

/* The path before `at`, where a slash or the end stands, led to the node. */
static void walk_node(struct walk *walk, const struct router_node *node, size_t at, size_t captured)
{
    for (;;) {
        size_t left = walk->len - at;
        add_steps(walk, &node->prefixes, at);
        if (left == 0 || (left == 1 && !walk->tree->is_strict)) {
            add_steps(walk, &node->routes, 0);
        }
        if (left == 0) {
            return;
        }
        size_t start = at + 1;
        const char *slash = memchr(walk->path + start, '/', left - 1);
        size_t end = slash == NULL ? walk->len : (size_t)(slash - walk->path);
        add_wildcards(walk, &node->wildcards, start, captured);
        walk_mixed(walk, node, start, end, captured);
        const struct router_node *child =
            find_edge(node, walk->path + start, end - start, walk->tree->fold);
        if (end > start && node->param != NULL) {
            if (child != NULL) {
                walk_node(walk, child, end, captured);
            }
            walk->captures[captured++] =
                (struct router_capture){.start = (uint32_t)start, .len = (uint32_t)(end - start)};
            child = node->param;
        }
        if (child == NULL) {
            return;
        }
        node = child;
        at = end;
    }
}

void router_tree_match(const struct router_tree *tree, const char *path, size_t len,
                       struct router_chain *chain)
{
    struct walk walk; /* captures are written before they are read */
    walk.tree = tree;
    walk.path = path;
    walk.len = len;
    walk.chain = chain;
    add_wildcards(&walk, &tree->anything, 0, 0);
    if (path[0] == '/') {
        walk_node(&walk, tree->root, 0, 0);
    } else {
        add_steps(&walk, &tree->root->prefixes, 0); /* "*" of OPTIONS: what is mounted at "/" */
    }
}
