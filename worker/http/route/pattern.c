/* pattern.c - the path patterns of routes, in the syntax of Express 5 (path-to-regexp 8).
 * Owns the parsed form of one pattern.  The text is read once into marks (pattern_marks.c);
 * then each way of taking or leaving the groups is written out as one path, groups taken first,
 * because that is the order in which Express tries them.  Each path is checked by itself: `/a{b}`
 * is fine although `b` alone would not be.
 * The router calls it at registration, and whoever builds a URL from a named route.
 * Pure: no log, no Lua.  Must not know how paths are matched (router_tree.c, router_segment.c, router_wild.c). */
#include "worker/http/route/pattern.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/http/route/pattern_marks.h"

enum { PATH_TOKENS_MAX = PATTERN_NAMES_MAX * 2 + 1 };

/* The path being written out while the groups are walked. */
struct draft {
    struct pattern_token tokens[PATH_TOKENS_MAX];
    size_t count;
    char bytes[PATTERN_TEXT_MAX];
    size_t used;
    size_t part_bytes[PATTERN_PARTS_MAX]; /* how many when the part ended */
};

static void *take(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        abort(); /* the worker's rule: the master starts another one */
    }
    return memory;
}

static size_t part_of_name(const struct pattern *pattern, size_t name)
{
    size_t part = 0;
    while (name >= pattern->part_names[part]) {
        part++;
    }
    return part;
}

/* Whether the token, a capture, is the last one of its part, and which comes behind it is another part's. */
static bool ends_part(const struct pattern *pattern, const struct draft *draft,
                      const struct pattern_token *token)
{
    const struct pattern_token *next = token + 1;
    size_t part = part_of_name(pattern, token->name);
    return next->kind == PATTERN_LITERAL
               ? (size_t)(next->text - draft->bytes) >= draft->part_bytes[part]
               : part_of_name(pattern, next->name) != part;
}

/* Two tokens in a row. */
static int check_pair(const struct pattern_marks *marks, const struct draft *draft,
                      const struct pattern_token *token)
{
    const struct pattern_token *next = token + 1;
    if (token->kind == PATTERN_LITERAL) {
        return 0;
    }
    bool is_apart = ends_part(marks->pattern, draft, token);
    if (is_apart && token->kind == PATTERN_WILDCARD) {
        return fsd_err_set(marks->err, EINVAL,
                           "cannot add route \"%s\": nothing may follow the wildcard at position "
                           "%zu, which takes all of the path already where it is mounted",
                           marks->pattern->text, token->position);
    }
    if (!is_apart && next->kind != PATTERN_LITERAL) {
        return fsd_err_set(marks->err, EINVAL,
                           "cannot add route \"%s\": no text between the %s at position %zu and "
                           "the one before it",
                           marks->pattern->text,
                           next->kind == PATTERN_PARAM ? "parameter" : "wildcard", next->position);
    }
    return 0;
}

static int check_draft(const struct pattern_marks *marks, const struct draft *draft)
{
    const struct pattern_token *first = &draft->tokens[0];
    if (draft->count > 0 && first->kind != PATTERN_WILDCARD &&
        (first->kind == PATTERN_PARAM || draft->bytes[0] != '/')) {
        return fsd_err_set(marks->err, EINVAL,
                           "cannot add route \"%s\": the path must start with \"/\" at position "
                           "%zu",
                           marks->pattern->text, first->position);
    }
    for (size_t i = 0; i + 1 < draft->count; i++) {
        int r = check_pair(marks, draft, &draft->tokens[i]);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* Whether a wildcard is more than the last segments of the path. */
static bool is_wild(const struct draft *draft)
{
    for (size_t i = 0; i < draft->count; i++) {
        const struct pattern_token *token = &draft->tokens[i];
        const struct pattern_token *before = i == 0 ? NULL : token - 1;
        if (token->kind == PATTERN_WILDCARD &&
            (i + 1 < draft->count || (before != NULL && (before->kind != PATTERN_LITERAL ||
                                                         before->text[before->len - 1] != '/')))) {
            return true;
        }
    }
    return false;
}

static size_t count_segments(const char *bytes, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        count += bytes[i] == '/';
    }
    return count;
}

static void keep_parts(const struct pattern *pattern, const struct draft *draft,
                       struct pattern_path *path)
{
    const struct pattern_token *last = draft->count == 0 ? NULL : &draft->tokens[draft->count - 1];
    for (size_t i = 0; i < pattern->part_count; i++) {
        bool takes_all =
            last != NULL && last->kind == PATTERN_WILDCARD && last->name < pattern->part_names[i];
        path->part_bytes[i] = (uint16_t)draft->part_bytes[i];
        path->part_segments[i] = takes_all
                                     ? PATTERN_WHOLE
                                     : (uint16_t)count_segments(draft->bytes, draft->part_bytes[i]);
    }
}

/* Copies the draft into one block: the tokens, then the literal bytes. */
static int keep_draft(struct pattern_marks *marks, const struct draft *draft)
{
    struct pattern *pattern = marks->pattern;
    int r = check_draft(marks, draft);
    if (r < 0) {
        return r;
    }
    if (pattern->path_count == PATTERN_PATHS_MAX) {
        return fsd_err_set(marks->err, EINVAL,
                           "cannot add route \"%s\": its groups make more than %d paths; write "
                           "several routes",
                           pattern->text, PATTERN_PATHS_MAX);
    }
    struct pattern_path *path = &pattern->paths[pattern->path_count++];
    keep_parts(pattern, draft, path);
    path->is_wild = is_wild(draft);
    if (draft->count == 0) {
        return 0;
    }
    size_t tokens_size = draft->count * sizeof(draft->tokens[0]);
    path->tokens = take(1, tokens_size + draft->used);
    path->count = draft->count;
    char *bytes = (char *)path->tokens + tokens_size;
    memcpy(path->tokens, draft->tokens, tokens_size);
    memcpy(bytes, draft->bytes, draft->used);
    for (size_t i = 0; i < path->count; i++) {
        if (path->tokens[i].kind == PATTERN_LITERAL) {
            path->tokens[i].text = bytes + (draft->tokens[i].text - draft->bytes);
        }
    }
    return 0;
}

static void add_to_draft(struct draft *draft, const struct pattern_mark *mark)
{
    struct pattern_token *last = draft->count == 0 ? NULL : &draft->tokens[draft->count - 1];
    if (mark->kind == PATTERN_MARK_TEXT && last != NULL && last->kind == PATTERN_LITERAL) {
        last->len += mark->len;
    } else {
        static const enum pattern_token_kind kinds[] = {PATTERN_LITERAL, PATTERN_PARAM,
                                                        PATTERN_WILDCARD};
        draft->tokens[draft->count++] = (struct pattern_token){
            .kind = kinds[mark->kind],
            .text = mark->kind == PATTERN_MARK_TEXT ? draft->bytes + draft->used : NULL,
            .len = mark->len,
            .name = mark->name,
            .position = mark->position};
    }
    memcpy(draft->bytes + draft->used, mark->text, mark->len);
    draft->used += mark->len;
}

/* Writes out every path that begins with the draft and goes on at the mark.  The recursion is as
 * deep as there are groups taken, and ends at the first path beyond the maximum. */
static int expand(struct pattern_marks *marks, struct draft *draft, size_t index)
{
    for (; index < marks->count; index++) {
        const struct pattern_mark *mark = &marks->items[index];
        if (mark->kind == PATTERN_MARK_CLOSE) {
            continue;
        }
        if (mark->kind == PATTERN_MARK_PART_END) {
            draft->part_bytes[mark->name] = draft->used;
            continue;
        }
        if (mark->kind != PATTERN_MARK_OPEN) {
            add_to_draft(draft, mark);
            continue;
        }
        size_t count = draft->count;
        size_t used = draft->used;
        size_t last_len = count == 0 ? 0 : draft->tokens[count - 1].len;
        int r = expand(marks, draft, index + 1);
        if (r < 0) {
            return r;
        }
        draft->count = count;
        draft->used = used;
        if (count > 0) {
            draft->tokens[count - 1].len = last_len;
        }
        index = mark->group;
    }
    return keep_draft(marks, draft);
}

int pattern_parse(struct pattern *ret_pattern, const char *text, size_t len, struct fsd_err *err)
{
    return pattern_parse_parts(ret_pattern, text, len, NULL, 1, err);
}

int pattern_parse_parts(struct pattern *ret_pattern, const char *text, size_t len,
                        const size_t *ends, size_t count, struct fsd_err *err)
{
    assert(count >= 1 && count <= PATTERN_PARTS_MAX);
    if (len == 0) {
        return fsd_err_set(err, EINVAL, "cannot add route \"\": the path must start with \"/\"");
    }
    if (len > PATTERN_TEXT_MAX) {
        return fsd_err_set(err, EINVAL, "cannot add route \"%.40s...\": longer than %d bytes", text,
                           PATTERN_TEXT_MAX);
    }
    struct pattern pattern = {.part_count = count};
    pattern.text = take(2, len + 1);
    memcpy(pattern.text, text, len);
    pattern.paths = take(PATTERN_PATHS_MAX, sizeof(pattern.paths[0]));
    struct pattern_marks marks = {.pattern = &pattern,
                                  .len = len,
                                  .out = pattern.text + len + 1,
                                  .part_ends = ends,
                                  .items =
                                      take(len + PATTERN_PARTS_MAX, sizeof(struct pattern_mark)),
                                  .open_group = PATTERN_NO_GROUP,
                                  .err = err};
    struct draft draft = {.count = 0};
    int r = pattern_marks_read(&marks);
    if (r == 0) {
        r = expand(&marks, &draft, 0);
    }
    free(marks.items);
    if (r < 0) {
        pattern_fini(&pattern);
        return r;
    }
    struct pattern_path *paths = /* most have one */
        realloc(pattern.paths, pattern.path_count * sizeof(paths[0]));
    if (paths != NULL) {
        pattern.paths = paths;
    }
    *ret_pattern = pattern;
    return 0;
}

size_t pattern_first_name(const struct pattern *pattern, size_t part)
{
    return part == 0 ? 0 : pattern->part_names[part - 1];
}

const char *pattern_path_bytes(const struct pattern_path *path)
{
    return path->count == 0 ? NULL : (const char *)(path->tokens + path->count);
}

void pattern_fini(struct pattern *pattern)
{
    for (size_t i = 0; i < pattern->path_count; i++) {
        free(pattern->paths[i].tokens);
    }
    free(pattern->paths);
    free(pattern->text);
    *pattern = (struct pattern){.text = NULL};
}
