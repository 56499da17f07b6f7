/* changes.c - what a configuration changes, as a table for people.
 * Owns nothing.  How: a row a change: what is done, to whom, and the difference; the last line says which number runs now.
 * Called by the commands that plan or apply a configuration.  Must not know what an action means. */
#include "ctl/changes.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/output.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
    {"ACTION", false},
    {"WHAT", false},
    {"DETAIL", false},
};

/* What is put in the place of something that serves, and what a person must still do, stand out. */
static enum output_color color_of(const char *action)
{
    static const char *const loud[] = {"stop", "close", "replace", "needs-restart"};
    for (size_t i = 0; i < sizeof(loud) / sizeof(loud[0]); i++) {
        if (strcmp(loud[i], action) == 0) {
            return OUTPUT_YELLOW;
        }
    }
    return OUTPUT_PLAIN;
}

int changes_render(const json_t *changes, const struct output *output)
{
    struct table table;
    if (!json_is_array(changes)) {
        return -EPROTO;
    }
    if (json_array_size(changes) == 0) {
        return 0;
    }
    table_init(&table, output, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        const char *action = field_get_text(change, "action");
        const char *detail = json_string_value(json_object_get(change, "detail"));
        table_add_row(&table);
        table_add_cell(&table, color_of(action), action);
        table_add_cell(&table, OUTPUT_PLAIN, field_get_text(change, "what"));
        table_add_cell(&table, OUTPUT_PLAIN, detail != NULL ? detail : "");
    }
    int r = table_print(&table);
    table_fini(&table);
    return r;
}

int changes_render_apply(const json_t *result, const struct output *output)
{
    const json_t *changes = json_object_get(result, "changes");
    uint64_t from = 0;
    uint64_t to = 0;
    uint64_t elapsed_ms = 0;
    bool is_known = field_find_number(result, "from", &from);
    if (!field_find_number(result, "to", &to)) {
        return -EPROTO;
    }
    int r = changes_render(changes, output);
    if (r < 0) {
        return r;
    }
    if (is_known && from == to && json_array_size(changes) == 0) {
        (void)fprintf(output->file, "nothing to change: configuration %llu runs\n",
                      (unsigned long long)to);
        return 0;
    }
    (void)fprintf(output->file, "configuration %llu runs", (unsigned long long)to);
    if (is_known && from != to) {
        (void)fprintf(output->file, ", in place of %llu", (unsigned long long)from);
    }
    if (field_find_number(result, "elapsed_ms", &elapsed_ms)) {
        char elapsed[OUTPUT_NUMBER_MAX];
        output_format_duration(elapsed_ms, elapsed);
        (void)fprintf(output->file, " (took %s)", elapsed);
    }
    (void)fputc('\n', output->file);
    return 0;
}
