#ifndef FSD_CTL_TABLE_H
#define FSD_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/output.h"

enum { TABLE_COLUMNS_MAX = 12 };

struct table_column {
    const char *title;
    bool right; /* aligned to the right, for numbers */
};

struct table_cell {
    char *text; /* owned; escaped */
    enum output_color color;
};

struct table_row {
    struct table_cell cells[TABLE_COLUMNS_MAX];
    size_t cell_count;
    char *note; /* owned; as it came; printed below the row; NULL: none */
};

/* Rows under a line of titles, each column as wide as its widest cell.  When memory runs out, table_print says so. */
struct table {
    const struct output *output;        /* borrowed */
    const struct table_column *columns; /* borrowed */
    size_t column_count;
    struct table_row *rows; /* owned */
    size_t row_count;
    size_t capacity;
    bool is_short; /* of memory: something is missing */
};

void table_init(struct table *table, const struct output *output,
                const struct table_column *columns, size_t column_count);
void table_fini(struct table *table);
/* Begins a row; the cells that follow are escaped. */
void table_add_row(struct table *table);
void table_add_cell(struct table *table, enum output_color color, const char *text);
/* Sentences below the last row, a line each. */
void table_set_note(struct table *table, const char *text);
/* 0, or -ENOMEM: nothing was printed. */
int table_print(const struct table *table);

#endif
