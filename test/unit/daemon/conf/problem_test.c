#include "daemon/conf/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/conf/source.h"
#include "test/support/problems.h"

/* Adds one problem at a place of text and returns what is printed; the caller frees it. */
static char *print_at(const char *text, unsigned line, unsigned column, unsigned end_column,
                      const char *hint)
{
    struct problem_list list;
    struct source *source = source_new("etc/x.yaml", text, strlen(text));
    struct problem_place place = {source, line, column, end_column};

    problem_list_init(&list);
    list.files_count = 1;
    struct problem *problem = problem_add(&list, PROBLEM_ERROR, &place, "no %s", "good");
    if (hint != NULL) {
        problem_hint(problem, "%s", hint);
    }
    source_free(source); /* the list keeps copies */
    char *printed = problems_print(&list);
    problem_list_fini(&list);
    return printed;
}

static void a_problem_is_printed_like_a_compilers(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        unsigned column;
        unsigned end_column;
        const char *hint;
        const char *printed;
    } rows[] = {
        {"a:\n  max_conn: 40\n", 2, 3, 11, "did you mean \"max_total\"?",
         "etc/x.yaml:2:3: error: no good\n"
         "    2 |   max_conn: 40\n"
         "      |   ^~~~~~~~ did you mean \"max_total\"?\n"},
        {"a: b", 1, 4, 5, NULL, "etc/x.yaml:1:4: error: no good\n    1 | a: b\n      |    ^\n"},
        {"a: b\r\nc: d\r\n", 2, 4, 0, NULL,
         "etc/x.yaml:2:4: error: no good\n    2 | c: d\n      |    ^\n"},
        /* a tab stays a tab, a character of several bytes is one column wide */
        {"\tk\xc3\xa4: v\xc3\xb6w", 1, 7, 11, NULL,
         "etc/x.yaml:1:7: error: no good\n    1 | \tk\xc3\xa4: v\xc3\xb6w\n      | \t    ^~~\n"},
        /* the marker ends with the line */
        {"abc", 1, 2, 90, NULL, "etc/x.yaml:1:2: error: no good\n    1 | abc\n      |  ^~\n"},
        /* behind the last character, as for something that is missing */
        {"abc", 1, 4, 5, NULL, "etc/x.yaml:1:4: error: no good\n    1 | abc\n      |    ^\n"},
        /* no terminal is controlled by a file */
        {"a\x1b[31m\x7f\xc2\x9b\xff", 1, 1, 2, NULL,
         "etc/x.yaml:1:1: error: no good\n    1 | a?[31m????\n      | ^\n"},
        /* places that are not in the text have no excerpt */
        {"abc", 2, 1, 2, "try it",
         "etc/x.yaml:2:1: error: no good\netc/x.yaml:2:1: note: try it\n"},
        {"abc", 1, 9, 2, NULL, "etc/x.yaml:1:9: error: no good\n"},
        {"abc", 0, 0, 0, "try it", "etc/x.yaml: error: no good\netc/x.yaml: note: try it\n"},
        {"", 1, 1, 1, NULL, "etc/x.yaml:1:1: error: no good\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *printed =
            print_at(rows[i].text, rows[i].line, rows[i].column, rows[i].end_column, rows[i].hint);
        char *totals = strstr(printed, "1 error in 1 file\n");
        assert_non_null(totals);
        *totals = '\0';
        assert_string_equal(printed, rows[i].printed);
        free(printed);
    }
}

static void a_long_line_is_cut_around_the_place(void **state)
{
    char text[5000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text + 3000, "<here>", 6);
    char *printed = print_at(text, 1, 3001, 3007, NULL);
    char *line = strstr(printed, "    1 | ");
    assert_non_null(line);
    char *marker = strstr(line, "      | ");
    assert_non_null(marker);
    assert_true(marker - line < 200);
    /* The marker stands below what is meant. */
    assert_int_equal(strstr(line, "<here>") - line, strstr(marker, "^~~~~~") - marker);
    free(printed);
}

static void values_without_a_file_are_problems_of_fsd(void **state)
{
    struct problem_list list;

    (void)state;
    problem_list_init(&list);
    problem_hint(problem_add(&list, PROBLEM_ERROR, NULL, "bad\nflag"), "see --help");
    char *printed = problems_print(&list);
    assert_string_equal(printed, "fsd: error: bad?flag\nfsd: note: see --help\n1 error\n");
    free(printed);
    problem_list_fini(&list);
}

static void totals_count_in_words(void **state)
{
    static const struct {
        size_t errors;
        size_t warnings;
        size_t files;
        const char *totals;
    } rows[] = {
        {2, 1, 3, "\n2 errors, 1 warning in 3 files\n"},
        {1, 2, 1, "\n1 error, 2 warnings in 1 file\n"},
        {0, 1, 2, "\n1 warning in 2 files\n"},
        {3, 0, 0, "\n3 errors\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct problem_list list;
        problem_list_init(&list);
        list.files_count = rows[i].files;
        for (size_t n = 0; n < rows[i].errors; n++) {
            (void)problem_add(&list, PROBLEM_ERROR, NULL, "e");
        }
        for (size_t n = 0; n < rows[i].warnings; n++) {
            (void)problem_add(&list, PROBLEM_WARNING, NULL, "w");
        }
        problems_assert_contains(&list, rows[i].totals);
        problem_list_fini(&list);
    }
}

static void nothing_is_printed_for_no_problem(void **state)
{
    struct problem_list list;

    (void)state;
    problem_list_init(&list);
    list.files_count = 3;
    char *printed = problems_print(&list);
    assert_string_equal(printed, "");
    free(printed);
}

static void problems_are_printed_from_top_to_bottom_file_by_file(void **state)
{
    struct problem_list list;
    struct source *one = source_new("1", "", 0);
    struct source *two = source_new("2", "", 0);
    const struct problem_place places[] = {{two, 9, 9, 0}, {one, 5, 2, 0},  {two, 3, 1, 0},
                                           {one, 5, 1, 0}, {NULL, 0, 0, 0}, {two, 9, 9, 0}};

    (void)state;
    problem_list_init(&list);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        (void)problem_add(&list, PROBLEM_WARNING, &places[i], "w%zu", i);
    }
    char *printed = problems_print(&list);
    assert_string_equal(printed, "2:3:1: warning: w2\n2:9:9: warning: w0\n2:9:9: warning: w5\n"
                                 "1:5:1: warning: w3\n1:5:2: warning: w1\nfsd: warning: w4\n"
                                 "6 warnings\n");
    free(printed);
    problem_list_fini(&list);
    source_free(one);
    source_free(two);
}

static void a_full_list_goes_on_counting(void **state)
{
    struct problem_list list;
    struct problem *last = NULL;

    (void)state;
    problem_list_init(&list);
    for (int i = 0; i < PROBLEM_MAX + 7; i++) {
        last = problem_add(&list, PROBLEM_ERROR, NULL, "e%d", i);
    }
    assert_null(last);
    problem_hint(last, "nowhere to go");
    assert_int_equal(list.count, PROBLEM_MAX);
    assert_int_equal(list.errors, PROBLEM_MAX + 7);
    problems_assert_contains(&list, "error: e49\n7 more not shown\n57 errors\n");
    problem_list_fini(&list);
}

static void programs_get_one_object_a_line(void **state)
{
    struct problem_list list;
    struct source *source = source_new("a \"b\".yaml", "pools: 7\n", 9);
    struct source *odd = source_new("\xff.yaml", "", 0);
    const struct problem_place places[] = {{source, 1, 8, 9}, {source, 0, 0, 0}, {odd, 2, 3, 3}};
    char *printed = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&printed, &len);

    (void)state;
    problem_list_init(&list);
    assert_true(problem_print_json(&list, out));
    problem_hint(problem_add(&list, PROBLEM_ERROR, &places[0], "not \"%d\"", 7), "do \\ it");
    (void)problem_add(&list, PROBLEM_WARNING, &places[1], "all of it");
    (void)problem_add(&list, PROBLEM_WARNING, &places[2], "odd");
    (void)problem_add(&list, PROBLEM_ERROR, NULL, "flag");
    assert_true(problem_print_json(&list, out));
    (void)fclose(out);
    assert_string_equal(
        printed,
        "{\"file\":\"a \\\"b\\\".yaml\",\"severity\":\"warning\",\"message\":\"all of it\"}\n"
        "{\"file\":\"a \\\"b\\\".yaml\",\"line\":1,\"column\":8,\"end_column\":9,"
        "\"severity\":\"error\",\"message\":\"not \\\"7\\\"\",\"hint\":\"do \\\\ it\"}\n"
        "{\"file\":\"?\",\"line\":2,\"column\":3,\"severity\":\"warning\",\"message\":\"odd\"}\n"
        "{\"severity\":\"error\",\"message\":\"flag\"}\n");
    free(printed);
    problem_list_fini(&list);
    source_free(source);
    source_free(odd);
}

static void endless_texts_are_cut(void **state)
{
    struct problem_list list;
    char text[4000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    problem_list_init(&list);
    problem_hint(problem_add(&list, PROBLEM_ERROR, NULL, "%s", text), "%s", text);
    assert_int_equal(strlen(list.items[0].message), PROBLEM_TEXT_MAX - 1);
    assert_int_equal(strlen(list.items[0].hint), PROBLEM_HINT_MAX - 1);
    problem_list_fini(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_is_printed_like_a_compilers),
        cmocka_unit_test(a_long_line_is_cut_around_the_place),
        cmocka_unit_test(values_without_a_file_are_problems_of_fsd),
        cmocka_unit_test(totals_count_in_words),
        cmocka_unit_test(nothing_is_printed_for_no_problem),
        cmocka_unit_test(problems_are_printed_from_top_to_bottom_file_by_file),
        cmocka_unit_test(a_full_list_goes_on_counting),
        cmocka_unit_test(programs_get_one_object_a_line),
        cmocka_unit_test(endless_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
