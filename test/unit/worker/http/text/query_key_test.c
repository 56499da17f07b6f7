#include "worker/http/text/query_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *name, size_t depth, const char *expected)
{
    size_t len = strlen(name);
    char *exact = malloc(len + 1); /* so that a read behind the end is found */
    struct query_text parts[QUERY_KEY_PARTS_MAX];
    char list[256] = "";
    assert_non_null(exact);
    memcpy(exact + 1, name, len);
    size_t count = query_key_split(exact + 1, len, depth, parts);
    assert_true(count <= QUERY_KEY_PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof(list) - used, "%s%.*s", i > 0 ? "|" : "",
                       (int)parts[i].len, parts[i].bytes);
    }
    assert_string_equal(list, expected);
    free(exact);
}

static void a_name_is_split_at_its_brackets(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"a", "a"},
        {"a[b]", "a|b"},
        {"a[b][c]", "a|b|c"},
        {"a[]", "a|"},
        {"a[][b]", "a||b"},
        {"a[0]", "a|0"},
        {"[a]", "a"},
        {"[]", ""},
        {"[a][b]", "a|b"},
        {"a[b]c[d]", "a|b|d"},
        {"a[b[c]]", "a|b[c]"},
        {"a[b", "a|[b"},
        {"a[[]b", "a|[[]b"},
        {"a]b", "a]b"},
        {"[", "["},
        {"a.b", "a.b"},
        {"a[b][c][d][e][f][g][h]", "a|b|c|d|e|f|[g][h]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(cases[i][0], QUERY_KEY_DEPTH, cases[i][1]);
    }
    check("a[b][c]", 1, "a|b|[c]");
}

static void the_deepest_name_fits(void **state)
{
    (void)state;
    char name[4 * QUERY_KEY_DEPTH_MAX] = "a";
    struct query_text parts[QUERY_KEY_PARTS_MAX];
    for (int i = 0; i < QUERY_KEY_DEPTH_MAX + 5; i++) {
        strcat(name, "[b]");
    }
    assert_int_equal(query_key_split(name, strlen(name), QUERY_KEY_DEPTH_MAX, parts),
                     QUERY_KEY_PARTS_MAX);
}

static void only_small_numbers_are_places_in_a_list(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned max;
        int index;
    } cases[] = {
        {"0", 19, 0},         {"7", 19, 7},       {"19", 19, 19},
        {"20", 19, -1},       {"99", 19, -1},     {"100", 19, -1},
        {"00", 19, -1},       {"01", 19, -1},     {"", 19, -1},
        {"a", 19, -1},        {"1a", 19, -1},     {"-1", 19, -1},
        {"+1", 19, -1},       {" 1", 19, -1},     {"1.", 19, -1},
        {"100", 100, 100},    {"101", 100, -1},   {"000", 100, -1},
        {"010", 100, -1},     {"0", 0, 0},        {"1", 0, -1},
        {"1000", 1000, 1000}, {"1001", 1000, -1}, {"99999999999999999999", 1000, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned index = 0;
        struct query_text part = {.bytes = cases[i].text, .len = strlen(cases[i].text)};
        assert_int_equal(query_key_is_index(part, cases[i].max, &index), cases[i].index >= 0);
        if (cases[i].index >= 0) {
            assert_int_equal(index, cases[i].index);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_split_at_its_brackets),
        cmocka_unit_test(the_deepest_name_fits),
        cmocka_unit_test(only_small_numbers_are_places_in_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
