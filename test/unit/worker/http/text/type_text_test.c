#include "worker/http/text/type_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void text_without_a_charset_wants_one(void **state)
{
    static const char *const rows[] = {"text/html",
                                       "TEXT/x",
                                       "application/json",
                                       "application/javascript",
                                       "application/manifest+json",
                                       "text/html; level=1",
                                       "text/html ;q",
                                       "text/event-stream"};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(type_text_wants_charset(rows[i], strlen(rows[i])));
    }
}

static void others_want_none(void **state)
{
    static const char *const rows[] = {"",
                                       "text",
                                       "text/",
                                       "image/png",
                                       "application/problem+json",
                                       "application/jsonx",
                                       "text/html; charset=latin1",
                                       "text/html;CHARSET=x",
                                       "text/html; a=b; charset=utf-8"};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(type_text_wants_charset(rows[i], strlen(rows[i])));
    }
}

static void the_essence_stands_before_the_parameters(void **state)
{
    (void)state;
    assert_int_equal(type_text_essence_len("text/html", 9), 9);
    assert_int_equal(type_text_essence_len("text/html; a=b", 14), 9);
    assert_int_equal(type_text_essence_len("text/html \t;", 12), 9);
    assert_int_equal(type_text_essence_len(" ;", 2), 0);
    assert_int_equal(type_text_essence_len("", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_without_a_charset_wants_one),
        cmocka_unit_test(others_want_none),
        cmocka_unit_test(the_essence_stands_before_the_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
