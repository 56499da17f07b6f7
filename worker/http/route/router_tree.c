/* router_tree.c - the paths of a router as a tree of segments.
 * Owns the nodes (in the router's arena).  An edge is one segment: literal (by hash), parameter, or
 * mixed; a node holds the entries that end there (routes), those mounted there (prefixes) and
 * the wildcards that begin there.  Literal edges do not look at the case of letters; where it counts, the walk (router_walk.c) compares the
 * text once more.
 * router.c adds at registration.  Must not know methods or values. */
#include "worker/http/route/router_tree.h"

#include <string.h>

#include "worker/http/route/router.h"
#include "worker/http/route/router_arena.h"
#include "worker/http/route/router_node.h"
#include "worker/http/route/router_text.h"
#include "worker/http/route/router_wild.h"

void router_tree_init(struct router_tree *tree, struct router_arena *arena)
{
    *tree = (struct router_tree){.arena = arena};
    tree->root = router_arena_take(arena, sizeof(*tree->root));
}

/* How many literal bytes an alternative has of its own. */
static size_t count_own_bytes(const struct router_entry *entry, const struct pattern_path *path)
{
    size_t parts = entry->pattern.part_count;
    return (size_t)path->part_bytes[parts - 1] - path->part_bytes[parts - 2];
}

bool router_tree_is_mount(const struct router_entry *entry, const struct pattern_path *path)
{
    if (entry->kind != ROUTER_ROUTE || entry->pattern.part_count < 2) {
        return false;
    }
    size_t own = count_own_bytes(entry, path);
    const struct pattern_token *last = path->count == 0 ? NULL : &path->tokens[path->count - 1];
    if (last != NULL && last->kind != PATTERN_LITERAL &&
        last->name >= pattern_first_name(&entry->pattern, entry->pattern.part_count - 1)) {
        return false; /* it is a parameter or a wildcard */
    }
    /* what is not a slash alone begins with one, so its last token is no literal of one byte */
    return own == 0 || (own == 1 && last != NULL && last->kind == PATTERN_LITERAL);
}

size_t router_tree_significant_len(const struct router_entry *entry,
                                   const struct pattern_path *path, const char *text, size_t len)
{
    if (router_tree_is_mount(entry, path)) {
        return len - count_own_bytes(entry, path);
    }
    const char *pattern = entry->pattern.text;
    size_t pattern_len = strlen(pattern);
    if (entry->kind == ROUTER_ROUTE && (entry->is_strict || pattern_len == 1)) {
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
    router_text_fold(kept, len);
    return kept;
}

static void place_edge(struct router_edge *edges, size_t room, struct router_edge edge)
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
    struct router_edge *edges = router_arena_take(tree->arena, room * sizeof(edges[0]));
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
    struct router_node *child = router_node_find(node, text, len);
    if (child != NULL) {
        return child;
    }
    if (node->edge_count * 2 >= node->edge_room) {
        grow_edges(tree, node);
    }
    child = router_arena_take(tree->arena, sizeof(*child));
    struct router_edge edge = {.hash = router_text_hash(text, len, true),
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
    for (size_t i = 0; i <= segment->param_count && segment->fold; i++) {
        segment->literals[i] = keep_text(tree, segment->literals[i], segment->lens[i]);
    }
    struct router_mixed_edge **link = &node->mixed;
    for (; *link != NULL; link = &(*link)->next) {
        if (router_segment_equal(&(*link)->segment, segment)) {
            return (*link)->node;
        }
    }
    struct router_mixed_edge *edge = router_arena_take(tree->arena, sizeof(*edge));
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
    *segment = (struct router_segment){.literals = {""}, .fold = true};
}

/* A path that is being added: the node that it has come to, and the segment that is open. */
struct growth {
    const struct router_tree *tree;
    struct router_terminal *terminal;
    struct router_node *node;
    struct router_segment segment;
    bool is_open; /* a segment has begun: the path's first slash was seen */
};

static void close_segment(struct growth *growth)
{
    growth->node = child_by_segment(growth->tree, growth->node, &growth->segment);
    start_segment(&growth->segment);
}

/* Follows or makes the edges for the literal up to len; the piece after its last slash becomes
 * part of the open segment. */
static void follow_literal(struct growth *growth, const char *text, size_t len)
{
    const struct router_terminal *terminal = growth->terminal;
    struct router_segment *segment = &growth->segment;
    for (;;) {
        const char *slash = len == 0 ? NULL : memchr(text, '/', len);
        size_t piece_len = slash == NULL ? len : (size_t)(slash - text);
        segment->literals[segment->param_count] = text;
        segment->lens[segment->param_count] = piece_len;
        if (piece_len > 0 && router_terminal_is_exact(terminal, text)) {
            segment->fold = false;
        }
        if (slash == NULL) {
            return;
        }
        close_segment(growth);
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

static void follow_token(struct growth *growth, const struct pattern_token *token, bool is_last)
{
    struct router_terminal *terminal = growth->terminal;
    struct router_segment *segment = &growth->segment;
    if (token->kind == PATTERN_PARAM) {
        terminal->names[terminal->capture_count++] = (uint8_t)token->name;
        segment->param_count++;
        segment->literals[segment->param_count] = "";
        return;
    }
    size_t len = token->len;
    if (is_last) {
        len = router_tree_significant_len(terminal->entry, terminal->path, token->text, len);
    }
    size_t skipped = !growth->is_open && len > 0 ? 1 : 0; /* the slash that only opens */
    growth->is_open = growth->is_open || len > 0;
    follow_literal(growth, token->text + skipped, len - skipped);
}

void router_tree_add(struct router_tree *tree, const struct pattern_path *path,
                     const struct router_entry *entry, uint32_t rank)
{
    struct router_terminal *terminal = router_arena_take(tree->arena, sizeof(*terminal));
    terminal->entry = entry;
    terminal->path = path;
    terminal->rank = rank;
    terminal->is_mount = router_tree_is_mount(entry, path);
    if (path->is_wild) {
        terminal->wild = router_wild_new(tree->arena, entry, path);
        append_terminal(&tree->wild, terminal);
        return;
    }
    struct growth growth = {.tree = tree, .terminal = terminal, .node = tree->root};
    start_segment(&growth.segment);
    for (size_t i = 0; i < path->count; i++) {
        const struct pattern_token *token = &path->tokens[i];
        if (token->kind == PATTERN_WILDCARD) {
            terminal->names[terminal->capture_count++] = (uint8_t)token->name;
            append_terminal(i == 0 ? &tree->anything : &growth.node->wildcards, terminal);
            return;
        }
        follow_token(&growth, token, i + 1 == path->count);
    }
    if (growth.is_open) {
        close_segment(&growth);
    }
    append_terminal(entry->kind == ROUTER_PREFIX ? &growth.node->prefixes : &growth.node->routes,
                    terminal);
}
