#include "worker/http/text/compressible.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool is_type(const char *type)
{
    return compressible_is_type(type, strlen(type));
}

static void text_and_its_like_are_compressible(void **state)
{
    static const char *const rows[] = {
        "text/html",        "text/plain; charset=utf-8", "TEXT/CSS",
        "application/json", "application/problem+json",  "image/svg+xml; charset=utf-8",
        "application/wasm", "application/JavaScript"};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(is_type(rows[i]));
    }
}

static void what_is_compressed_already_is_not(void **state)
{
    static const char *const rows[] = {"",
                                       "text/",
                                       "image/png",
                                       "video/mp4",
                                       "application/zip",
                                       "application/octet-stream",
                                       "font/woff2",
                                       "text/event-stream; charset=utf-8",
                                       "+json",
                                       "application/jsonx"};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_false(is_type(rows[i]));
    }
}

static void no_transform_is_found_among_others(void **state)
{
    static const char *const yes[] = {"no-transform", "max-age=1, No-Transform",
                                      " no-transform\t,a"};
    static const char *const no[] = {"",   "max-age=1", "no-transformation", "x-no-transform",
                                     ",,", " "};
    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        assert_true(compressible_is_forbidden(yes[i], strlen(yes[i])));
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        assert_false(compressible_is_forbidden(no[i], strlen(no[i])));
    }
}

static void gzip_is_taken_where_it_is_liked_no_less(void **state)
{
    static const char *const yes[] = {"gzip", "br, gzip", "*", "gzip;q=0.5, identity;q=0.5"};
    static const char *const no[] = {"", "br", "gzip;q=0", "gzip;q=0.4, identity;q=0.5",
                                     "identity"};
    (void)state;
    assert_false(compressible_is_accepted(NULL, 0));
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        assert_true(compressible_is_accepted(yes[i], strlen(yes[i])));
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        assert_false(compressible_is_accepted(no[i], strlen(no[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_its_like_are_compressible),
        cmocka_unit_test(what_is_compressed_already_is_not),
        cmocka_unit_test(no_transform_is_found_among_others),
        cmocka_unit_test(gzip_is_taken_where_it_is_liked_no_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
