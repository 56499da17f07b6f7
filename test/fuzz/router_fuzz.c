/* sources: worker/http/route/pattern.c worker/http/route/pattern_marks.c worker/http/route/router.c worker/http/route/router_tree.c worker/http/route/router_walk.c worker/http/route/router_segment.c worker/http/route/router_wild.c worker/http/route/router_chain.c worker/http/route/router_arena.c worker/http/route/router_text.c common/err.c | */
/* A byte of options, then lines: patterns (mounted when they begin with "+"), the last one the
 * path.  Whatever they are, steps come in order and once, and captures lie inside the path. */
#include "worker/http/route/router.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/http/route/router_arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *take_from_arena(void *ctx, size_t size)
{
    return router_arena_take(ctx, size);
}

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_step(const struct router_step *step, size_t path_len)
{
    demand(step->prefix_len <= path_len);
    demand(step->entry->kind == ROUTER_PREFIX || step->prefix_len == 0);
    for (size_t i = 0; i < step->entry->pattern.name_count; i++) {
        const struct router_capture *capture = &step->captures[i];
        demand(capture->start <= path_len && capture->len <= path_len - capture->start);
    }
}

static void check_match(const struct router *router, const char *path, size_t len)
{
    struct router_arena arena = {0};
    struct router_memory memory = {.alloc = take_from_arena, .ctx = &arena};
    struct router_chain chain;
    if (router_match(router, path, len, &memory, &chain) == 0) {
        const struct router_entry *entry = router_entries(router);
        for (size_t i = 0; i < chain.count; i++, entry = entry->next) {
            check_step(&chain.steps[i], len == 0 ? 1 : len);
            while (entry != NULL && entry != chain.steps[i].entry) {
                entry = entry->next;
            }
            demand(entry != NULL);
        }
    }
    router_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct router *router = router_new();
    const char *at = (const char *)data + 1;
    const char *end = (const char *)data + size;
    const char *line_end;
    while ((line_end = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        bool is_mounted = *at == '+';
        struct fsd_err err;
        struct router_rule rule = {.kind = is_mounted ? ROUTER_PREFIX : ROUTER_ROUTE,
                                   .path = at + (is_mounted ? 1 : 0),
                                   .sensitive_parts = data[0] & 5,
                                   .is_strict = (data[0] & 2) != 0};
        rule.path_len = (size_t)(line_end - rule.path);
        (void)router_add(router, &rule, &err); /* a refused pattern is as good as an added one */
        at = line_end + 1;
    }
    router_freeze(router);
    char *path = malloc((size_t)(end - at) + 1); /* its own block: reads beyond the end show */
    memcpy(path, at, (size_t)(end - at));
    check_match(router, path, (size_t)(end - at));
    free(path);
    router_free(router);
    return 0;
}
