/* table.c - aligned columns for people.
 * Owns the rows until they are printed.  How: cells are kept escaped, since only what is shown has a width; the widths are
 * known when the last row is there, so printing comes at the end.
 * Called by the commands that list things.  Must not know what the columns mean. */
#include "ctl/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const char gap[] = "  ";

void table_init(struct table *table, const struct output *output,
                const struct table_column *columns, size_t column_count)
{
    assert(column_count <= TABLE_COLUMNS_MAX);
    *table = (struct table){.output = output, .columns = columns, .column_count = column_count};
}

void table_fini(struct table *table)
{
    free(table->rows);
    table->rows = NULL;
    table->row_count = 0;
    table->capacity = 0;
}

int table_add_row(struct table *table)
{
    if (table->row_count == table->capacity) {
        size_t capacity = table->capacity != 0 ? table->capacity * 2 : 16;
        struct table_row *rows = reallocarray(table->rows, capacity, sizeof(*rows));
        if (rows == NULL) {
            return -ENOMEM;
        }
        table->rows = rows;
        table->capacity = capacity;
    }
    table->rows[table->row_count++] = (struct table_row){0};
    table->cell_count = 0;
    return 0;
}

void table_add_cell(struct table *table, enum output_color color, const char *text)
{
    assert(table->row_count > 0 && table->cell_count < table->column_count);
    struct table_cell *cell = &table->rows[table->row_count - 1].cells[table->cell_count++];
    output_escape(table->output, text, cell->text, sizeof(cell->text));
    cell->color = color;
}

void table_set_note(struct table *table, const char *text)
{
    assert(table->row_count > 0);
    char *note = table->rows[table->row_count - 1].note;
    output_escape(table->output, text, note, TABLE_NOTE_MAX);
}

static void print_cell(const struct table *table, size_t column, size_t width,
                       enum output_color color, const char *text)
{
    bool right = table->columns[column].right;
    bool last = column + 1 == table->column_count;
    int fill = last && !right ? 0 : (int)width; /* no blanks at the end of a line */
    output_print(table->output, color, right ? fill : -fill, text);
    (void)fputs(last ? "\n" : gap, table->output->file);
}

void table_print(const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->column_count; i++) {
        widths[i] = output_width(table->columns[i].title);
        for (size_t j = 0; j < table->row_count; j++) {
            size_t width = output_width(table->rows[j].cells[i].text);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    for (size_t i = 0; i < table->column_count; i++) {
        print_cell(table, i, widths[i], OUTPUT_BOLD, table->columns[i].title);
    }
    for (size_t j = 0; j < table->row_count; j++) {
        const struct table_row *row = &table->rows[j];
        for (size_t i = 0; i < table->column_count; i++) {
            print_cell(table, i, widths[i], row->cells[i].color, row->cells[i].text);
        }
        if (row->note[0] != '\0') {
            (void)fprintf(table->output->file, "  ! %s\n", row->note);
        }
    }
}
