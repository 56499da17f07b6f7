#include "worker/http/text/url_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *url, const char *wanted)
{
    char out[256];
    size_t len = url_text_escape(url, strlen(url), out);
    assert_true(len <= URL_TEXT_MAX(strlen(url)));
    out[len] = '\0';
    assert_string_equal(out, wanted);
}

static void what_can_stand_in_a_url_stays(void **state)
{
    (void)state;
    check("", "");
    check("/a/b?c=d&e=%20#f", "/a/b?c=d&e=%20#f");
    check("http://[::1]:80/a;b,c'(d)*!$+@~_-.^|", "http://[::1]:80/a;b,c'(d)*!$+@~_-.^|");
}

static void what_cannot_is_escaped(void **state)
{
    (void)state;
    check("/a b\"<>`{}", "/a%20b%22%3C%3E%60%7B%7D");
    check("/\xc3\xa4\xff", "/%C3%A4%FF");
    check("/\\evil", "/%5Cevil");
    check("\r\n\t\x7f", "%0D%0A%09%7F");
}

static void a_percent_sign_that_begins_no_escape_is_escaped(void **state)
{
    (void)state;
    check("%", "%25");
    check("%4", "%254");
    check("%4g%g4%aF%0", "%254g%25g4%aF%250");
}

static void every_byte_comes_out_printable(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        char out[4];
        char escape[4];
        size_t len = url_text_escape(&byte, 1, out);
        if (len == 1) {
            assert_true(c > 0x20 && c < 0x7f && out[0] == byte);
            continue;
        }
        (void)snprintf(escape, sizeof(escape), "%%%02X", c);
        assert_int_equal(len, 3);
        assert_memory_equal(out, escape, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_stand_in_a_url_stays),
        cmocka_unit_test(what_cannot_is_escaped),
        cmocka_unit_test(a_percent_sign_that_begins_no_escape_is_escaped),
        cmocka_unit_test(every_byte_comes_out_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
