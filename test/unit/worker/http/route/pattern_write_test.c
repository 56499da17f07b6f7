/* From patterns and values back to paths. */
#include "worker/http/route/pattern_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

static void escaped_texts_are_those_of_encode_uri_component(void **state)
{
    static const struct {
        const char *text;
        const char *escaped;
    } rows[] = {
        {"", ""},
        {"azAZ09-_.!~*'()", "azAZ09-_.!~*'()"},
        {"a b/c?d#e%f", "a%20b%2Fc%3Fd%23e%25f"},
        {"\xc3\xbc\x7f\x01", "%C3%BC%7F%01"},
        {"@:&=+$,;[]{}|\\^`\"<>", "%40%3A%26%3D%2B%24%2C%3B%5B%5D%7B%7D%7C%5C%5E%60%22%3C%3E"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[256];
        size_t len = pattern_write_escaped(out, rows[i].text, strlen(rows[i].text));
        out[len] = '\0';
        assert_string_equal(out, rows[i].escaped);
    }
    char out[3];
    assert_int_equal(pattern_write_escaped(out, "", 1), 3); /* a NUL is a byte like others */
    assert_memory_equal(out, "%00", 3);
}

/* The literals of the path that is chosen, with ":" for each parameter; "-name" for what is missing. */
static void choose(const char *text, const char *given, char *out, size_t room)
{
    struct pattern pattern;
    struct fsd_err err;
    bool has_value[PATTERN_NAMES_MAX] = {false};
    size_t missing = 0;
    size_t used = 0;
    assert_int_equal(pattern_parse(&pattern, text, strlen(text), &err), 0);
    for (size_t i = 0; i < pattern.name_count; i++) {
        has_value[i] = strstr(given, pattern.names[i]) != NULL;
    }
    const struct pattern_path *path = pattern_write_choose(&pattern, has_value, &missing);
    out[0] = '\0';
    if (path == NULL) {
        (void)snprintf(out, room, "-%s", pattern.names[missing]);
    }
    for (size_t i = 0; path != NULL && i < path->count; i++) {
        const struct pattern_token *token = &path->tokens[i];
        int len = token->kind == PATTERN_LITERAL
                      ? snprintf(out + used, room - used, "%.*s", (int)token->len, token->text)
                      : snprintf(out + used, room - used, ":");
        used += (size_t)len;
    }
    pattern_fini(&pattern);
}

static void groups_are_written_when_all_their_parameters_are_given(void **state)
{
    static const struct {
        const char *pattern;
        const char *given;
        const char *expected;
    } rows[] = {
        {"/users/:id", "id", "/users/:"},
        {"/users/:id", "", "-id"},
        {"/:a/:b", "a", "-b"},
        {"/page{/:number}{.:ext}", "", "/page"},
        {"/page{/:number}{.:ext}", "number", "/page/:"},
        {"/page{/:number}{.:ext}", "ext", "/page.:"},
        {"/page{/:number}{.:ext}", "number ext", "/page/:.:"},
        {"/a{/:b{/:c}}", "c", "/a"},
        {"/a{/:b{/:c}}", "b", "/a/:"},
        {"/a{/:b{/:c}}", "b c", "/a/:/:"},
        {"/a{/b}", "", "/a/b"},
        {"/files/*path", "path", "/files/:"},
        {"/files{/*path}", "", "/files"},
        {"{/:lang}/about", "", "/about"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[128];
        choose(rows[i].pattern, rows[i].given, out, sizeof(out));
        assert_string_equal(out, rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escaped_texts_are_those_of_encode_uri_component),
        cmocka_unit_test(groups_are_written_when_all_their_parameters_are_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
