/* request_token_test.c - by what requests are known in logs. */
#include "worker/http/text/request_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void visible_ascii_is_taken_over(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[] = {'x', (char)c};
        assert_int_equal(request_token_is_usable(text, 2), c > 0x20 && c < 0x7f);
    }
}

static void one_to_64_characters_are_taken_over(void **state)
{
    (void)state;
    char text[REQUEST_TOKEN_MAX + 1];
    memset(text, 'x', sizeof(text));
    assert_false(request_token_is_usable(text, 0));
    assert_true(request_token_is_usable(text, 1));
    assert_true(request_token_is_usable(text, REQUEST_TOKEN_MAX));
    assert_false(request_token_is_usable(text, REQUEST_TOKEN_MAX + 1));
}

static void ours_is_usable_whatever_the_numbers(void **state)
{
    (void)state;
    char text[REQUEST_TOKEN_MAX + 1];
    request_token_make(text, 7, 0x2a);
    assert_string_equal(text, "7-2a");
    request_token_make(text, UINT64_MAX, UINT64_MAX);
    assert_string_equal(text, "ffffffffffffffff-ffffffffffffffff");
    assert_true(request_token_is_usable(text, strlen(text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visible_ascii_is_taken_over),
        cmocka_unit_test(one_to_64_characters_are_taken_over),
        cmocka_unit_test(ours_is_usable_whatever_the_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
