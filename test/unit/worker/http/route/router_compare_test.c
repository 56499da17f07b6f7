/* Random routes and paths: the router must say what a naive matcher says. */
#include "worker/http/route/router.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "worker/http/route/router_arena.h"

/* A match of one path by trying everything, as the syntax is defined. */
struct naive {
    const struct pattern_path *path;
    const char *pattern;
    const char *text;
    size_t len;
    bool is_strict;
    bool is_prefix;
    bool is_case_sensitive;
    struct router_capture captures[PATTERN_NAMES_MAX];
    size_t end;
};

static bool same_text(const struct naive *naive, const struct pattern_token *token, size_t len,
                      size_t at)
{
    if (at + len > naive->len) {
        return false;
    }
    return naive->is_case_sensitive ? strncmp(token->text, naive->text + at, len) == 0
                                    : strncasecmp(token->text, naive->text + at, len) == 0;
}

/* Slashes at the end of the pattern do not count, but for the route "/" and when strict. */
static size_t literal_len(const struct naive *naive, size_t index)
{
    const struct pattern_token *token = &naive->path->tokens[index];
    size_t len = token->len;
    size_t ignored = 0;
    size_t pattern_len = strlen(naive->pattern);
    while (ignored < pattern_len && naive->pattern[pattern_len - 1 - ignored] == '/') {
        ignored++;
    }
    if (!naive->is_prefix && (naive->is_strict || strcmp(naive->pattern, "/") == 0)) {
        ignored = 0;
    }
    for (; index + 1 == naive->path->count && ignored > 0 && len > 0; ignored--) {
        len -= token->text[len - 1] == '/' ? 1 : 0;
    }
    return len;
}

/* Whether a parameter follows another one in its segment and so must not contain the text between
 * them. */
static bool is_after_param(const struct naive *naive, size_t index)
{
    return index >= 2 && memchr(naive->path->tokens[index - 1].text, '/',
                                naive->path->tokens[index - 1].len) == NULL;
}

static bool naive_from(struct naive *naive, size_t index, size_t at)
{
    if (index == naive->path->count) {
        bool is_slash_last = at + 1 == naive->len && naive->text[at] == '/';
        naive->end = at > 0 && naive->text[at - 1] == '/' ? at - 1 : at;
        return at == naive->len || (is_slash_last && !naive->is_strict) ||
               (naive->is_prefix && (naive->text[at] == '/' || at == 0));
    }
    const struct pattern_token *token = &naive->path->tokens[index];
    if (token->kind == PATTERN_LITERAL) {
        size_t len = literal_len(naive, index);
        return same_text(naive, token, len, at) && naive_from(naive, index + 1, at + len);
    }
    if (token->kind == PATTERN_WILDCARD) {
        naive->captures[token->name] =
            (struct router_capture){(uint32_t)at, (uint32_t)(naive->len - at)};
        naive->end =
            naive->len > at && naive->text[naive->len - 1] == '/' ? naive->len - 1 : naive->len;
        return naive->len > at;
    }
    for (size_t end = at; end < naive->len && naive->text[end] != '/'; end++) {
        if (is_after_param(naive, index) && same_text(naive, token - 1, (token - 1)->len, end)) {
            break;
        }
        if (naive_from(naive, index + 1, end + 1)) {
            naive->captures[token->name] =
                (struct router_capture){(uint32_t)at, (uint32_t)(end + 1 - at)};
            return true;
        }
    }
    return false;
}

static bool ends_as_it_must(const struct naive *naive, size_t at)
{
    bool is_slash_last = at + 1 == naive->len && naive->text[at] == '/';
    return at == naive->len || (is_slash_last && !naive->is_strict) ||
           (naive->is_prefix && naive->text[at] == '/');
}

static bool has_slash(const struct pattern_token *token)
{
    return memchr(token->text, '/', token->len) != NULL;
}

/* Whether a capture of the kind stands before the token in its segment. */
static bool is_before(const struct naive *naive, size_t index, enum pattern_token_kind kind)
{
    while (index-- > 0) {
        const struct pattern_token *token = &naive->path->tokens[index];
        if (token->kind == PATTERN_LITERAL ? has_slash(token) : token->kind == kind) {
            return token->kind == kind;
        }
    }
    return false;
}

static bool is_wildcard_behind(const struct naive *naive, size_t index)
{
    while (++index < naive->path->count) {
        const struct pattern_token *token = &naive->path->tokens[index];
        if (token->kind != PATTERN_PARAM) {
            if (token->kind == PATTERN_WILDCARD || has_slash(token)) {
                return token->kind == PATTERN_WILDCARD;
            }
        }
    }
    return false;
}

/* The text behind the wildcard before this one. */
static const struct pattern_token *text_of_wildcard_before(const struct naive *naive, size_t index)
{
    while (index-- > 0) {
        if (naive->path->tokens[index].kind == PATTERN_WILDCARD) {
            return &naive->path->tokens[index + 1];
        }
    }
    return NULL;
}

static bool wild_from(struct naive *naive, size_t index, size_t at);

/* The longest run that the rest allows, of bytes that are no slash, if so, and do not begin the barrier. */
static bool wild_run(struct naive *naive, size_t index, size_t at, bool is_segment,
                     const struct pattern_token *barrier)
{
    size_t end = at;
    while (end < naive->len && !(is_segment && naive->text[end] == '/') &&
           (barrier == NULL || !same_text(naive, barrier, barrier->len, end))) {
        end++;
    }
    for (; end > at; end--) {
        if (wild_from(naive, index + 1, end)) {
            naive->captures[naive->path->tokens[index].name] =
                (struct router_capture){(uint32_t)at, (uint32_t)(end - at)};
            return true;
        }
    }
    return false;
}

/* As the regular expression that path-to-regexp makes, trying everything. */
static bool wild_from(struct naive *naive, size_t index, size_t at)
{
    if (index == naive->path->count) {
        naive->end = at > 0 && naive->text[at - 1] == '/' ? at - 1 : at;
        return ends_as_it_must(naive, at);
    }
    const struct pattern_token *token = &naive->path->tokens[index];
    if (token->kind == PATTERN_LITERAL) {
        size_t len = literal_len(naive, index);
        return same_text(naive, token, len, at) && wild_from(naive, index + 1, at + len);
    }
    bool is_param = token->kind == PATTERN_PARAM;
    if (is_before(naive, index, PATTERN_WILDCARD)) {
        return wild_run(naive, index, at, is_param, token - 1);
    }
    if (!is_param) {
        const struct pattern_token *text = text_of_wildcard_before(naive, index);
        return wild_run(naive, index, at, false, text) ||
               (text != NULL && wild_run(naive, index, at, true, NULL));
    }
    if (is_wildcard_behind(naive, index)) {
        return wild_run(naive, index, at, true, token + 1);
    }
    if (!is_before(naive, index, PATTERN_PARAM)) {
        return wild_run(naive, index, at, true, NULL);
    }
    size_t end = at + (token - 1)->len;
    if (wild_run(naive, index, at, true, token - 1)) {
        return true;
    }
    if (!same_text(naive, token - 1, (token - 1)->len, at) || !wild_from(naive, index + 1, end)) {
        return false;
    }
    naive->captures[token->name] = (struct router_capture){(uint32_t)at, (uint32_t)(end - at)};
    return true;
}

/* What all rules of a router are like here. */
struct options {
    bool is_case_sensitive;
    bool is_strict;
};

static bool naive_match(const struct router_entry *entry, const char *path,
                        const struct options *options, struct naive *ret_naive)
{
    for (size_t i = 0; i < entry->pattern.path_count; i++) {
        struct naive naive = {.path = &entry->pattern.paths[i],
                              .pattern = entry->pattern.text,
                              .text = path,
                              .len = strlen(path),
                              .is_strict = options->is_strict,
                              .is_prefix = entry->kind == ROUTER_PREFIX,
                              .is_case_sensitive = options->is_case_sensitive};
        bool is_wild = entry->pattern.paths[i].is_wild;
        if (is_wild ? wild_from(&naive, 0, 0) : naive_from(&naive, 0, 0)) {
            *ret_naive = naive;
            return true;
        }
    }
    return false;
}

static uint32_t next_random(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*seed >> 33) % below;
}

static void random_pattern(uint64_t *seed, char *out, size_t size)
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "A",
                                         "ab",
                                         "",
                                         ":%c",
                                         ":%c",
                                         "a:%c",
                                         ":%c.a",
                                         ":%c-:%c",
                                         "-:%c-",
                                         ":%c--:%c",
                                         ":%c.:%c-:%c",
                                         "{:%c-}a",
                                         "a{b}",
                                         ":%c-a:%c-:%c",
                                         ":%caa:%ca:%c",
                                         "*%c",
                                         "*%c.:%c",
                                         ":%c-*%c",
                                         "a*%ca",
                                         "*%c-:%c-*%c",
                                         "{*%c/}a"};
    char name = 'a';
    size_t used = 0;
    uint32_t count = 1 + next_random(seed, 4);
    out[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        const char *piece = pieces[next_random(seed, sizeof(pieces) / sizeof(pieces[0]))];
        bool is_group = next_random(seed, 6) == 0;
        used += (size_t)snprintf(out + used, size - used, is_group ? "{/" : "/");
        for (; *piece != '\0'; piece++) {
            if (*piece == '%') {
                piece++;
                /* the name ends here: quotes keep it apart from the letters behind it */
                used += (size_t)snprintf(out + used, size - used, "\"%c\"", name++);
            } else {
                used += (size_t)snprintf(out + used, size - used, "%c", *piece);
            }
        }
        used += (size_t)snprintf(out + used, size - used, is_group ? "}" : "");
    }
    static const char *const ends[] = {"", "", "", "/", "/*w", "{/*w}"};
    (void)snprintf(out + used, size - used, "%s", ends[next_random(seed, 6)]);
}

static void random_path(uint64_t *seed, char *out)
{
    uint32_t count = 1 + next_random(seed, 14);
    out[0] = '/';
    for (uint32_t i = 1; i < count; i++) {
        out[i] = "aab/A-.b/a-"[next_random(seed, 11)];
    }
    out[count] = '\0';
}

static void *take_from_arena(void *ctx, size_t size)
{
    return router_arena_take(ctx, size);
}

/* How many entries matched. */
static size_t compare_with_naive(const struct router *router, const struct options *options,
                                 const char *path)
{
    struct router_arena arena = {0};
    struct router_memory memory = {.alloc = take_from_arena, .ctx = &arena};
    struct router_chain chain;
    size_t at = 0;
    assert_int_equal(router_match(router, path, strlen(path), &memory, &chain), 0);
    for (const struct router_entry *entry = router_entries(router); entry != NULL;
         entry = entry->next) {
        struct naive naive;
        bool is_in_chain = at < chain.count && chain.steps[at].entry == entry;
        if (naive_match(entry, path, options, &naive) != is_in_chain) {
            fail_msg("\"%s\" and \"%s\": %s", entry->pattern.text, path,
                     is_in_chain ? "matched" : "missed");
        }
        if (!is_in_chain) {
            continue;
        }
        const struct router_step *step = &chain.steps[at++];
        size_t prefix_len = entry->kind == ROUTER_PREFIX ? naive.end : 0;
        if (step->prefix_len != prefix_len ||
            (entry->pattern.name_count > 0 &&
             memcmp(step->captures, naive.captures,
                    entry->pattern.name_count * sizeof(naive.captures[0])) != 0)) {
            fail_msg("\"%s\" and \"%s\": other captures", entry->pattern.text, path);
        }
    }
    assert_int_equal(at, chain.count);
    router_arena_fini(&arena);
    return at;
}

static void random_routes_match_like_the_naive_matcher(void **state)
{
    (void)state;
    uint64_t seed = 20240607;
    size_t matches = 0;
    for (int round = 0; round < 10000; round++) {
        struct options options = {.is_case_sensitive = round % 3 == 0, .is_strict = round % 4 == 0};
        struct router *router = router_new();
        char text[256];
        for (uint32_t i = 1 + next_random(&seed, 12); i > 0; i--) {
            struct fsd_err err;
            random_pattern(&seed, text, sizeof(text));
            struct router_rule rule = {.kind = next_random(&seed, 4) == 0 ? ROUTER_PREFIX
                                                                          : ROUTER_ROUTE,
                                       .path = text,
                                       .path_len = strlen(text),
                                       .sensitive_parts = options.is_case_sensitive ? 1 : 0,
                                       .is_strict = options.is_strict};
            if (router_add(router, &rule, &err) != 0) {
                fail_msg("%s", err.text);
            }
        }
        router_freeze(router);
        for (int i = 0; i < 10; i++) {
            random_path(&seed, text);
            matches += compare_with_naive(router, &options, text);
        }
        router_free(router);
    }
    assert_true(matches > 20000); /* else the comparison says little */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_routes_match_like_the_naive_matcher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
