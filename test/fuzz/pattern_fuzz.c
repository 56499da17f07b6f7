/* sources: worker/http/route/pattern.c worker/http/route/pattern_marks.c worker/http/route/pattern_write.c worker/http/route/router.c worker/http/route/router_tree.c worker/http/route/router_walk.c worker/http/route/router_segment.c worker/http/route/router_wild.c worker/http/route/router_chain.c worker/http/route/router_arena.c worker/http/route/router_text.c worker/http/app/param_kind.c common/err.c | */
/* A pattern whose parts are parted by line breaks, values for its names behind a NUL: what is written from values matches the
 * pattern again, and the parts end where the path says. */
#include "worker/http/route/pattern_write.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/http/app/param_kind.h"
#include "worker/http/route/router.h"
#include "worker/http/route/router_arena.h"
#include "worker/http/route/router_segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void *take_from_arena(void *ctx, size_t size)
{
    return router_arena_take(ctx, size);
}

/* Each part is a pattern by itself, as registration sees to. */
static bool read_parts(const char *text, size_t len, struct router_rule *rule, char *path,
                       size_t *ends)
{
    struct pattern part;
    struct fsd_err err;
    size_t used = 0;
    for (const char *end = text + len; text <= end;) {
        const char *line = memchr(text, '\n', (size_t)(end - text));
        size_t part_len = (size_t)((line != NULL ? line : end) - text);
        if (rule->part_count == PATTERN_PARTS_MAX ||
            (part_len > 0 && pattern_parse(&part, text, part_len, &err) != 0)) {
            return false;
        }
        if (part_len > 0) {
            pattern_fini(&part);
        }
        memcpy(path + used, text, part_len);
        used += part_len;
        ends[rule->part_count++] = used;
        text += part_len + 1;
    }
    rule->path_len = used;
    return true;
}

/* Writes a path of the pattern, with the value for every name that has one. */
static size_t write_path(const struct pattern *pattern, const char *value, size_t len, uint8_t mask,
                         char *out)
{
    bool has_value[PATTERN_NAMES_MAX];
    size_t missing = 0;
    size_t used = 0;
    for (size_t i = 0; i < PATTERN_NAMES_MAX; i++) {
        has_value[i] = len > 0 && (mask >> (i % 8) & 1) != 0;
    }
    const struct pattern_path *path = pattern_write_choose(pattern, has_value, &missing);
    if (path == NULL) {
        demand(missing < pattern->name_count && !has_value[missing]);
        return 0;
    }
    for (size_t i = 0; i < path->count; i++) {
        const struct pattern_token *token = &path->tokens[i];
        if (token->kind == PATTERN_LITERAL) {
            memcpy(out + used, token->text, token->len);
            used += token->len;
        } else {
            used += pattern_write_escaped(out + used, value, len);
        }
    }
    return used;
}

static void check(struct router *router, const char *path, size_t len)
{
    struct router_arena arena = {0};
    struct router_memory memory = {.alloc = take_from_arena, .ctx = &arena};
    struct router_chain chain;
    if (len < ROUTER_PATH_MAX && router_match(router, path, len, &memory, &chain) == 0) {
        for (size_t i = 0; i < chain.count; i++) {
            size_t base = 0;
            for (size_t part = 0; part <= chain.steps[i].entry->pattern.part_count; part++) {
                size_t next = router_step_base(&chain.steps[i], part, path, len);
                demand(next <= len && next + 1 >= base);
                base = next;
            }
        }
    }
    router_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { INPUT_MAX = 512 };
    if (size < 2 || size > INPUT_MAX) {
        return 0;
    }
    const char *text = (const char *)data + 1;
    size_t text_len = strnlen(text, size - 1);
    const char *value = text_len + 2 <= size ? text + text_len + 1 : text + text_len;
    size_t value_len = size - 1 - (size_t)(value - text);
    char path[INPUT_MAX];
    size_t ends[PATTERN_PARTS_MAX];
    struct fsd_err err;
    struct router_rule rule = {.path = path, .part_ends = ends, .sensitive_parts = data[0] >> 4};
    for (int kind = PARAM_ANY; kind < PARAM_KINDS; kind++) {
        (void)param_kind_fits((enum param_kind)kind, value, value_len);
    }
    if (!read_parts(text, text_len, &rule, path, ends)) {
        return 0;
    }
    struct router *router = router_new();
    if (router_add(router, &rule, &err) == 0) {
        char *out = malloc(PATTERN_TEXT_MAX + (size_t)PATTERN_NAMES_MAX * 3 * INPUT_MAX);
        router_freeze(router);
        size_t len = write_path(&router_newest(router)->pattern, value, value_len, data[0], out);
        check(router, out, len);
        check(router, value, value_len);
        free(out);
    }
    router_free(router);
    return 0;
}
