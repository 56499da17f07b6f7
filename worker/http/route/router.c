/* router.c - which entries (routes, mounted middleware) a request path meets, in Express's order.
 * Owns the entries, the tree of their paths, and a table of the literal ones.  Entries are added
 * while an application loads; the freeze walks the tree once for each literal path and keeps the
 * whole chain, middleware and parameter routes included, so that such a request costs one look-up
 * and no copy; other paths walk the tree (router_tree.c).  Captures are offsets, so that a
 * kept chain is right for every spelling of its path.
 * The HTTP server matches each request, the generation adds and frees.  Nothing of a match lives
 * here: requests interleave.  Must not know methods beyond comparing them, nor what a value is. */
#include "worker/http/route/router.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/http/route/router_arena.h"
#include "worker/http/route/router_segment.h"
#include "worker/http/route/router_text.h"
#include "worker/http/route/router_tree.h"

/* Kept steps in all (8 MiB).  Beyond it, which takes thousands of literal paths under hundreds of
 * entries each, the rest of the literal paths walk the tree as well. */
enum { KEPT_STEPS_MAX = 256 * 1024 };

struct literal {
    const char *path; /* lower-case unless case counts somewhere; NULL: free place */
    size_t len;
    uint64_t hash;
    const struct router_step *steps;
    size_t count;
};

struct router {
    struct router_arena arena;
    struct router_tree tree;
    struct router_entry *first; /* in the arena; each owns its pattern */
    struct router_entry *last;
    uint32_t next_rank;
    bool is_frozen;
    bool
        is_exact; /* in some entry the case of letters counts: literal paths are looked up as they are spelled */
    struct literal *literals; /* open addressing; room is a power of two */
    size_t literal_room;
    size_t kept_steps;
};

struct router *router_new(void)
{
    struct router *router = calloc(1, sizeof(*router));
    if (router == NULL) {
        abort(); /* the worker's rule: the master starts another one */
    }
    router_tree_init(&router->tree, &router->arena);
    return router;
}

void router_free(struct router *router)
{
    if (router == NULL) {
        return;
    }
    for (struct router_entry *entry = router->first; entry != NULL; entry = entry->next) {
        pattern_fini(&entry->pattern);
    }
    router_arena_fini(&router->arena);
    free(router);
}

static const char *keep_method(struct router *router, const char *method)
{
    size_t size = strlen(method) + 1;
    return memcpy(router_arena_take(&router->arena, size), method, size);
}

int router_add(struct router *router, const struct router_rule *rule, struct fsd_err *err)
{
    assert(rule->kind == ROUTER_ROUTE || rule->method == NULL);
    if (router->is_frozen) {
        return fsd_err_set(
            err, EBUSY,
            "cannot add route \"%.*s\": the application has been started; add routes "
            "while it loads",
            (int)rule->path_len, rule->path);
    }
    struct pattern pattern;
    size_t part_count = rule->part_count == 0 ? 1 : rule->part_count;
    int r =
        pattern_parse_parts(&pattern, rule->path, rule->path_len, rule->part_ends, part_count, err);
    if (r < 0) {
        return r;
    }
    struct router_entry *entry = router_arena_take(&router->arena, sizeof(*entry));
    entry->kind = rule->kind;
    entry->value = rule->value;
    entry->group = rule->group;
    entry->sensitive_parts = rule->sensitive_parts;
    entry->is_strict = rule->is_strict;
    entry->pattern = pattern;
    router->is_exact = router->is_exact || rule->sensitive_parts != 0;
    if (rule->method != NULL) {
        entry->method = keep_method(router, rule->method);
        entry->method_len = strlen(rule->method);
    }
    if (router->last == NULL) {
        router->first = entry;
    } else {
        router->last->next = entry;
    }
    router->last = entry;
    for (size_t i = 0; i < pattern.path_count; i++) {
        router_tree_add(&router->tree, &pattern.paths[i], entry, router->next_rank++);
    }
    return 0;
}

static const struct literal *find_literal(const struct router *router, const char *path, size_t len)
{
    bool fold = !router->is_exact;
    uint64_t hash = router_text_hash(path, len, fold);
    size_t mask = router->literal_room - 1;
    for (size_t i = hash & mask; router->literals[i].path != NULL; i = (i + 1) & mask) {
        const struct literal *literal = &router->literals[i];
        if (literal->hash == hash && literal->len == len &&
            router_text_equal(literal->path, path, len, fold)) {
            return literal;
        }
    }
    return NULL;
}

static void *take_from_arena(void *ctx, size_t size)
{
    return router_arena_take(ctx, size);
}

static size_t captures_size(const struct router_step *step)
{
    const struct pattern *pattern = &step->entry->pattern;
    size_t count = pattern->name_count + (step->path->is_wild ? pattern->part_count : 0);
    return count * sizeof(step->captures[0]);
}

static bool is_same_chain(const struct literal *literal, const struct router_chain *chain)
{
    if (literal->count != chain->count) {
        return false;
    }
    for (size_t i = 0; i < chain->count; i++) {
        const struct router_step *a = &literal->steps[i];
        const struct router_step *b = &chain->steps[i];
        if (a->entry != b->entry || a->path != b->path || a->prefix_len != b->prefix_len ||
            (captures_size(a) > 0 && memcmp(a->captures, b->captures, captures_size(a)) != 0)) {
            return false;
        }
    }
    return true;
}

static const struct router_step *keep_steps(struct router *router, const struct router_chain *chain)
{
    struct router_step *steps =
        router_arena_take(&router->arena, chain->count * sizeof(chain->steps[0]));
    for (size_t i = 0; i < chain->count; i++) {
        size_t size = captures_size(&chain->steps[i]);
        steps[i] = chain->steps[i];
        if (size > 0) {
            struct router_capture *captures = router_arena_take(&router->arena, size);
            memcpy(captures, chain->steps[i].captures, size);
            steps[i].captures = captures;
        }
    }
    router->kept_steps += chain->count;
    return steps;
}

/* Works out the chain of one literal path and puts it into the table; the text with a trailing
 * slash mostly has the same chain as the one without, given as `like`. */
static const struct literal *add_literal(struct router *router, const char *path, size_t len,
                                         const struct literal *like)
{
    const struct literal *known = find_literal(router, path, len);
    if (known != NULL || router->kept_steps >= KEPT_STEPS_MAX) {
        return known;
    }
    struct router_arena scratch = {0};
    struct router_memory memory = {.alloc = take_from_arena, .ctx = &scratch};
    struct router_chain chain;
    router_chain_start(&chain, &memory);
    router_tree_match(&router->tree, path, len, &chain);
    (void)router_chain_finish(&chain); /* an arena never runs out: it aborts */
    uint64_t hash = router_text_hash(path, len, !router->is_exact);
    size_t i = hash & (router->literal_room - 1);
    while (router->literals[i].path != NULL) {
        i = (i + 1) & (router->literal_room - 1);
    }
    struct literal *literal = &router->literals[i];
    bool is_like = like != NULL && is_same_chain(like, &chain);
    literal->path = path;
    literal->len = len;
    literal->hash = hash;
    literal->steps = is_like ? like->steps : keep_steps(router, &chain);
    literal->count = chain.count;
    router_arena_fini(&scratch);
    return literal;
}

static const struct pattern_token *literal_token(const struct pattern_path *path)
{
    static const struct pattern_token root = {.kind = PATTERN_LITERAL, .text = "/", .len = 1};
    if (path->count == 0) {
        return &root;
    }
    return path->count == 1 && path->tokens[0].kind == PATTERN_LITERAL ? &path->tokens[0] : NULL;
}

static void add_literals(struct router *router, const struct router_entry *entry)
{
    for (size_t i = 0; i < entry->pattern.path_count; i++) {
        const struct pattern_token *token = literal_token(&entry->pattern.paths[i]);
        if (token == NULL) {
            continue;
        }
        const struct pattern_path *pattern_path = &entry->pattern.paths[i];
        size_t len = router_tree_significant_len(entry, pattern_path, token->text, token->len);
        char *path = router_arena_take(&router->arena, len + 1);
        memcpy(path, token->text, len);
        path[len] = '/';
        if (!router->is_exact) {
            router_text_fold(path, len);
        }
        const struct literal *bare = len == 0 ? NULL : add_literal(router, path, len, NULL);
        (void)add_literal(router, path, len + 1, bare);
    }
}

void router_freeze(struct router *router)
{
    assert(!router->is_frozen);
    router->is_frozen = true;
    router->literal_room = 4;
    while (router->literal_room < 4 * (size_t)router->next_rank) {
        router->literal_room *= 2; /* two spellings a path, half of the table free */
    }
    router->literals =
        router_arena_take(&router->arena, router->literal_room * sizeof(router->literals[0]));
    for (const struct router_entry *entry = router->first; entry != NULL; entry = entry->next) {
        add_literals(router, entry);
    }
}

int router_match(const struct router *router, const char *path, size_t len,
                 const struct router_memory *memory, struct router_chain *ret_chain)
{
    assert(router->is_frozen);
    if (len == 0) {
        path = "/";
        len = 1;
    }
    if (len >= ROUTER_PATH_MAX) {
        return -ENAMETOOLONG;
    }
    const struct literal *literal = find_literal(router, path, len);
    if (literal != NULL) {
        ret_chain->steps = literal->steps;
        ret_chain->count = literal->count;
        return 0;
    }
    router_chain_start(ret_chain, memory);
    router_tree_match(&router->tree, path, len, ret_chain);
    return router_chain_finish(ret_chain);
}

bool router_entry_takes(const struct router_entry *entry, const char *method, size_t len)
{
    if (entry->method == NULL) {
        return true;
    }
    if (entry->method_len == len && memcmp(entry->method, method, len) == 0) {
        return true;
    }
    return len == 4 && memcmp(method, "HEAD", 4) == 0 && entry->method_len == 3 &&
           memcmp(entry->method, "GET", 3) == 0;
}

size_t router_step_base(const struct router_step *step, size_t part_count, const char *path,
                        size_t len)
{
    if (part_count > 0 && step->path->is_wild) {
        return step->captures[step->entry->pattern.name_count + part_count - 1].len;
    }
    size_t segments = part_count == 0 ? 0 : step->path->part_segments[part_count - 1];
    size_t at = 0;
    for (; segments > 0 && at < len; segments--) {
        const char *slash = memchr(path + at + 1, '/', len - at - 1);
        at = slash == NULL ? len : (size_t)(slash - path);
    }
    return at == len && len > 0 && path[len - 1] == '/' ? len - 1 : at;
}

const struct router_entry *router_newest(const struct router *router)
{
    return router->last;
}

const struct router_entry *router_entries(const struct router *router)
{
    return router->first;
}
