/* table.c - aligned columns for people.
 * Owns the rows until they are printed.  How: cells are kept escaped, since only what is shown has a width; the widths are
 * known when the last row is there, so printing comes at the end.  A cell that is very long does not widen its column: what
 * stands behind it is moved in that row alone.
 * Called by the commands that list things.  Must not know what the columns mean. */
#include "ctl/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MAX = 48, TITLE_MAX = 32, ESCAPED_MAX = 4 /* bytes that one may become */ };

static const char gap[] = "  ";

void table_init(struct table *table, const struct output *output,
                const struct table_column *columns, size_t column_count)
{
    assert(column_count <= TABLE_COLUMNS_MAX);
    *table = (struct table){.output = output, .columns = columns, .column_count = column_count};
}

void table_fini(struct table *table)
{
    for (size_t i = 0; i < table->row_count; i++) {
        for (size_t j = 0; j < table->rows[i].cell_count; j++) {
            free(table->rows[i].cells[j].text);
        }
        free(table->rows[i].note);
    }
    free(table->rows);
    table->rows = NULL;
    table->row_count = 0;
    table->capacity = 0;
}

void table_add_row(struct table *table)
{
    if (table->row_count == table->capacity) {
        size_t capacity = table->capacity != 0 ? table->capacity * 2 : 16;
        struct table_row *rows = reallocarray(table->rows, capacity, sizeof(*rows));
        if (rows == NULL) {
            table->is_short = true;
            return;
        }
        table->rows = rows;
        table->capacity = capacity;
    }
    table->rows[table->row_count++] = (struct table_row){.cell_count = 0};
}

void table_add_cell(struct table *table, enum output_color color, const char *text)
{
    if (table->is_short) {
        return;
    }
    assert(table->row_count > 0);
    struct table_row *row = &table->rows[table->row_count - 1];
    assert(row->cell_count < table->column_count);
    size_t size = strlen(text) * ESCAPED_MAX + 1;
    char *escaped = malloc(size);
    if (escaped == NULL) {
        table->is_short = true;
        return;
    }
    output_escape(table->output, text, escaped, size);
    row->cells[row->cell_count++] = (struct table_cell){escaped, color};
}

void table_set_note(struct table *table, const char *text)
{
    if (table->is_short) {
        return;
    }
    assert(table->row_count > 0);
    struct table_row *row = &table->rows[table->row_count - 1];
    free(row->note);
    row->note = strdup(text);
    table->is_short = row->note == NULL;
}

static void print_cell(const struct table *table, size_t column, size_t width, bool is_last,
                       const struct table_cell *cell)
{
    bool right = table->columns[column].right;
    int fill = is_last && !right ? 0 : (int)width; /* no blanks at the end of a line */
    output_print(table->output, cell->color, right ? fill : -fill, cell->text);
    (void)fputs(is_last ? "\n" : gap, table->output->file);
}

static void print_cells(const struct table *table, const struct table_cell *cells, size_t count,
                        const size_t *widths)
{
    while (count > 1 && cells[count - 1].text[0] == '\0') {
        count--;
    }
    for (size_t i = 0; i < count; i++) {
        print_cell(table, i, widths[i], i + 1 == count, &cells[i]);
    }
}

static void print_titles(const struct table *table, const size_t *widths)
{
    struct table_cell cells[TABLE_COLUMNS_MAX];
    char titles[TABLE_COLUMNS_MAX][TITLE_MAX];
    for (size_t i = 0; i < table->column_count; i++) {
        (void)snprintf(titles[i], TITLE_MAX, "%s", table->columns[i].title); /* they are shorter */
        cells[i] = (struct table_cell){titles[i], OUTPUT_BOLD};
    }
    print_cells(table, cells, table->column_count, widths);
}

static size_t measure(const struct table *table, size_t column)
{
    size_t widest = output_width(table->columns[column].title);
    for (size_t i = 0; i < table->row_count; i++) {
        const struct table_row *row = &table->rows[i];
        size_t width = column < row->cell_count ? output_width(row->cells[column].text) : 0;
        widest = width > widest && width <= WIDTH_MAX ? width : widest;
    }
    return widest;
}

int table_print(const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    if (table->is_short) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        widths[i] = measure(table, i);
    }
    print_titles(table, widths);
    for (size_t i = 0; i < table->row_count; i++) {
        const struct table_row *row = &table->rows[i];
        print_cells(table, row->cells, row->cell_count, widths);
        if (row->note != NULL) {
            output_lines(table->output, "  ! ", "    ", row->note);
        }
    }
    return 0;
}
