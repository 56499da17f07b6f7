#include "worker/http/body/body_parameters.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All parameters as [name=value], and what came last. */
static int list(const char *text, char *out, size_t room)
{
    size_t len = strlen(text);
    char *exact = malloc(len + (len == 0)); /* so that a read behind the end is found */
    char *buf = malloc(len + 1);
    struct body_parameters parameters;
    struct body_text name;
    struct body_text value;
    assert_non_null(exact);
    assert_non_null(buf);
    memcpy(exact, text, len);
    body_parameters_init(&parameters, exact, len);
    int r = 0;
    size_t used = 0;
    out[0] = '\0';
    while ((r = body_parameters_next(&parameters, buf, &name, &value)) == 1) {
        int n = snprintf(out + used, room - used, "[%.*s=%.*s]", (int)name.len, name.bytes,
                         (int)value.len, value.bytes);
        assert_true(n > 0 && (size_t)n < room - used);
        used += (size_t)n;
    }
    free(buf);
    free(exact);
    return r;
}

static void parameters_are_listed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"", ""},
        {"text/html", ""},
        {"text/html;", ""},
        {"text/html ; ;\t;", ""},
        {"text/html; charset=utf-8", "[charset=utf-8]"},
        {"text/html;a=1;b=2", "[a=1][b=2]"},
        {"x; a=\"b c\" ; d=e ", "[a=b c][d=e]"},
        {"x; a=\"\"", "[a=]"},
        {"x; a=\"q\\\"r\\\\s\"", "[a=q\"r\\s]"},
        {"x; a=\"C:\\dir\\file\"", "[a=C:\\dir\\file]"},
        {"x; a=\"one;two\"", "[a=one;two]"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[128];
        assert_int_equal(list(rows[i].text, out, sizeof(out)), 0);
        assert_string_equal(out, rows[i].want);
    }
}

static void what_is_no_parameter_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "x; a",       "x; a=",         "x; =b",     "x; a=\"b",    "x; a=b c",
        "x; a =b",    "x; a= b",       "x; a=b, c", "x; a=\"b\"c", "x; a=\"b\\\"",
        "x; a\x01=b", "x; \xc3\xa4=b", "x; a=(b)",  "x; a=\"b\\",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[128];
        if (list(rows[i], out, sizeof(out)) != -EINVAL) {
            fail_msg("%s was taken as %s", rows[i], out);
        }
    }
}

static void the_first_of_a_name_is_found_in_any_case(void **state)
{
    (void)state;
    static const char text[] = "x; Charset=\"A\"; charset=B; other=C";
    char buf[sizeof(text)];
    struct body_text value;
    assert_int_equal(body_parameters_find(text, sizeof(text) - 1, "charset", buf, &value), 0);
    assert_int_equal(value.len, 1);
    assert_memory_equal(value.bytes, "A", 1);
    assert_int_equal(body_parameters_find(text, sizeof(text) - 1, "chars", buf, &value), -ENOENT);
    assert_int_equal(body_parameters_find("x; ?", 4, "chars", buf, &value), -EINVAL);
    assert_int_equal(body_parameters_find("x; @", 4, "chars", buf, &value), -EINVAL);
    assert_int_equal(body_parameters_find("", 0, "chars", buf, &value), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_listed),
        cmocka_unit_test(what_is_no_parameter_is_refused),
        cmocka_unit_test(the_first_of_a_name_is_found_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
