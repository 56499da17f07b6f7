/* Each byte at each place, as a naive look finds it; copies are exact, so that the sanitizer sees a read beyond the end. */
#include "worker/http/text/head_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LEN_MAX = 19 }; /* two words and some */

static bool is_token(int byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

/* Runs check on all texts of up to LEN_MAX bytes that are `usual` but for one byte. */
static void with_each_byte_at_each_place(char usual,
                                         void (*check)(const char *text, size_t len, size_t place))
{
    for (size_t len = 1; len <= LEN_MAX; len++) {
        for (size_t place = 0; place < len; place++) {
            char *text = malloc(len);
            memset(text, usual, len);
            for (int byte = 0; byte <= 0xff; byte++) {
                text[place] = (char)byte;
                check(text, len, place);
            }
            free(text);
        }
    }
}

static void check_token(const char *text, size_t len, size_t place)
{
    bool stops = !is_token((unsigned char)text[place]);
    assert_ptr_equal(head_bytes_skip_token(text, text + len), stops ? text + place : text + len);
}

static void a_token_ends_at_the_first_byte_that_belongs_to_none(void **state)
{
    (void)state;
    with_each_byte_at_each_place('a', check_token);
    with_each_byte_at_each_place('Z', check_token);
    with_each_byte_at_each_place('-', check_token);
    with_each_byte_at_each_place('_', check_token); /* goes one by one */
}

static void check_below(const char *text, size_t len, size_t place, unsigned char limit)
{
    unsigned char byte = (unsigned char)text[place];
    bool is_hit = byte < limit || byte == 0x7f;
    assert_ptr_equal(head_bytes_find_control(text, text + len, limit),
                     is_hit ? text + place : text + len);
}

static void check_control(const char *text, size_t len, size_t place)
{
    check_below(text, len, place, 0x20);
    check_below(text, len, place, 0x21);
}

static void check_all_of_ascii(const char *text, size_t len, size_t place)
{
    check_below(text, len, place, 0x80);
}

static void a_control_character_is_found_at_any_place(void **state)
{
    (void)state;
    with_each_byte_at_each_place('a', check_control);
    with_each_byte_at_each_place('!', check_control);
    with_each_byte_at_each_place((char)0x80, check_control);
    with_each_byte_at_each_place((char)0x80, check_all_of_ascii);
    with_each_byte_at_each_place((char)0xff, check_all_of_ascii);
}

/* At most one byte is none of a host: what was skipped does not have it. */
static void check_host(const char *text, size_t len, size_t place)
{
    int byte = (unsigned char)text[place];
    bool is_usual = byte >= '-' && byte < 0x80 && strchr("/?@\\", byte) == NULL;
    size_t skipped = (size_t)(head_bytes_skip_host(text, text + len) - text);
    if (is_usual) {
        assert_int_equal(skipped, len < 8 ? 0 : len);
    } else {
        assert_true(skipped <= place);
    }
}

static void what_is_skipped_of_a_host_is_usual(void **state)
{
    (void)state;
    with_each_byte_at_each_place('a', check_host);
    with_each_byte_at_each_place('0', check_host);
    with_each_byte_at_each_place('.', check_host);
}

static void nothing_has_neither(void **state)
{
    (void)state;
    const char *text = "";
    assert_ptr_equal(head_bytes_skip_token(text, text), text);
    assert_ptr_equal(head_bytes_find_control(text, text, 0x20), text);
    assert_ptr_equal(head_bytes_skip_host(text, text), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_ends_at_the_first_byte_that_belongs_to_none),
        cmocka_unit_test(a_control_character_is_found_at_any_place),
        cmocka_unit_test(what_is_skipped_of_a_host_is_usual),
        cmocka_unit_test(nothing_has_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
