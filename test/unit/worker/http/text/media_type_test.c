#include "worker/http/text/media_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/http/text/parameters.h"

static void a_type_is_what_stands_before_the_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *type;
    } cases[] = {
        {"text/html", "text/html"},
        {"Text/HTML; charset=utf-8", "text/html"},
        {"  text/html\t", "text/html"},
        {"application/vnd.api+json;a=b", "application/vnd.api+json"},
        {"a!#$&^_-/b!#$&^_.+-", "a!#$&^_-/b!#$&^_.+-"},
        {"1/2", "1/2"},
        {"", ""},
        {";", ""},
        {"html", ""},
        {"/html", ""},
        {"text/", ""},
        {"text/html/x", ""},
        {"*/*", ""},
        {"text /html", ""},
        {"a.b/c", ""},
        {"text/.html", ""},
        {"text/h\x7f", ""},
        {"text/h\xe4", ""},
        {"text/html, text/plain", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char type[MEDIA_TYPE_MAX];
        assert_int_equal(media_type_parse(cases[i].text, strlen(cases[i].text), type),
                         strlen(cases[i].type));
        assert_string_equal(type, cases[i].type);
    }
    char type[MEDIA_TYPE_MAX];
    assert_int_equal(media_type_parse("a/b\0c", 5, type), 0);
    assert_int_equal(media_type_parse(NULL, 0, type), 0);
}

static void a_type_has_at_most_127_bytes_on_each_side(void **state)
{
    (void)state;
    char text[300];
    char type[MEDIA_TYPE_MAX];
    memset(text, 'a', sizeof(text));
    text[127] = '/';
    assert_int_equal(media_type_parse(text, 255, type), 255);
    assert_int_equal(media_type_parse(text, 256, type), 0);
    assert_int_equal(media_type_parse(text, 300, type), 0);
    text[127] = 'a';
    text[128] = '/';
    assert_int_equal(media_type_parse(text, 200, type), 0);
}

static void wildcards_match_as_type_is_does(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *expected;
        bool matches;
    } cases[] = {
        {"text/html", "text/html", true},
        {"text/html", "text/plain", false},
        {"text/html", "tex/html", false},
        {"text/html", "text/*", true},
        {"text/html", "*/*", true},
        {"text/html", "*/html", true},
        {"text/html", "**/html", false},
        {"text/html", "image/*", false},
        {"text/html", "html", false},
        {"text/html", "text/html/x", false},
        {"text", "text/html", false},
        {"text/html/x", "*/*", false},
        {"application/vnd+json", "*/*+json", true},
        {"application/vnd+json", "application/*+json", true},
        {"application/vnd+json", "text/*+json", false},
        {"application/vnd+xml", "*/*+json", false},
        {"application/json", "*/*+json", false},
        {"application/+json", "*/*+json", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(media_type_matches(cases[i].type, cases[i].expected), cases[i].matches);
    }
}

static void a_quoted_value_is_copied_without_its_backslashes(void **state)
{
    (void)state;
    static const char text[] = "; charset = \"a\\\"b\\\\c\" ; n=\"x\\\"";
    struct parameters parameters = {.at = text, .end = text + strlen(text)};
    struct parameter parameter;
    char out[16];
    assert_true(parameters_next(&parameters, &parameter));
    assert_int_equal(parameter.name.len, strlen("charset"));
    assert_int_equal(parameters_copy_value(&parameter, out), 5);
    assert_memory_equal(out, "a\"b\\c", 5);
    assert_true(parameters_next(&parameters, &parameter));
    assert_int_equal(parameters_copy_value(&parameter, out), 2);
    assert_memory_equal(out, "x\"", 2);
    assert_false(parameters_next(&parameters, &parameter));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_is_what_stands_before_the_parameters),
        cmocka_unit_test(a_type_has_at_most_127_bytes_on_each_side),
        cmocka_unit_test(wildcards_match_as_type_is_does),
        cmocka_unit_test(a_quoted_value_is_copied_without_its_backslashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
