/* Aligned columns. */
#include "ctl/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct table_column columns[] = {{"NAME", false}, {"COUNT", true}, {"STATE", false}};

static void add(struct table *table, const char *name, const char *count, const char *state)
{
    table_add_row(table);
    table_add_cell(table, OUTPUT_PLAIN, name);
    table_add_cell(table, OUTPUT_PLAIN, count);
    table_add_cell(table, OUTPUT_RED, state);
}

static void expect(struct table *table, struct output *output, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    output->file = open_memstream(&text, &len);
    assert_non_null(output->file);
    assert_int_equal(table_print(table), 0);
    assert_int_equal(fclose(output->file), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void columns_are_as_wide_as_their_widest_cell_and_lines_end_without_blanks(void **state)
{
    (void)state;
    struct output output = {NULL, false, true};
    struct table table;
    table_init(&table, &output, columns, 3);
    add(&table, "a", "1", "ready");
    add(&table, "caf\u00e9-longer", "1 234 567", "x");
    table_set_note(&table, "what\nhappened\x1b");
    add(&table, "b", "22", "");
    expect(&table, &output,
           "NAME             COUNT  STATE\n"
           "a                    1  ready\n"
           "caf\u00e9-longer  1 234 567  x\n"
           "  ! what\n"
           "    happened\\x1b\n"
           "b                   22\n");
    table_fini(&table);
}

static void an_empty_table_is_its_titles(void **state)
{
    (void)state;
    struct output output = {NULL, false, false};
    struct table table;
    table_init(&table, &output, columns, 3);
    expect(&table, &output, "NAME  COUNT  STATE\n");
    table_fini(&table);
}

static void colors_do_not_move_columns(void **state)
{
    (void)state;
    struct output output = {NULL, true, false};
    struct table table;
    table_init(&table, &output, columns, 3);
    add(&table, "a", "1", "bad");
    expect(&table, &output,
           "\033[1mNAME\033[0m  \033[1mCOUNT\033[0m  \033[1mSTATE\033[0m\n"
           "a         1  \033[31mbad\033[0m\n");
    table_fini(&table);
}

static void a_very_long_cell_does_not_move_the_others(void **state)
{
    (void)state;
    struct output output = {NULL, false, false};
    struct table table;
    table_init(&table, &output, columns, 3);
    add(&table, "a", "1", "x");
    add(&table, "an-address-of-more-than-forty-eight-characters-is-shown-whole", "2", "y");
    expect(&table, &output,
           "NAME  COUNT  STATE\n"
           "a         1  x\n"
           "an-address-of-more-than-forty-eight-characters-is-shown-whole      2  y\n");
    table_fini(&table);
}

static void a_row_may_have_fewer_cells(void **state)
{
    (void)state;
    struct output output = {NULL, false, false};
    struct table table;
    table_init(&table, &output, columns, 3);
    table_add_row(&table);
    table_add_cell(&table, OUTPUT_PLAIN, "a");
    expect(&table, &output, "NAME  COUNT  STATE\na\n");
    table_fini(&table);
}

static void many_rows_keep_their_order(void **state)
{
    (void)state;
    struct output output = {NULL, false, false};
    struct table table;
    table_init(&table, &output, columns, 3);
    char expected[4096] = "NAME  COUNT  STATE\n";
    for (int i = 100; i < 200; i++) {
        char number[16];
        (void)snprintf(number, sizeof(number), "%d", i);
        add(&table, "n", number, "s");
        size_t len = strlen(expected);
        (void)snprintf(expected + len, sizeof(expected) - len, "n       %d  s\n", i);
    }
    expect(&table, &output, expected);
    table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell_and_lines_end_without_blanks),
        cmocka_unit_test(an_empty_table_is_its_titles),
        cmocka_unit_test(colors_do_not_move_columns),
        cmocka_unit_test(a_very_long_cell_does_not_move_the_others),
        cmocka_unit_test(a_row_may_have_fewer_cells),
        cmocka_unit_test(many_rows_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
