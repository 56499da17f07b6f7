/* Text of others made harmless. */
#include "daemon/log/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_character_is_read_whole_or_as_a_bad_byte(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        size_t took;
        int32_t code;
    } cases[] = {
        {"a", 1, 1, 'a'},
        {"\0", 1, 1, 0},
        {"\x7f", 1, 1, 0x7f},
        {"\xc3\xa9", 2, 2, 0xe9},
        {"\xe2\x82\xac", 3, 3, 0x20ac},
        {"\xf0\x9f\x98\x80", 4, 4, 0x1f600},
        {"\xc3", 1, 1, -1},                 /* cut */
        {"\xe2\x82", 2, 1, -1},             /* cut */
        {"\xf0\x9f\x98", 3, 1, -1},         /* cut */
        {"\xc3(", 2, 1, -1},                /* no continuation */
        {"\x80", 1, 1, -1},                 /* a continuation alone */
        {"\xc0\x80", 2, 1, -1},             /* overlong */
        {"\xe0\x80\x80", 3, 1, -1},         /* overlong */
        {"\xf0\x80\x80\x80", 4, 1, -1},     /* overlong */
        {"\xed\xa0\x80", 3, 1, -1},         /* surrogate */
        {"\xf4\x90\x80\x80", 4, 1, -1},     /* above U+10FFFF */
        {"\xf8\x88\x80\x80\x80", 5, 1, -1}, /* five bytes */
        {"\xff", 1, 1, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int32_t code = 0;
        assert_int_equal(text_next(cases[i].text, cases[i].len, &code), cases[i].took);
        assert_int_equal(code, cases[i].code);
    }
}

static void what_a_terminal_obeys_is_control(void **state)
{
    (void)state;
    static const int32_t controls[] = {0, 7, 8, 9, 13, 27, 0x7f, 0x80, 0x9b, 0x9f};
    static const int32_t others[] = {'\n', ' ', 'a', '~', 0xa0, 0x20ac, -1};
    for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
        assert_true(text_is_control(controls[i]));
    }
    for (size_t i = 0; i + 1 < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(text_is_control(others[i]));
    }
}

static void a_copy_is_clean_trimmed_and_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *copy;
    } cases[] = {
        {"", 16, ""},
        {"plain", 16, "plain"},
        {"a.lua:3: no\n\n", 16, "a.lua:3: no"},
        {"one\ntwo", 16, "one\ntwo"},
        {"tab\there", 16, "tab here"},
        {"\x1b[31mred\xff", 16, "?[31mred?"},
        {"\xc2\x9b", 16, "?"},
        {"\xe2\x82\xac\xe2\x82\xac", 7, "\xe2\x82\xac\xe2\x82\xac"},
        {"\xe2\x82\xac\xe2\x82\xac", 6, "\xe2\x82\xac"}, /* never half a character */
        {"abcdef", 4, "abc"},
        {"abc", 1, ""},
        {"\n\n \n", 16, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char copy[16];
        memset(copy, 'X', sizeof(copy));
        size_t len = text_clean(copy, cases[i].size, cases[i].text, strlen(cases[i].text));
        assert_string_equal(copy, cases[i].copy);
        assert_int_equal(len, strlen(copy));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_character_is_read_whole_or_as_a_bad_byte),
        cmocka_unit_test(what_a_terminal_obeys_is_control),
        cmocka_unit_test(a_copy_is_clean_trimmed_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
