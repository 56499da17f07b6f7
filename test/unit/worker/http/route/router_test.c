/* Which entries a path meets, in which order, with which captures. */
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

enum { TEXT_MAX = 4096 };

static void *take_from_arena(void *ctx, size_t size)
{
    return router_arena_take(ctx, size);
}

/* What the rules that add_rule adds are like. */
static uint32_t sensitive_parts;
static bool rules_are_strict;

static struct router *make_router(bool is_case_sensitive, bool is_strict)
{
    sensitive_parts = is_case_sensitive ? UINT32_MAX : 0;
    rules_are_strict = is_strict;
    return router_new();
}

/* "use /a" mounts, "GET /a" and "any /a" are routes; what stands before a "|" is what they are mounted at. */
static void add_rule(struct router *router, const char *text)
{
    char method[16];
    const char *space = strchr(text, ' ');
    (void)snprintf(method, sizeof(method), "%.*s", (int)(space - text), text);
    char path[512];
    size_t len = 0;
    size_t ends[PATTERN_PARTS_MAX];
    size_t part_count = 1;
    for (const char *at = space + 1; *at != '\0'; at++) {
        if (*at == '|') {
            ends[part_count++ - 1] = len;
        } else {
            path[len++] = *at;
        }
    }
    struct router_rule rule = {.kind = ROUTER_ROUTE,
                               .method = method,
                               .path = path,
                               .path_len = len,
                               .part_ends = ends,
                               .part_count = part_count,
                               .sensitive_parts = sensitive_parts,
                               .is_strict = rules_are_strict};
    if (strcmp(method, "use") == 0) {
        rule.kind = ROUTER_PREFIX;
    }
    if (rule.kind == ROUTER_PREFIX || strcmp(method, "any") == 0) {
        rule.method = NULL;
    }
    struct fsd_err err;
    if (router_add(router, &rule, &err) != 0) {
        fail_msg("%s", err.text);
    }
}

static size_t put(char *out, size_t used, const char *text, size_t len)
{
    assert_true(used + len < TEXT_MAX);
    memcpy(out + used, text, len);
    out[used + len] = '\0';
    return used + len;
}

/* "/users/:id id=7; use /a +2": the patterns in order, with captures, the lengths of what they are mounted at ("@"), and the base length
 * of what is mounted. */
static void describe(const char *path, const struct router_chain *chain, char *out)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < chain->count; i++) {
        const struct router_step *step = &chain->steps[i];
        const struct pattern *pattern = &step->entry->pattern;
        char number[32];
        used = put(out, used, "; ", i == 0 ? 0 : 2);
        used = put(out, used, pattern->text, strlen(pattern->text));
        for (size_t j = 0; j < pattern->name_count; j++) {
            if (step->captures[j].len > 0) {
                used = put(out, used, " ", 1);
                used = put(out, used, pattern->names[j], strlen(pattern->names[j]));
                used = put(out, used, "=", 1);
                used = put(out, used, path + step->captures[j].start, step->captures[j].len);
            }
        }
        for (size_t j = 1; j < pattern->part_count; j++) {
            size_t base = router_step_base(step, j, path, strlen(path));
            int len = snprintf(number, sizeof(number), " @%zu", base);
            used = put(out, used, number, (size_t)len);
        }
        if (step->entry->kind == ROUTER_PREFIX) {
            int len = snprintf(number, sizeof(number), " +%u", step->prefix_len);
            used = put(out, used, number, (size_t)len);
        }
    }
}

static void expect(const struct router *router, const char *path, const char *expected)
{
    struct router_arena arena = {0};
    struct router_memory memory = {.alloc = take_from_arena, .ctx = &arena};
    struct router_chain chain;
    char text[TEXT_MAX];
    assert_int_equal(router_match(router, path, strlen(path), &memory, &chain), 0);
    describe(path, &chain, text);
    if (strcmp(text, expected) != 0) {
        fail_msg("%s: got \"%s\", expected \"%s\"", path, text, expected);
    }
    router_arena_fini(&arena);
}

struct case_row {
    const char *rules; /* separated by ", " */
    const char *path;
    const char *expected;
};

static void check_rows(const struct case_row *rows, size_t count, bool is_case_sensitive,
                       bool is_strict)
{
    for (size_t i = 0; i < count; i++) {
        struct router *router = make_router(is_case_sensitive, is_strict);
        char rules[512];
        char *rest = rules;
        (void)snprintf(rules, sizeof(rules), "%s", rows[i].rules);
        while (rest != NULL) {
            char *comma = strstr(rest, ", ");
            if (comma != NULL) {
                *comma = '\0';
            }
            add_rule(router, rest);
            rest = comma == NULL ? NULL : comma + 2;
        }
        router_freeze(router);
        expect(router, rows[i].path, rows[i].expected);
        router_free(router);
    }
}

#define CHECK_ROWS(rows, sensitive, strict)                                                        \
    check_rows(rows, sizeof(rows) / sizeof((rows)[0]), sensitive, strict)

static void paths_meet_their_patterns(void **state)
{
    static const struct case_row rows[] = {
        {"any /", "/", "/"},
        {"any /", "", "/"},
        {"any /", "/a", ""},
        {"any /", "//", "/"},
        {"any /", "///", ""},
        {"any /a", "/a", "/a"},
        {"any /a", "/a/", "/a"},
        {"any /a", "/a//", ""},
        {"any /a", "/ab", ""},
        {"any /a", "a", ""},
        {"any /a/", "/a", "/a/"},
        {"any /a/", "/a/", "/a/"},
        {"any /a//b", "/a//b", "/a//b"},
        {"any /a//b", "/a/b", ""},
        {"any /a/../b", "/b", ""},
        {"any /Straße", "/sTRAße/", "/Straße"},
        {"any /users/:id", "/users/7", "/users/:id id=7"},
        {"any /users/:id", "/users/7/", "/users/:id id=7"},
        {"any /users/:id", "/USERS/Ab%2Fc", "/users/:id id=Ab%2Fc"},
        {"any /users/:id", "/users/", ""},
        {"any /users/:id", "/users//", ""},
        {"any /users/:id", "/users/7/x", ""},
        {"any /:foo/:bar", "/test/route", "/:foo/:bar foo=test bar=route"},
        {"any /a/:b/c", "/a//c", ""},
        {"any /a/:b/c", "/a/x/c", "/a/:b/c b=x"},
        {"any /a/:b/c, any /a/x", "/a/x/c", "/a/:b/c b=x"},
        {"any /a%20b", "/a b", ""},
        {"any /\\:a", "/:a", "/\\:a"},
    };
    (void)state;
    CHECK_ROWS(rows, false, false);
}

static void mounted_paths_know_where_their_parts_end(void **state)
{
    static const struct case_row rows[] = {
        {"any /api|/users/:id", "/api/users/7", "/api/users/:id id=7 @4"},
        {"any /api|/users/:id", "/api/users", ""},
        {"any /api|", "/api", "/api @4"},
        {"any /api|", "/api/", "/api @4"},
        {"any |/users", "/users", "/users @0"},
        {"any |/", "/", "/ @0"},
        {"any /:tenant|/v1|/:id", "/acme/v1/7", "/:tenant/v1/:id tenant=acme id=7 @5 @8"},
        {"any /:id|/:id", "/a/b", "/:id/:id id=a id=b @2"},
        {"use /:id|/x", "/a/x/y", "/:id/x id=a @2 +4"},
        {"any /api|/", "/api", "/api/ @4"},
        {"any /api|/", "/api/", "/api/ @4"},
        {"any /api|/", "/api//", "/api/ @4"},
        {"any /api|/", "/api///", ""},
        {"any /api|", "/api//", "/api @4"},
        {"any /api|/{*path}", "/api", "/api/{*path} @4"},
        {"any /api|/{*path}", "/api/", "/api/{*path} @4"},
        {"any /api|/{*path}", "/api/a/b", "/api/{*path} path=a/b @4"},
        {"any /:x|/", "/a//", "/:x/ x=a @2"},
        {"any {/:lang}|/about", "/about", "{/:lang}/about @0"},
        {"any {/:lang}|/about", "/en/about", "{/:lang}/about lang=en @3"},
        {"any {/:lang}|{/:page}", "/en/about", "{/:lang}{/:page} lang=en page=about @3"},
        {"any {/:lang}|{/:page}", "/en", "{/:lang}{/:page} lang=en @3"},
        {"use /files/*path|", "/files/a/b", "/files/*path path=a/b @10 +10"},
        {"use /files/*path|", "/files/a/b/", "/files/*path path=a/b/ @10 +10"},
        {"any /api|/files/*path", "/api/files/a/b", "/api/files/*path path=a/b @4"},
        {"any /v:major.:minor|/x", "/v1.2/x", "/v:major.:minor/x major=1 minor=2 @5"},
        {"use /api|, any /api|/x", "/api/x", "/api @4 +4; /api/x @4"},
    };
    (void)state;
    CHECK_ROWS(rows, false, false);
}

static void wildcards_take_the_rest(void **state)
{
    static const struct case_row rows[] = {
        {"any /*splat", "/bar/baz", "/*splat splat=bar/baz"},
        {"any /*splat", "/", ""},
        {"any /*splat", "//", "/*splat splat=/"},
        {"any /*splat", "/a/", "/*splat splat=a/"},
        {"any /files/*path", "/files", ""},
        {"any /files/*path", "/files/", ""},
        {"any /files/*path", "/files/a/b", "/files/*path path=a/b"},
        {"any /:a/*b", "/x/y/z", "/:a/*b a=x b=y/z"},
        {"any /files{/*path}", "/files", "/files{/*path}"},
        {"any /files{/*path}", "/files/", "/files{/*path}"},
        {"any /files{/*path}", "/files/a/b", "/files{/*path} path=a/b"},
        {"any /{*path}", "/", "/{*path}"},
        {"any *all", "/a/b", "*all all=/a/b"},
        {"any *all", "*", "*all all=*"},
        {"any {*all}", "/", "{*all} all=/"},
        {"use /f/*p", "/f/a/b", "/f/*p p=a/b +6"},
        {"use /f/*p", "/f/a/b/", "/f/*p p=a/b/ +6"},
        {"use *all", "/f", "*all all=/f +2"},
    };
    (void)state;
    CHECK_ROWS(rows, false, false);
}

/* What path-to-regexp 8.4 says. */
static void text_may_follow_wildcards(void **state)
{
    static const struct case_row rows[] = {
        {"any /files/*path/end", "/files/a/b/end", "/files/*path/end path=a/b"},
        {"any /files/*path/end", "/files/a/END/", "/files/*path/end path=a"},
        {"any /files/*path/end", "/files/end", ""},
        {"any /files/*path/end", "/files//end", ""},
        {"any /files/*path/end", "/files/a/end//", ""},
        {"any /files/*path/end", "/files/a/end/end", "/files/*path/end path=a/end"},
        {"any /files/*path/end", "/files/a/end/more", ""},
        {"any /*a/x/*b", "/1/x/2/x/3", "/*a/x/*b a=1/x/2 b=3"},
        {"any /*a/x/*b", "/1/x/x/x/3", "/*a/x/*b a=1/x/x b=3"},
        {"any /*a/x/*b", "/1/x/2/x/", ""},
        {"any /*a/x/*b", "/1/x/", ""},
        {"any /*a/*b", "/1/2/3", "/*a/*b a=1/2 b=3"},
        {"any /*a/*b", "/1/2/", "/*a/*b a=1 b=2"},
        {"any /*a/*b", "/1", ""},
        {"any /*file.:ext", "/a/b.tar.gz", "/*file.:ext file=a/b.tar ext=gz"},
        {"any /*file.:ext", "/a.b/c", ""},
        {"any /:a-*b", "/1-2-3/4", "/:a-*b a=1 b=2-3/4"},
        {"any /:a-:b-*c", "/1-2-3-4", "/:a-:b-*c a=1 b=2 c=3-4"},
        {"any /*a-:b-*c", "/1-2-3", "/*a-:b-*c a=1 b=2 c=3"},
        {"any /*a-:b-*c", "/1-2-3-4/5", "/*a-:b-*c a=1-2 b=3 c=4/5"},
        {"any /*a/:b-:c", "/1/2--", "/*a/:b-:c a=1 b=2 c=-"},
        {"any /v*version", "/v1/2", "/v*version version=1/2"},
        {"any *a/end", "/1/2/end", "*a/end a=/1/2"},
        {"any /*path/", "/a/b/", "/*path/ path=a/b/"},
        {"any /*a{/b}", "/1/2", "/*a{/b} a=1/2"},
        {"any /*a{/b}", "/1/b", "/*a{/b} a=1"},
        {"any /x{/*a}{/*b}", "/x/1/2/3", "/x{/*a}{/*b} a=1/2 b=3"},
        {"any /x{/*a}{/*b}", "/x", "/x{/*a}{/*b}"},
        {"use /*tenant/admin", "/a/b/admin/users", "/*tenant/admin tenant=a/b +10"},
        {"use /*tenant/admin", "/a/admin/", "/*tenant/admin tenant=a +8"},
        {"use /*tenant/admin", "/a/admins", ""},
    };
    (void)state;
    CHECK_ROWS(rows, false, false);
}

static void text_behind_wildcards_may_be_strict_and_case_sensitive(void **state)
{
    static const struct case_row rows[] = {
        {"any /*a/End", "/1/End", "/*a/End a=1"},
        {"any /*a/End", "/1/end", ""},
        {"any /*a/End", "/1/End/", ""},
        {"any /*a/End/", "/1/End/", "/*a/End/ a=1"},
        {"any /*a/X/*b", "/1/X/2/x/3", "/*a/X/*b a=1 b=2/x/3"},
    };
    (void)state;
    CHECK_ROWS(rows, true, true);
}

/* As in Express, what something is mounted at has its end before the rest is looked at. */
static void routers_may_be_mounted_behind_wildcards(void **state)
{
    static const struct case_row rows[] = {
        {"any /*tenant/admin|/:id", "/a/b/admin/7", "/*tenant/admin/:id tenant=a/b id=7 @10"},
        {"any /*tenant/admin|/:id", "/a/admin/admin", ""},
        {"any /*tenant/admin|/*rest", "/a/admin/x/admin/y",
         "/*tenant/admin/*rest tenant=a/admin/x rest=y @16"},
        {"any /*tenant/admin|", "/a/admin", "/*tenant/admin tenant=a @8"},
        {"any /*tenant/admin|", "/a/admin//", "/*tenant/admin tenant=a @8"},
        {"any /*tenant/admin|", "/a/admin/x", ""},
        {"use /*tenant/admin|", "/a/admin/x", "/*tenant/admin tenant=a @8 +8"},
        {"use /*tenant/admin|/log", "/a/admin/log/x", "/*tenant/admin/log tenant=a @8 +12"},
        {"any /shop|/*path/end", "/shop/a/b/end", "/shop/*path/end path=a/b @5"},
        {"any /shop|*rest", "/shop/a", "/shop*rest rest=/a @5"},
        {"any /shop|*rest", "/shops", ""},
        {"any /:shop|*rest", "/a/b", "/:shop*rest shop=a rest=/b @2"},
        {"any /*a/x|/:b|/*c/end", "/1/x/2/3/end", "/*a/x/:b/*c/end a=1 b=2 c=3 @4 @6"},
    };
    (void)state;
    CHECK_ROWS(rows, false, false);
}

static void entries_behind_wildcards_keep_their_place_in_the_order(void **state)
{
    static const struct case_row rows[] = {
        {"any /a/:x, any /*w/b, any /a/b, any /*rest", "/a/b",
         "/a/:x x=b; /*w/b w=a; /a/b; /*rest rest=a/b"},
        {"any /a/:x, any /*w/b, any /a/b, any /*rest", "/A/B/",
         "/a/:x x=B; /*w/b w=A; /a/b; /*rest rest=A/B/"},
        {"any /*w/c, any /a/:x, use /", "/a/c", "/*w/c w=a; /a/:x x=c; / +0"},
    };
    (void)state;
    CHECK_ROWS(rows, false, false);
}

static void mixed_segments_follow_path_to_regexp(void **state)
{
    static const struct case_row rows[] = {
        {"any /:file.:ext", "/a.txt", "/:file.:ext file=a ext=txt"},
        {"any /:file.:ext", "/a.tar.gz", "/:file.:ext file=a.tar ext=gz"},
        {"any /:file.:ext", "/.txt", ""},
        {"any /:file.:ext", "/a.", ""},
        {"any /:file.:ext", "/a..", ""},
        {"any /:file.:ext", "/..a", "/:file.:ext file=. ext=a"},
        {"any /:file{.:ext}", "/a", "/:file{.:ext} file=a"},
        {"any /:file{.:ext}", "/a.b", "/:file{.:ext} file=a ext=b"},
        {"any /a-:b", "/A-x", "/a-:b b=x"},
        {"any /a-:b", "/a-", ""},
        {"any /a-:b", "/b-x", ""},
        {"any /@:user/x", "/@joe/x", "/@:user/x user=joe"},
        {"any /:a.JSON", "/x.json", "/:a.JSON a=x"},
        {"any /:a.json", "/.json", ""},
        {"any /:a.json", "/x.jso", ""},
        {"any /:a--:b", "/x---y", "/:a--:b a=x b=-y"},
        {"any /:a--:b", "/---y", "/:a--:b a=- b=y"},
        {"any /:a-:b", "/x--", ""},
        {"any /:a-:b-:c", "/1-2-3", "/:a-:b-:c a=1 b=2 c=3"},
        {"any /:a-:b-:c", "/1-2-3-4", "/:a-:b-:c a=1-2 b=3 c=4"},
        {"any /:a-:b-:c", "/1-2", ""},
        {"any /:x\\a:y\\aa:z", "/1a2aaa3",
         "/:x\\a:y\\aa:z x=1 y=2 z=a3"}, /* literals that overlap */
        {"any /v:major.:minor/:id", "/v1.2/q", "/v:major.:minor/:id major=1 minor=2 id=q"},
        {"any /flights/:from-:to", "/flights/LAX-SFO", "/flights/:from-:to from=LAX to=SFO"},
    };
    (void)state;
    CHECK_ROWS(rows, false, false);
}

static void optional_groups_give_one_step(void **state)
{
    static const struct case_row rows[] = {
        {"any /users{/:id}/delete", "/users/delete", "/users{/:id}/delete"},
        {"any /users{/:id}/delete", "/users/7/delete", "/users{/:id}/delete id=7"},
        {"any /a{/:b}{/:c}", "/a/1", "/a{/:b}{/:c} b=1"},
        {"any /a{/:b{/:c}}", "/a/1/2", "/a{/:b{/:c}} b=1 c=2"},
        {"any {/:a}", "/", "{/:a}"},
        {"any {/:a}", "/x", "{/:a} a=x"},
        {"use /a{/:b}", "/a/x/y", "/a{/:b} b=x +4"},
        {"use /a{/:b}", "/a", "/a{/:b} +2"},
        {"any /{a}{a}", "/a", "/{a}{a}"},
        {"any /files/{:id}", "/files/", "/files/{:id}"},
        {"any /files/{:id}", "/files", ""},
        {"any /a{/b}/", "/a", "/a{/b}/"},
        {"use /files/{:id}", "/files//x", "/files/{:id} +6"},
        {"use /{:id}", "/", "/{:id} +0"},
    };
    (void)state;
    CHECK_ROWS(rows, false, false);
}

static void prefixes_end_at_segment_boundaries(void **state)
{
    static const struct case_row rows[] = {
        {"use /", "/", "/ +0"},
        {"use /", "/a/b", "/ +0"},
        {"use /", "*", "/ +0"},
        {"use /api", "/api", "/api +4"},
        {"use /api", "/api/", "/api +4"},
        {"use /api", "/API/x", "/api +4"},
        {"use /api", "/apix", ""},
        {"use /api", "/api.json", ""},
        {"use /api/", "/api/x", "/api/ +4"},
        {"use /api", "*", ""},
        {"use /:tenant/x", "/acme/x/y/z", "/:tenant/x tenant=acme +7"},
        {"use /a-:b", "/a-1/2", "/a-:b b=1 +4"},
    };
    (void)state;
    CHECK_ROWS(rows, false, false);
}

static void order_of_registration_decides(void **state)
{
    static const struct case_row rows[] = {
        {"any /users/:id, any /users/me", "/users/me", "/users/:id id=me; /users/me"},
        {"any /users/me, any /users/:id", "/users/me", "/users/me; /users/:id id=me"},
        {"any /users/me, any /users/:id", "/users/me/", "/users/me; /users/:id id=me"},
        {"any /users/me, any /users/:id", "/users/you", "/users/:id id=you"},
        {"any /a/*r, use /a, any /:x/:y, any /a-:z, any *all, use /", "/a/b",
         "/a/*r r=b; /a +2; /:x/:y x=a y=b; *all all=/a/b; / +0"},
        {"any /*r, any /a", "/a/", "/*r r=a/; /a"},
        {"any /*r, any /a", "/a", "/*r r=a; /a"},
        {"GET /a, use /, POST /a, use /a", "/a", "/a; / +0; /a; /a +2"},
        {"any /:x/b, use /a, any /a/:y", "/a/b", "/:x/b x=a; /a +2; /a/:y y=b"},
        {"any /:x.:y, any /:x-:y, any /:z", "/1.2-3",
         "/:x.:y x=1 y=2-3; /:x-:y x=1.2 y=3; /:z z=1.2-3"},
    };
    (void)state;
    CHECK_ROWS(rows, false, false);
}

static void case_counts_when_asked(void **state)
{
    static const struct case_row rows[] = {
        {"any /Users/:id", "/Users/x", "/Users/:id id=x"},
        {"any /Users/:id", "/users/x", ""},
        {"any /Users", "/Users/", "/Users"},
        {"any /Users", "/users", ""},
        {"any /:a.JSON", "/x.json", ""},
        {"any /a, any /A", "/A", "/A"},
    };
    (void)state;
    CHECK_ROWS(rows, true, false);
}

static void trailing_slashes_count_when_strict(void **state)
{
    static const struct case_row rows[] = {
        {"any /a", "/a/", ""},
        {"any /a/", "/a", ""},
        {"any /a/, any /a", "/a/", "/a/"},
        {"any /a/:b/", "/a/x/", "/a/:b/ b=x"},
        {"any /a/:b/", "/a/x", ""},
        {"any /:a/", "/x", ""},
        {"any /", "/", "/"},
        {"any {/a}", "/", ""},
        {"any {/a}", "/a", "{/a}"},
        {"use /a/", "/a/x", "/a/ +2"},
        {"use /a", "/a/", "/a +2"},
    };
    (void)state;
    CHECK_ROWS(rows, false, true);
}

static void methods_are_left_to_the_caller(void **state)
{
    (void)state;
    struct router *router = make_router(false, false);
    add_rule(router, "GET /a");
    add_rule(router, "POST /a");
    add_rule(router, "any /a");
    router_freeze(router);
    const struct router_entry *get = router_entries(router);
    const struct router_entry *post = get->next;
    expect(router, "/a", "/a; /a; /a");
    assert_true(router_entry_takes(get, "GET", 3));
    assert_true(router_entry_takes(get, "HEAD", 4));
    assert_false(router_entry_takes(get, "POST", 4));
    assert_false(router_entry_takes(get, "get", 3));
    assert_false(router_entry_takes(get, "PUT", 3));
    assert_true(router_entry_takes(post, "POST", 4));
    assert_false(router_entry_takes(post, "HEAD", 4));
    assert_true(router_entry_takes(post->next, "BREW", 4));
    assert_null(post->next->next);
    router_free(router);
}

static void entries_carry_what_the_rule_said(void **state)
{
    (void)state;
    int value = 0;
    struct router *router = make_router(false, false);
    char method[] = "PATCH";
    char path[] = "/a/:b/*cX";
    struct router_rule rule = {
        .kind = ROUTER_ROUTE, .method = method, .path = path, .path_len = 8, .value = &value};
    assert_null(router_entries(router));
    assert_int_equal(router_add(router, &rule, NULL), 0);
    memset(method, 'x', sizeof(method) - 1);
    memset(path, 'x', sizeof(path) - 1);
    router_freeze(router);
    const struct router_entry *entry = router_entries(router);
    assert_int_equal(entry->kind, ROUTER_ROUTE);
    assert_string_equal(entry->method, "PATCH");
    assert_ptr_equal(entry->value, &value);
    assert_string_equal(entry->pattern.text, "/a/:b/*c");
    assert_int_equal(entry->pattern.name_count, 2);
    assert_int_equal(entry->pattern.wildcards, 1U << 1);
    router_free(router);
    router_free(NULL);
}

static void refused_rules_leave_no_entry(void **state)
{
    (void)state;
    struct router *router = make_router(false, false);
    struct router_rule rule = {.path = "/a?", .path_len = 3};
    struct fsd_err err;
    assert_int_equal(router_add(router, &rule, &err), -EINVAL);
    assert_string_equal(err.text, "cannot add route \"/a?\": unexpected \"?\" at position 3; "
                                  "write {a} for an optional part");
    assert_null(router_entries(router));
    router_freeze(router);
    expect(router, "/a", "");
    rule.path_len = 2;
    assert_int_equal(router_add(router, &rule, &err), -EBUSY);
    assert_string_equal(err.text, "cannot add route \"/a\": the application has been started; add "
                                  "routes while it loads");
    router_free(router);
}

static void rules_of_one_router_may_differ_in_case_and_strictness(void **state)
{
    (void)state;
    struct router *router = make_router(false, false);
    add_rule(router, "any /Api|/Users/:id");
    sensitive_parts = 2; /* the second part */
    add_rule(router, "any /Api|/Users/:id.Json");
    add_rule(router, "any /Api|/Users");
    sensitive_parts = 1;
    add_rule(router, "any /Api|/Users/");
    sensitive_parts = 0;
    rules_are_strict = true;
    add_rule(router, "any /strict");
    add_rule(router, "any /slash/");
    rules_are_strict = false;
    add_rule(router, "any /STRICT");
    router_freeze(router);
    expect(router, "/api/users/7.json", "/Api/Users/:id id=7.json @4");
    expect(router, "/api/Users/7.Json", "/Api/Users/:id id=7.Json @4; /Api/Users/:id.Json id=7 @4");
    expect(router, "/API/Users", "/Api/Users @4");
    expect(router, "/Api/users", "/Api/Users/ @4");
    expect(router, "/Api/Users/", "/Api/Users @4; /Api/Users/ @4");
    expect(router, "/api/users", "");
    expect(router, "/Strict", "/strict; /STRICT");
    expect(router, "/strict/", "/STRICT");
    expect(router, "/slash", "");
    expect(router, "/SLASH/", "/slash/");
    router_free(router);
}

static void of_a_group_the_first_that_matches_counts(void **state)
{
    (void)state;
    static const char *const paths[] = {"/a", "/:any", "/b"};
    struct router *router = router_new();
    for (size_t i = 0; i < 3; i++) {
        struct fsd_err err;
        struct router_rule rule = {.path = paths[i], .path_len = strlen(paths[i]), .group = paths};
        assert_int_equal(router_add(router, &rule, &err), 0);
    }
    add_rule(router, "use /");
    router_freeze(router);
    expect(router, "/a", "/a; / +0");
    expect(router, "/b", "/:any any=b; / +0");
    expect(router, "/c", "/:any any=c; / +0");
    router_free(router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_meet_their_patterns),
        cmocka_unit_test(mounted_paths_know_where_their_parts_end),
        cmocka_unit_test(rules_of_one_router_may_differ_in_case_and_strictness),
        cmocka_unit_test(of_a_group_the_first_that_matches_counts),
        cmocka_unit_test(wildcards_take_the_rest),
        cmocka_unit_test(text_may_follow_wildcards),
        cmocka_unit_test(text_behind_wildcards_may_be_strict_and_case_sensitive),
        cmocka_unit_test(routers_may_be_mounted_behind_wildcards),
        cmocka_unit_test(entries_behind_wildcards_keep_their_place_in_the_order),
        cmocka_unit_test(mixed_segments_follow_path_to_regexp),
        cmocka_unit_test(optional_groups_give_one_step),
        cmocka_unit_test(prefixes_end_at_segment_boundaries),
        cmocka_unit_test(order_of_registration_decides),
        cmocka_unit_test(case_counts_when_asked),
        cmocka_unit_test(trailing_slashes_count_when_strict),
        cmocka_unit_test(methods_are_left_to_the_caller),
        cmocka_unit_test(entries_carry_what_the_rule_said),
        cmocka_unit_test(refused_rules_leave_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
