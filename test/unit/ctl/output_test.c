/* Numbers for people, and text of others made harmless. */
#include "ctl/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void durations_show_their_two_largest_units(void **state)
{
    (void)state;
    static const struct {
        uint64_t duration_ms;
        const char *text;
    } cases[] = {
        {0, "0.0s"},
        {99, "0.0s"},
        {1600, "1.6s"},
        {9999, "9.9s"},
        {10000, "10s"},
        {59999, "59s"},
        {60000, "1m 00s"},
        {725000, "12m 05s"},
        {3599999, "59m 59s"},
        {3600000, "1h 00m"},
        {15060000, "4h 11m"},
        {86399999, "23h 59m"},
        {86400000, "1d 00:00"},
        {274260000, "3d 04:11"},
        {UINT64_MAX, "213503982334d 14:25"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[OUTPUT_NUMBER_MAX];
        output_format_duration(cases[i].duration_ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void sizes_have_two_digits_at_least_and_no_1024(void **state)
{
    (void)state;
    static const struct {
        uint64_t size_bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {4300, "4.2 KiB"},
        {10 * 1024 - 1, "10 KiB"},
        {10 * 1024, "10 KiB"},
        {1023 * 1024, "1023 KiB"},
        {1024 * 1024 - 1, "1.0 MiB"},
        {212 * 1024 * 1024, "212 MiB"},
        {5ULL << 30, "5.0 GiB"},
        {UINT64_MAX, "16 EiB"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[OUTPUT_NUMBER_MAX];
        output_format_size(cases[i].size_bytes, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void counts_are_grouped_by_three(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        const char *text;
    } cases[] = {
        {0, "0"},
        {999, "999"},
        {1842, "1 842"},
        {123456, "123 456"},
        {1000000, "1 000 000"},
        {UINT64_MAX, "18 446 744 073 709 551 615"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[OUTPUT_NUMBER_MAX];
        output_format_count(cases[i].count, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void what_a_terminal_would_obey_is_spelled_out(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *utf8;
        const char *ascii;
    } cases[] = {
        {"plain text", "plain text", "plain text"},
        {"", "", ""},
        {"\033[2J", "\\x1b[2J", "\\x1b[2J"},
        {"a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f", "a\\x0ab\\x09c\\x7f"},
        {"caf\u00e9", "caf\u00e9", "caf\\xc3\\xa9"},
        {"\u20ac \U0001F600", "\u20ac \U0001F600", "\\xe2\\x82\\xac \\xf0\\x9f\\x98\\x80"},
        {"\xc2\x9b", "\\xc2\\x9b", "\\xc2\\x9b"},               /* CSI in one character */
        {"\u202e", "\\xe2\\x80\\xae", "\\xe2\\x80\\xae"},       /* right-to-left override */
        {"\u2028", "\\xe2\\x80\\xa8", "\\xe2\\x80\\xa8"},       /* line separator */
        {"\xff\x80", "\\xff\\x80", "\\xff\\x80"},               /* no UTF-8 */
        {"\xc3", "\\xc3", "\\xc3"},                             /* cut */
        {"\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf"},               /* overlong */
        {"\xe0\x80\x80", "\\xe0\\x80\\x80", "\\xe0\\x80\\x80"}, /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"}, /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
    };
    struct output utf8 = {stdout, false, true};
    struct output ascii = {stdout, false, false};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char escaped[64];
        output_escape(&utf8, cases[i].text, escaped, sizeof(escaped));
        assert_string_equal(escaped, cases[i].utf8);
        output_escape(&ascii, cases[i].text, escaped, sizeof(escaped));
        assert_string_equal(escaped, cases[i].ascii);
    }
}

static void what_does_not_fit_ends_in_dots_and_never_amid_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *escaped;
    } cases[] = {
        {"123456789", "123456789"}, {"1234567890", "123456..."}, {"12345\u20ac90", "12345..."},
        {"1234\n\n", "1234..."},    {"\n\n\n\n", "\\x0a..."},
    };
    struct output output = {stdout, false, true};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char escaped[10];
        output_escape(&output, cases[i].text, escaped, sizeof(escaped));
        assert_string_equal(escaped, cases[i].escaped);
    }
}

static void padding_counts_characters_and_no_color_codes(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    struct output output = {open_memstream(&text, &len), true, true};
    output_print(&output, OUTPUT_PLAIN, 6, "caf\u00e9");
    output_print(&output, OUTPUT_RED, -6, "caf\u00e9");
    output_print(&output, OUTPUT_GREEN, 0, "x");
    output.color = false;
    output_print(&output, OUTPUT_RED, 2, "y");
    assert_int_equal(fclose(output.file), 0);
    assert_string_equal(text, "  caf\u00e9\033[31mcaf\u00e9\033[0m  \033[32mx\033[0m y");
    free(text);
}

static void a_file_gets_neither_color_nor_utf8(void **state)
{
    (void)state;
    struct output output;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(setenv("LC_ALL", "C.UTF-8", 1), 0);
    output_init(&output, file);
    assert_false(output.color);
    assert_false(output.utf8);
    assert_int_equal(fclose(file), 0);
}

static void text_of_any_length_is_written_harmless_and_by_lines(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    struct output output = {open_memstream(&text, &len), false, true};
    output_text(&output, "caf\u00e9\t\x1b\n\xff");
    (void)fputc('|', output.file);
    output_text_part(&output, "\u00e9tait", 3);
    (void)fputc('|', output.file);
    output_lines(&output, "! ", "  ", "one\n\ttwo\n\n\u202ethree\n");
    output_lines(&output, "! ", "  ", "");
    assert_int_equal(fclose(output.file), 0);
    assert_string_equal(text, "caf\u00e9    \\x1b\\x0a\\xff|\u00e9t|! one\n      two\n  \n"
                              "  \\xe2\\x80\\xaethree\n! \n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_any_length_is_written_harmless_and_by_lines),
        cmocka_unit_test(durations_show_their_two_largest_units),
        cmocka_unit_test(sizes_have_two_digits_at_least_and_no_1024),
        cmocka_unit_test(counts_are_grouped_by_three),
        cmocka_unit_test(what_a_terminal_would_obey_is_spelled_out),
        cmocka_unit_test(what_does_not_fit_ends_in_dots_and_never_amid_a_character),
        cmocka_unit_test(padding_counts_characters_and_no_color_codes),
        cmocka_unit_test(a_file_gets_neither_color_nor_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
