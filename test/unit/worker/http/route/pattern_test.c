/* What each path pattern is read as, and what is said about those that cannot be read. */
#include "worker/http/route/pattern.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

/* "/users/:id{.:ext}" becomes "/users/<id>.<ext>|/users/<id>"; a wildcard is <*name>. */
static void describe(const struct pattern *pattern, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < pattern->path_count; i++) {
        const struct pattern_path *path = &pattern->paths[i];
        used += (size_t)snprintf(out + used, size - used, "%s", i == 0 ? "" : "|");
        for (size_t j = 0; j < path->count; j++) {
            const struct pattern_token *token = &path->tokens[j];
            if (token->kind == PATTERN_LITERAL) {
                used +=
                    (size_t)snprintf(out + used, size - used, "%.*s", (int)token->len, token->text);
            } else {
                used += (size_t)snprintf(out + used, size - used, "<%s%s>",
                                         token->kind == PATTERN_WILDCARD ? "*" : "",
                                         pattern->names[token->name]);
            }
        }
    }
}

static void each_form_expands_to_its_paths(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {"/", "/"},
        {"/users/me", "/users/me"},
        {"/users/:id", "/users/<id>"},
        {"/users/:id/", "/users/<id>/"},
        {"/:foo/:bar", "/<foo>/<bar>"},
        {"/*splat", "/<*splat>"},
        {"*all", "<*all>"},
        {"/users{/:id}/delete", "/users/<id>/delete|/users/delete"},
        {"/:file{.:ext}", "/<file>.<ext>|/<file>"},
        {"/:file.:ext", "/<file>.<ext>"},
        {"/a-:b", "/a-<b>"},
        {"/files{/*path}", "/files/<*path>|/files"},
        {"/{*path}", "/<*path>|/"},
        {"{/:a}", "/<a>|"},
        {"/a{/b{/c}}", "/a/b/c|/a/b|/a"},
        {"/a{b}{c}", "/abc|/ab|/ac|/a"},
        {"/a{/:b{-:c}}/d", "/a/<b>-<c>/d|/a/<b>/d|/a/d"},
        {"/{}x", "/x|/x"},
        {"/:\"user-id\"", "/<user-id>"},
        {"/:\"a\\\"b\"c", "/<a\"b>c"},
        {"/*\"the rest\"", "/<*the rest>"},
        {"/\\:a\\*b\\{c\\}\\?\\+\\(\\)\\[\\]\\!\\\\", "/:a*b{c}?+()[]!\\"},
        {"/:_x1.y", "/<_x1>.y"},
        {"/:\xc3\xa9t\xc3\xa9/x", "/<\xc3\xa9t\xc3\xa9>/x"},
        {"/:Id", "/<Id>"},
        {"/@:user", "/@<user>"},
        {"/a//b", "/a//b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pattern pattern;
        struct fsd_err err = {{0}};
        char text[512];
        if (pattern_parse(&pattern, rows[i].text, strlen(rows[i].text), &err) != 0) {
            fail_msg("%s: %s", rows[i].text, err.text);
        }
        describe(&pattern, text, sizeof(text));
        assert_string_equal(text, rows[i].expected);
        assert_string_equal(pattern.text, rows[i].text);
        pattern_fini(&pattern);
    }
}

static void mistakes_are_named_with_their_position(void **state)
{
    static const struct {
        const char *text;
        const char *expected; /* behind: cannot add route "TEXT": */
    } rows[] = {
        {"/a/:id?", "unexpected \"?\" at position 7; write {/:id} for an optional part"},
        {"/a-:id?", "unexpected \"?\" at position 7; write {:id} for an optional part"},
        {"/ab?c", "unexpected \"?\" at position 4; write {b} for an optional part"},
        {"/\xc3\xa9?", "unexpected \"?\" at position 4; write {\xc3\xa9} for an optional part"},
        {"/{a}?", "unexpected \"?\" at position 5; write {...} around an optional part"},
        {"?", "unexpected \"?\" at position 1; write {...} around an optional part"},
        {"/:a+", "unexpected \"+\" at position 4; write /*name for one or more segments"},
        {"/:id(\\d+)", "unexpected \"(\" at position 5; write a plain :name and check its value "
                       "with app:param"},
        {"/a)", "unexpected \")\" at position 3; write \\) for the character itself"},
        {"/[ab]", "unexpected \"[\" at position 2; write \\[ for the character itself"},
        {"/b]", "unexpected \"]\" at position 3; write \\] for the character itself"},
        {"/a!", "unexpected \"!\" at position 3; write \\! for the character itself"},
        {"/:", "missing name after \":\" at position 2; write :name, or \\: for the character "
               "itself"},
        {"/:/a", "missing name after \":\" at position 2; write :name, or \\: for the character "
                 "itself"},
        {"/:1st", "missing name after \":\" at position 2; write :name, or \\: for the character "
                  "itself"},
        {"/:\"\"", "missing name after \":\" at position 2; write :name, or \\: for the character "
                   "itself"},
        {"/a/*", "missing name after \"*\" at position 4; write /*name for one or more segments, "
                 "or \\* for the character itself"},
        {"/:path*", "missing name after \"*\" at position 7; write /*name for one or more "
                    "segments, or \\* for the character itself"},
        {"/:\"ab", "the quote at position 3 is never closed"},
        {"/:\"ab\\", "the quote at position 3 is never closed"},
        {"/a\\", "nothing follows the \"\\\" at position 3"},
        {"/a{/b", "the group opened at position 3 is never closed; write \\{ for the character "
                  "itself"},
        {"/a{/b{c}", "the group opened at position 3 is never closed; write \\{ for the character "
                     "itself"},
        {"/a}", "the \"}\" at position 3 closes no group; write \\} for the character itself"},
        {"/:a/:b/:a", "the name \"a\" at position 8 is taken by an earlier parameter"},
        {"/:a/*a", "the name \"a\" at position 5 is taken by an earlier parameter"},
        {"/:a:b", "no text between the parameter at position 4 and the one before it"},
        {"/:a{:b}", "no text between the parameter at position 5 and the one before it"},
        {"users", "the path must start with \"/\" at position 1"},
        {":id", "the path must start with \"/\" at position 1"},
        {"{a}/b", "the path must start with \"/\" at position 2"},
        {"{/a}b", "the path must start with \"/\" at position 5"},
        {"/:a*b", "no text between the wildcard at position 4 and the one before it"},
        {"/*a:b", "no text between the parameter at position 4 and the one before it"},
        {"/*a{*b}", "no text between the wildcard at position 5 and the one before it"},
        {"/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/:p/:q",
         "more than 16 parameters at position 50"},
        {"/{a}{b}{c}{d}{e}{f}{g}", "its groups make more than 64 paths; write several routes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pattern pattern = {.path_count = 77};
        struct fsd_err err = {{0}};
        char expected[512];
        (void)snprintf(expected, sizeof(expected), "cannot add route \"%s\": %s", rows[i].text,
                       rows[i].expected);
        assert_int_equal(pattern_parse(&pattern, rows[i].text, strlen(rows[i].text), &err),
                         -EINVAL);
        assert_string_equal(err.text, expected);
        assert_int_equal(pattern.path_count, 77);
    }
}

static void refuse(const char *text, size_t len, const char *expected)
{
    struct pattern pattern;
    struct fsd_err err = {{0}};
    assert_int_equal(pattern_parse(&pattern, text, len, &err), -EINVAL);
    assert_string_equal(err.text, expected);
}

static void empty_and_unprintable_patterns_are_refused(void **state)
{
    (void)state;
    refuse("", 0, "cannot add route \"\": the path must start with \"/\"");
    refuse("/a\n", 3, "cannot add route: control character at position 3 of the path");
    refuse("/a\0b", 4, "cannot add route: control character at position 3 of the path");
    refuse("/:\"\x7f\"", 5, "cannot add route: control character at position 4 of the path");
}

static void the_longest_pattern_is_read_and_one_byte_more_is_refused(void **state)
{
    (void)state;
    char text[PATTERN_TEXT_MAX + 1];
    struct pattern pattern;
    struct fsd_err err;
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    assert_int_equal(pattern_parse(&pattern, text, PATTERN_TEXT_MAX, NULL), 0);
    assert_int_equal(pattern.paths[0].tokens[0].len, PATTERN_TEXT_MAX);
    pattern_fini(&pattern);
    assert_int_equal(pattern_parse(&pattern, text, sizeof(text), &err), -EINVAL);
    assert_string_equal(err.text, "cannot add route \"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\""
                                  ": longer than 1024 bytes");
}

static void names_keep_their_order_and_wildcards_are_marked(void **state)
{
    (void)state;
    struct pattern pattern;
    assert_int_equal(pattern_parse(&pattern, "/:a{/:b}/*c", 11, NULL), 0);
    assert_int_equal(pattern.name_count, 3);
    assert_string_equal(pattern.names[0], "a");
    assert_string_equal(pattern.names[1], "b");
    assert_string_equal(pattern.names[2], "c");
    assert_int_equal(pattern.wildcards, 1U << 2);
    assert_int_equal(pattern.paths[1].tokens[3].name, 2);
    pattern_fini(&pattern);
    assert_null(pattern.text);
    pattern_fini(&pattern); /* an empty one is accepted */
    assert_int_equal(pattern_parse(&pattern, "/:a", 3, NULL), 0);
    assert_int_equal(pattern.wildcards, 0);
    pattern_fini(&pattern);
}

static void wildcards_with_more_than_the_last_segments_are_wild(void **state)
{
    static const struct {
        const char *text;
        bool is_wild;
    } rows[] = {
        {"/a/:b", false}, {"/*a", false},      {"/:a/*b", false}, {"*a", false},
        {"/a*b", true},   {"/*a/b", true},     {"/*a/", true},    {"*a/b", true},
        {"/*a/*b", true}, {"/*file.:e", true}, {"/:a-*b", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pattern pattern;
        assert_int_equal(pattern_parse(&pattern, rows[i].text, strlen(rows[i].text), NULL), 0);
        assert_int_equal(pattern.paths[0].is_wild, rows[i].is_wild);
        pattern_fini(&pattern);
    }
}

/* What is mounted at a wildcard gets nothing to match, unless the wildcard ends before. */
static void parts_are_told_apart_behind_a_wildcard(void **state)
{
    static const struct {
        const char *text;
        size_t end; /* of the first part */
        const char *expected;
    } rows[] = {
        {"/*a/b/:c", 5, NULL},
        {"/*a/b*c", 5, NULL},
        {"/:a*b", 3, NULL},
        {"/*a", 3, NULL},
        {"/*a/b", 3,
         "nothing may follow the wildcard at position 2, which takes all of the path already where "
         "it is mounted"},
        {"/*a*b", 3,
         "nothing may follow the wildcard at position 2, which takes all of the path already where "
         "it is mounted"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pattern pattern = {.text = NULL};
        struct fsd_err err = {{0}};
        int r = pattern_parse_parts(&pattern, rows[i].text, strlen(rows[i].text), &rows[i].end, 2,
                                    &err);
        assert_int_equal(r, rows[i].expected == NULL ? 0 : -EINVAL);
        assert_true(rows[i].expected == NULL || strstr(err.text, rows[i].expected) != NULL);
        pattern_fini(&pattern);
    }
}

static void sixteen_parameters_and_sixty_four_paths_are_allowed(void **state)
{
    (void)state;
    struct pattern pattern;
    const char *names = "/:a/:b/:c/:d/:e/:f/:g/:h/:i/:j/:k/:l/:m/:n/:o/:p";
    assert_int_equal(pattern_parse(&pattern, names, strlen(names), NULL), 0);
    assert_int_equal(pattern.name_count, PATTERN_NAMES_MAX);
    pattern_fini(&pattern);
    const char *groups = "/{a}{b}{c}{d}{e}{f}";
    assert_int_equal(pattern_parse(&pattern, groups, strlen(groups), NULL), 0);
    assert_int_equal(pattern.path_count, PATTERN_PATHS_MAX);
    pattern_fini(&pattern);
}

static void hundreds_of_groups_end_at_the_maximum_at_once(void **state)
{
    (void)state;
    char text[PATTERN_TEXT_MAX];
    struct pattern pattern;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = i % 2 == 0 ? '{' : '}';
    }
    assert_int_equal(pattern_parse(&pattern, text, sizeof(text), NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_expands_to_its_paths),
        cmocka_unit_test(mistakes_are_named_with_their_position),
        cmocka_unit_test(empty_and_unprintable_patterns_are_refused),
        cmocka_unit_test(the_longest_pattern_is_read_and_one_byte_more_is_refused),
        cmocka_unit_test(names_keep_their_order_and_wildcards_are_marked),
        cmocka_unit_test(wildcards_with_more_than_the_last_segments_are_wild),
        cmocka_unit_test(parts_are_told_apart_behind_a_wildcard),
        cmocka_unit_test(sixteen_parameters_and_sixty_four_paths_are_allowed),
        cmocka_unit_test(hundreds_of_groups_end_at_the_maximum_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
