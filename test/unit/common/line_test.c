/* Framing by newline: pieces of every size, the limit, and what is left of an unfinished line. */
#include "common/line.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Feeds input in pieces of the given size and writes the lines to text, each in angle brackets. */
static int feed(const char *input, size_t input_len, size_t piece, size_t line_max, char *text,
                size_t text_len)
{
    struct line line;
    line_init(&line, line_max);
    text[0] = '\0';
    int r = 0;
    for (size_t at = 0; at < input_len && r >= 0; at += piece) {
        size_t len = input_len - at < piece ? input_len - at : piece;
        r = line_append(&line, input + at, len);
        char *found = NULL;
        size_t found_len = 0;
        while (r >= 0 && (r = line_next(&line, &found, &found_len)) == 1) {
            assert_int_equal(found[found_len], '\0');
            size_t used = strlen(text);
            (void)snprintf(text + used, text_len - used, "<%s:%zu>", found, found_len);
        }
    }
    line_fini(&line);
    return r;
}

static void lines_are_the_same_whatever_pieces_they_come_in(void **state)
{
    (void)state;
    static const char input[] = "one\n\ntwo words\nx\nunfinished";
    for (size_t piece = 1; piece < sizeof(input); piece++) {
        char text[128];
        assert_int_equal(feed(input, sizeof(input) - 1, piece, 100, text, sizeof(text)), 0);
        assert_string_equal(text, "<one:3><:0><two words:9><x:1>");
    }
}

static void a_zero_byte_is_a_byte_like_any_other(void **state)
{
    (void)state;
    struct line line;
    char *text = NULL;
    size_t len = 0;
    line_init(&line, 10);
    assert_int_equal(line_append(&line, "a\0b\n", 4), 0);
    assert_int_equal(line_next(&line, &text, &len), 1);
    assert_int_equal(len, 3);
    assert_memory_equal(text, "a\0b", 3);
    line_fini(&line);
}

static void a_line_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    (void)state;
    char text[64];
    for (size_t piece = 1; piece <= 8; piece++) {
        assert_int_equal(feed("12345\n", 6, piece, 5, text, sizeof(text)), 0);
        assert_string_equal(text, "<12345:5>");
        assert_int_equal(feed("a\n123456\n", 9, piece, 5, text, sizeof(text)), -EMSGSIZE);
        assert_string_equal(text, "<a:1>");
        assert_int_equal(feed("123456", 6, piece, 5, text, sizeof(text)), -EMSGSIZE);
    }
}

static void nothing_is_added_to_a_line_that_is_too_long_already(void **state)
{
    (void)state;
    struct line line;
    line_init(&line, 4);
    assert_int_equal(line_append(&line, "12345", 5), 0);
    assert_int_equal(line_append(&line, "6", 1), -EMSGSIZE);
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(line_next(&line, &text, &len), -EMSGSIZE);
    line_fini(&line);
}

static void nothing_appended_changes_nothing(void **state)
{
    (void)state;
    struct line line;
    char *found = NULL;
    size_t len = 0;
    line_init(&line, 100);
    assert_int_equal(line_append(&line, "", 0), 0);
    assert_false(line_is_partial(&line));
    assert_int_equal(line_append(&line, "ab", 2), 0);
    assert_int_equal(line_append(&line, "", 0), 0);
    assert_int_equal(line_next(&line, &found, &len), 0);
    assert_true(line_is_partial(&line));
    line_fini(&line);
}

static void a_partial_line_is_seen_until_its_newline_comes(void **state)
{
    (void)state;
    struct line line;
    char *text = NULL;
    size_t len = 0;
    line_init(&line, 100);
    assert_false(line_is_partial(&line));
    assert_int_equal(line_append(&line, "a\nb", 3), 0);
    assert_int_equal(line_next(&line, &text, &len), 1);
    assert_int_equal(line_next(&line, &text, &len), 0);
    assert_true(line_is_partial(&line));
    assert_int_equal(line_append(&line, "\n", 1), 0);
    assert_int_equal(line_next(&line, &text, &len), 1);
    assert_string_equal(text, "b");
    assert_false(line_is_partial(&line));
    line_fini(&line);
}

static void a_long_line_grows_the_buffer_and_short_ones_do_not(void **state)
{
    (void)state;
    struct line line;
    line_init(&line, 1 << 20);
    char block[1000];
    memset(block, 'x', sizeof(block));
    char *text = NULL;
    size_t len = 0;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(line_append(&line, block, sizeof(block)), 0);
        assert_int_equal(line_next(&line, &text, &len), 0);
    }
    assert_int_equal(line_append(&line, "\n", 1), 0);
    assert_int_equal(line_next(&line, &text, &len), 1);
    assert_int_equal(len, 1000000);
    assert_int_equal(line_next(&line, &text, &len), 0);

    size_t capacity = line.capacity;
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(line_append(&line, "hello hello\n", 12), 0);
        assert_int_equal(line_next(&line, &text, &len), 1);
        assert_int_equal(line_next(&line, &text, &len), 0);
    }
    assert_int_equal(line.capacity, capacity);
    line_fini(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_the_same_whatever_pieces_they_come_in),
        cmocka_unit_test(a_zero_byte_is_a_byte_like_any_other),
        cmocka_unit_test(a_line_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(nothing_is_added_to_a_line_that_is_too_long_already),
        cmocka_unit_test(nothing_appended_changes_nothing),
        cmocka_unit_test(a_partial_line_is_seen_until_its_newline_comes),
        cmocka_unit_test(a_long_line_grows_the_buffer_and_short_ones_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
