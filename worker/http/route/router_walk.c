/* router_walk.c - the walk through a router's tree that finds what a path meets.
 * Owns nothing.  It follows every edge that fits, because all matching entries are wanted, and adds a step at each terminal it meets.
 * Bound: each edge consumes exactly one segment, so a node can be reached in one way only and is
 * visited at most once a match: at most (nodes) x (one segment comparison) steps, whatever the
 * path; there is nothing to backtrack over and nothing to memoise.  Recursion is as deep as the
 * longest pattern has segments (PATTERN_TEXT_MAX).
 * router.c matches for each request.  Must not know methods or values. */
#include "worker/http/route/router_tree.h"

#include <string.h>

#include "worker/http/route/router.h"
#include "worker/http/route/router_chain.h"
#include "worker/http/route/router_node.h"
#include "worker/http/route/router_text.h"
#include "worker/http/route/router_wild.h"

struct walk {
    const char *path;
    size_t len;
    struct router_chain *chain;
    struct router_capture captures[PATTERN_NAMES_MAX]; /* of the way to the current node */
};

struct router_node *router_node_find(const struct router_node *node, const char *text, size_t len)
{
    if (node->edge_room == 0) {
        return NULL;
    }
    uint64_t hash = router_text_hash(text, len, true);
    size_t mask = node->edge_room - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        const struct router_edge *edge = &node->edges[i];
        if (edge->node == NULL) {
            return NULL;
        }
        if (edge->hash == hash && edge->len == len &&
            router_text_equal(edge->text, text, len, true)) {
            return edge->node;
        }
    }
}

bool router_terminal_is_exact(const struct router_terminal *terminal, const char *text)
{
    const struct pattern_path *path = terminal->path;
    size_t at = (size_t)(text - pattern_path_bytes(path));
    size_t part = 0;
    while (part + 1 < terminal->entry->pattern.part_count && at >= path->part_bytes[part]) {
        part++;
    }
    return (terminal->entry->sensitive_parts >> part & 1) != 0;
}

/* The tree does not look at the case of letters; where that counts, the text is compared once more. */
static bool is_spelled(const struct walk *walk, const struct router_terminal *terminal)
{
    const struct pattern_path *path = terminal->path;
    const struct router_capture *capture = walk->captures;
    size_t at = 0;
    for (size_t i = 0; i < path->count && path->tokens[i].kind != PATTERN_WILDCARD; i++) {
        const struct pattern_token *token = &path->tokens[i];
        if (token->kind == PATTERN_PARAM) {
            /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the walk has one for each */
            at = (size_t)capture->start + capture->len;
            capture++;
            continue;
        }
        size_t len = token->len;
        if (i + 1 == path->count) {
            len = router_tree_significant_len(terminal->entry, path, token->text, len);
        }
        for (size_t j = 0; j < len && at < walk->len; j++, at++) {
            if (walk->path[at] != token->text[j] &&
                router_terminal_is_exact(terminal, token->text + j)) {
                return false;
            }
        }
    }
    return true;
}

static void add_step(struct walk *walk, const struct router_terminal *terminal, size_t prefix_len)
{
    const struct router_entry *entry = terminal->entry;
    size_t name_count = entry->pattern.name_count;
    struct router_capture *captures;
    struct router_step *step = router_chain_add(walk->chain, terminal->rank, name_count, &captures);
    if (step == NULL) {
        return;
    }
    step->entry = entry;
    step->path = terminal->path;
    step->prefix_len = entry->kind == ROUTER_PREFIX ? (uint32_t)prefix_len : 0;
    if (name_count > terminal->capture_count) {
        memset(captures, 0, name_count * sizeof(captures[0]));
    }
    for (size_t i = 0; i < terminal->capture_count; i++) {
        captures[terminal->names[i]] = walk->captures[i];
    }
}

/* What is mounted took the path before `end`; but req.base_url never ends in a slash. */
static void add_steps(struct walk *walk, const struct router_terminals *terminals, size_t end)
{
    size_t prefix_len = end > 0 && walk->path[end - 1] == '/' ? end - 1 : end;
    for (const struct router_terminal *terminal = terminals->first; terminal != NULL;
         terminal = terminal->next) {
        if (terminal->entry->sensitive_parts == 0 || is_spelled(walk, terminal)) {
            add_step(walk, terminal, prefix_len);
        }
    }
}

/* The path ends at the node, but for so many more slashes.  One may be there unless strict; below what a route is mounted at, "/" is
 * that itself, and may have one more. */
static void add_routes(struct walk *walk, const struct router_terminals *terminals, size_t slashes)
{
    for (const struct router_terminal *terminal = terminals->first; terminal != NULL;
         terminal = terminal->next) {
        const struct router_entry *entry = terminal->entry;
        size_t allowed = (terminal->is_mount ? 1U : 0U) + (entry->is_strict ? 0U : 1U);
        if (slashes <= allowed && (entry->sensitive_parts == 0 || is_spelled(walk, terminal))) {
            add_step(walk, terminal, 0);
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
    for (const struct router_mixed_edge *edge = node->mixed; edge != NULL; edge = edge->next) {
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
        if (left <= 1 || (left == 2 && walk->path[at + 1] == '/')) {
            add_routes(walk, &node->routes, left);
        }
        if (left == 0) {
            return;
        }
        size_t start = at + 1;
        const char *slash = memchr(walk->path + start, '/', left - 1);
        size_t end = slash == NULL ? walk->len : (size_t)(slash - walk->path);
        add_wildcards(walk, &node->wildcards, start, captured);
        walk_mixed(walk, node, start, end, captured);
        const struct router_node *child = router_node_find(node, walk->path + start, end - start);
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

/* Those that the tree cannot hold, one after the other. */
static void add_wild(const struct walk *walk, const struct router_terminal *terminal)
{
    for (; terminal != NULL; terminal = terminal->next) {
        const struct router_entry *entry = terminal->entry;
        struct router_capture found[ROUTER_WILD_CAPTURES_MAX];
        if (!router_wild_match(terminal->wild, walk->path, walk->len, found)) {
            continue;
        }
        size_t count = entry->pattern.name_count + entry->pattern.part_count;
        struct router_capture *captures;
        struct router_step *step = router_chain_add(walk->chain, terminal->rank, count, &captures);
        if (step == NULL) {
            return;
        }
        memcpy(captures, found, count * sizeof(captures[0]));
        step->entry = entry;
        step->path = terminal->path;
        step->prefix_len = entry->kind == ROUTER_PREFIX ? found[count - 1].len : 0;
    }
}

void router_tree_match(const struct router_tree *tree, const char *path, size_t len,
                       struct router_chain *chain)
{
    struct walk walk; /* captures are written before they are read */
    walk.path = path;
    walk.len = len;
    walk.chain = chain;
    add_wildcards(&walk, &tree->anything, 0, 0);
    if (path[0] == '/') {
        walk_node(&walk, tree->root, 0, 0);
    } else {
        add_steps(&walk, &tree->root->prefixes, 0); /* "*" of OPTIONS: what is mounted at "/" */
    }
    if (tree->wild.first != NULL) {
        add_wild(&walk, tree->wild.first);
    }
}
