#ifndef FSD_CTL_TABLE_H
#define FSD_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/output.h"

enum { TABLE_COLUMNS_MAX = 12, TABLE_CELL_MAX = 96, TABLE_NOTE_MAX = 512 };

struct table_column {
    const char *title;
    bool right; /* aligned to the right, for numbers */
};

struct table_cell {
    char text[TABLE_CELL_MAX]; /* escaped */
    enum output_color color;
};

struct table_row {
    struct table_cell cells[TABLE_COLUMNS_MAX];
    char note[TABLE_NOTE_MAX]; /* escaped; printed below the row; "" : none */
};

/* Rows under a line of titles, each column as wide as its widest cell. */
struct table {
    const struct output *output;        /* borrowed */
    const struct table_column *columns; /* borrowed */
    size_t column_count;
    struct table_row *rows; /* owned */
    size_t row_count;
    size_t capacity;
    size_t cell_count; /* in the last row */
};

void table_init(struct table *table, const struct output *output,
                const struct table_column *columns, size_t column_count);
void table_fini(struct table *table);
/* Begins a row; the cells that follow are escaped.  0 or -ENOMEM. */
int table_add_row(struct table *table);
void table_add_cell(struct table *table, enum output_color color, const char *text);
/* A sentence below the last row. */
void table_set_note(struct table *table, const char *text);
void table_print(const struct table *table);

#endif
