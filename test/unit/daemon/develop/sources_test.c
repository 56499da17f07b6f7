/* What is different between two looks at an application's files. */
#include "daemon/develop/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct source_stamp first = {1, 10, 100, 100};

/* names: one letter each. */
static struct sources make(const char *names)
{
    struct sources sources = {.rows = NULL};
    for (; *names != '\0'; names++) {
        char name[] = {*names, '.', 'l', 'u', 'a', '\0'};
        assert_int_equal(sources_add(&sources, name, &first), 0);
    }
    sources_sort(&sources);
    return sources;
}

static size_t compare(const char *before, const char *after, char *text, size_t size)
{
    struct sources a = make(before);
    struct sources b = make(after);
    size_t count = sources_compare(&a, &b, text, size);
    sources_fini(&a);
    sources_fini(&b);
    return count;
}

static void files_that_come_and_go_are_differences(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
        size_t count;
        const char *text;
    } rows[] = {
        {"", "", 0, ""},
        {"cab", "abc", 0, ""},
        {"", "a", 1, "a.lua"},
        {"a", "", 1, "a.lua"},
        {"ac", "abc", 1, "b.lua"},
        {"abc", "ac", 1, "b.lua"},
        {"abc", "cde", 4, "a.lua, b.lua, d.lua and 1 more"},
        {"", "abc", 3, "a.lua, b.lua, c.lua"},
        {"abcde", "", 5, "a.lua, b.lua, c.lua and 2 more"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        assert_int_equal(compare(rows[i].before, rows[i].after, text, sizeof(text)), rows[i].count);
        assert_string_equal(text, rows[i].text);
    }
}

static void each_part_of_a_stamp_counts(void **state)
{
    (void)state;
    static const struct source_stamp others[] = {
        {2, 10, 100, 100}, {1, 11, 100, 100}, {1, 10, 101, 100}, {1, 10, 100, 101}};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct sources before = make("ab");
        struct sources after = make("b");
        char text[64];
        assert_int_equal(sources_add(&after, "a.lua", &others[i]), 0);
        sources_sort(&after);
        assert_int_equal(sources_compare(&before, &after, text, sizeof(text)), 1);
        assert_string_equal(text, "a.lua");
        sources_fini(&before);
        sources_fini(&after);
    }
}

static void a_text_without_room_is_cut_and_all_is_counted(void **state)
{
    (void)state;
    char text[9];
    assert_int_equal(compare("", "abcde", text, sizeof(text)), 5);
    assert_string_equal(text, "a.lua, b");
    assert_int_equal(compare("", "abcde", text, 1), 5);
    assert_string_equal(text, "");
}

static void a_file_is_found_by_its_name(void **state)
{
    (void)state;
    struct sources none = {.rows = NULL};
    struct sources some = make("bac");
    assert_null(sources_find(&none, "a.lua"));
    assert_null(sources_find(&some, "d.lua"));
    assert_string_equal(sources_find(&some, "b.lua")->name, "b.lua");
    sources_fini(&some);
    assert_null(sources_find(&some, "b.lua"));
}

static void a_digest_tells_other_files_and_stamps(void **state)
{
    (void)state;
    struct sources none = make("");
    struct sources one = make("ab");
    struct sources same = make("ba");
    struct sources more = make("abc");
    assert_int_equal(sources_digest(&one), sources_digest(&same));
    assert_int_not_equal(sources_digest(&none), 0);
    assert_int_not_equal(sources_digest(&none), sources_digest(&one));
    assert_int_not_equal(sources_digest(&one), sources_digest(&more));
    uint64_t before = sources_digest(&same);
    same.rows[1].stamp.changed_ns++;
    assert_int_not_equal(sources_digest(&same), before);
    sources_fini(&one);
    sources_fini(&same);
    sources_fini(&more);
}

static void many_files_fit(void **state)
{
    (void)state;
    struct sources sources = {.rows = NULL};
    char name[32];
    for (int i = 999; i >= 0; i--) {
        (void)snprintf(name, sizeof(name), "%03d.lua", i);
        assert_int_equal(sources_add(&sources, name, &first), 0);
    }
    sources_sort(&sources);
    assert_int_equal(sources.count, 1000);
    assert_string_equal(sources.rows[500].name, "500.lua");
    sources_fini(&sources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_come_and_go_are_differences),
        cmocka_unit_test(each_part_of_a_stamp_counts),
        cmocka_unit_test(a_text_without_room_is_cut_and_all_is_counted),
        cmocka_unit_test(a_file_is_found_by_its_name),
        cmocka_unit_test(a_digest_tells_other_files_and_stamps),
        cmocka_unit_test(many_files_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
