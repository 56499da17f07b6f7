#include "daemon/conf/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/bound.h"

static void settings_get_the_types_of_the_core_schema(void **state)
{
    static const char text[] =
        "apps: { a: { path: x, settings: {\n"
        "  n: ~, t: true, F: FALSE, i: -7, h: 0xff, o: 0o17, d: 010, p: +5, f: 1.5, e: 1e3,\n"
        "  q: \"5\", s: yes, v: 1.2.3, l: [1, {k: null}], x: 0b1, y: \"\" } } }\n";
    static const unsigned char expected[] = {
        0xde, 0,    16,   0xa1, 'n',  0xc0, 0xa1, 't',  0xc3, 0xa1, 'F',  0xc2, 0xa1, 'i',  0xf9,
        0xa1, 'h',  0xcc, 0xff, 0xa1, 'o',  15,   0xa1, 'd',  10,   0xa1, 'p',  5,    0xa1, 'f',
        0xcb, 0x3f, 0xf8, 0,    0,    0,    0,    0,    0,    0xa1, 'e',  0xcb, 0x40, 0x8f, 0x40,
        0,    0,    0,    0,    0,    0xa1, 'q',  0xa1, '5',  0xa1, 's',  0xa3, 'y',  'e',  's',
        0xa1, 'v',  0xa5, '1',  '.',  '2',  '.',  '3',  0xa1, 'l',  0x92, 1,    0x81, 0xa1, 'k',
        0xc0, 0xa1, 'x',  0xa3, '0',  'b',  '1',  0xa1, 'y',  0xa0};
    struct bound bound;

    (void)state;
    bound_init(&bound, text);
    problems_assert_none(&bound.list);
    assert_int_equal(bound.conf->apps[0].settings_len, sizeof(expected));
    assert_memory_equal(bound.conf->apps[0].settings, expected, sizeof(expected));
    bound_fini(&bound);
}

static void special_floats_are_floats(void **state)
{
    struct bound bound;

    (void)state;
    bound_init(&bound,
               "apps: { a: { path: x, settings: { i: [.inf, -.INF, +.Inf, .nan, inf] } } }");
    problems_assert_none(&bound.list);
    const unsigned char *at = bound.conf->apps[0].settings + 4;
    static const unsigned char infinity_bytes[] = {0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0};
    assert_memory_equal(at, infinity_bytes, 9);
    assert_int_equal(at[9 + 1], 0xff);
    assert_memory_equal(at + 18, infinity_bytes, 9);
    assert_int_equal(at[27], 0xcb);
    assert_memory_equal(at + 36, "\xa3inf", 4);
    bound_fini(&bound);
}

static void numbers_that_do_not_fit_are_errors_at_their_place(void **state)
{
    static const struct {
        const char *number;
        const char *expected; /* NULL: it fits */
    } rows[] = {
        {"9223372036854775807", NULL},
        {"-9223372036854775808", NULL},
        {"0x7fffffffffffffff", NULL},
        {"-0x1", NULL}, /* a string: the core schema knows no sign here */
        {"+-1", NULL},
        {"9223372036854775808", "does not fit a 64-bit integer\n"},
        {"-9223372036854775809", "does not fit a 64-bit integer\n"},
        {"0x8000000000000000", "does not fit a 64-bit integer\n"},
        {"0o1000000000000000000000", "does not fit a 64-bit integer\n"},
        {"1e999", "does not fit a floating point number\n"},
        {"-1e999", "put it into quotes to make it a string\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bound bound;
        char text[128];
        (void)snprintf(text, sizeof(text), "apps: { a: { path: x, settings: { n: %s } } }",
                       rows[i].number);
        bound_init(&bound, text);
        if (rows[i].expected == NULL) {
            problems_assert_none(&bound.list);
        } else {
            problems_assert_contains(&bound.list, "t.yaml:1:38: error: apps.a.settings: ");
            problems_assert_contains(&bound.list, rows[i].expected);
        }
        bound_fini(&bound);
    }
}

static void settings_have_a_limit(void **state)
{
    struct bound bound;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    /* 900 aliases to 2 KiB are more than 1 MiB. */
    (void)fprintf(out, "apps: { a: { path: x, settings: { s: &s %02048d, l: [", 0);
    for (int i = 0; i < 900; i++) {
        (void)fputs("*s,", out);
    }
    (void)fputs("] } } }", out);
    (void)fclose(out);
    char *digit = strstr(text, "&s 0");
    digit[3] = 'x'; /* no number */
    bound_init(&bound, text);
    problems_assert_contains(&bound.list,
                             "t.yaml:1:23: error: apps.a.settings: more than 1 MiB of settings\n");
    bound_fini(&bound);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_get_the_types_of_the_core_schema),
        cmocka_unit_test(special_floats_are_floats),
        cmocka_unit_test(numbers_that_do_not_fit_are_errors_at_their_place),
        cmocka_unit_test(settings_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
