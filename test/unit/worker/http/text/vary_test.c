#include "worker/http/text/vary.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_are_added_once(void **state)
{
    static const struct {
        const char *header, *fields, *wanted;
    } rows[] = {
        {"", "Accept", "Accept"},
        {"Accept", "accept", "Accept"},
        {"Accept", "Origin", "Accept, Origin"},
        {"Accept, Origin", " origin ,X-A, x-a ", "Accept, Origin, X-A"},
        {"*", "Accept", "*"},
        {"Accept", "*", "*"},
        {"A,*", "B", "*"},
        {"A", "B, *", "*"},
        {"Accept-Encoding", "Accept", "Accept-Encoding, Accept"},
        {"", "a,a,a", "a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[128];
        size_t len = 0;
        size_t header_len = strlen(rows[i].header);
        size_t fields_len = strlen(rows[i].fields);
        assert_int_equal(
            vary_add(rows[i].header, header_len, rows[i].fields, fields_len, out, &len), 0);
        assert_true(len <= VARY_MAX(header_len, fields_len));
        out[len] = '\0';
        assert_string_equal(out, rows[i].wanted);
    }
}

static void what_is_no_name_is_refused(void **state)
{
    static const char *const rows[] = {"",     " ",      "a b", "a,",      ",a",
                                       "a,,b", "a\r\nb", "a:",  "\xc3\xa4"};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[128];
        size_t len = 77;
        assert_int_equal(vary_add("X", 1, rows[i], strlen(rows[i]), out, &len), -EINVAL);
        assert_int_equal(len, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_added_once),
        cmocka_unit_test(what_is_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
