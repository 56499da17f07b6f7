/* The lines of a source that an error message is about. */
#include "daemon/develop/excerpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_first_place_of_a_message_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        const char *name;
        unsigned line;
    } rows[] = {
        {"app.lua:3: no", "app.lua", 3},
        {"/srv/a b/lib/x.lua:12: no", "b/lib/x.lua", 12},
        {"cannot load \"lib/x.lua:7: no\"", "lib/x.lua", 7},
        {"error in x.lua:\n\ty.lua:4: in main chunk", "y.lua", 4},
        {"a.lua:0: b.lua:2: c.lua:3:", "b.lua", 2},
        {"a.lua:1 b.lua:99999999999999999999: c.lua:3:", "c.lua", 3},
        {".lua:3: d.lua:4:", "d.lua", 4},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct excerpt_place place;
        assert_true(excerpt_find_place(rows[i].message, &place));
        assert_string_equal(place.name, rows[i].name);
        assert_int_equal(place.line, rows[i].line);
    }
}

static void a_message_without_a_place_has_none(void **state)
{
    (void)state;
    static const char *const messages[] = {"", "no memory", "app.lua: not found",
                                           "app.lua:", "x.lua:3"};
    struct excerpt_place place = {"same", 1};
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        assert_false(excerpt_find_place(messages[i], &place));
    }
    char text[EXCERPT_NAME_MAX + 16];
    memset(text, 'a', sizeof(text));
    strcpy(text + EXCERPT_NAME_MAX - 4, ".lua:3:"); /* one too long */
    assert_false(excerpt_find_place(text, &place));
    assert_string_equal(place.name, "same");
    assert_true(excerpt_find_place(text + 1, &place));
}

static void check(const char *source, unsigned line, const char *expected)
{
    char text[EXCERPT_MAX];
    excerpt_format(source, strlen(source), line, text);
    assert_string_equal(text, expected);
}

static void the_line_is_marked_between_its_neighbours(void **state)
{
    (void)state;
    const char *source = "one\ntwo\n\nfour\nfive";
    check(source, 1, " >     1 | one\n       2 | two\n");
    check(source, 2, "       1 | one\n >     2 | two\n       3 |\n");
    check(source, 5, "       4 | four\n >     5 | five\n");
    check("one\n", 1, " >     1 | one\n");
}

static void the_end_of_the_file_is_marked_behind_its_last_line(void **state)
{
    (void)state;
    check("one\ntwo\n", 3, "       2 | two\n >     3 |\n");
}

static void a_line_that_is_not_there_shows_nothing(void **state)
{
    (void)state;
    check("one\ntwo\n", 4, "");
    check("", 1, "");
    check("one", 4000000000U, "");
}

static void a_source_cannot_write_to_the_terminal(void **state)
{
    (void)state;
    check("\tx = 1\r\n\033[2J\xff\n", 2, "       1 |  x = 1\n >     2 | ?[2J?\n");
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    char source[6000];
    char text[EXCERPT_MAX];
    memset(source, 'x', sizeof(source));
    source[1999] = '\n';
    source[3999] = '\n';
    excerpt_format(source, sizeof(source), 2, text);
    assert_in_range(strlen(text), 3 * 100, EXCERPT_MAX - 1);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_place_of_a_message_is_found),
        cmocka_unit_test(a_message_without_a_place_has_none),
        cmocka_unit_test(the_line_is_marked_between_its_neighbours),
        cmocka_unit_test(the_end_of_the_file_is_marked_behind_its_last_line),
        cmocka_unit_test(a_line_that_is_not_there_shows_nothing),
        cmocka_unit_test(a_source_cannot_write_to_the_terminal),
        cmocka_unit_test(long_lines_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
