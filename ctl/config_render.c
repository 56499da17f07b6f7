/* config_render.c - what the daemon says about configurations, as people read it.
 * Owns nothing.  How: lists become tables, an empty one a sentence; the problems of a check are printed as they came,
 * since they are laid out already.
 * Called by config.c through its rows.  Must not judge. */
#include "ctl/config_render.h"

#include <errno.h>
#include <stdio.h>

#include "ctl/changes.h"
#include "ctl/field.h"
#include "ctl/output.h"
#include "ctl/table.h"

enum { LINE_MAX_BYTES = 256 };

int config_render_check(const json_t *result, const struct output *output)
{
    const json_t *problems = json_object_get(result, "problems");
    uint64_t files = 0;
    for (size_t i = 0; i < json_array_size(problems); i++) {
        const char *text = json_string_value(json_array_get(problems, i));
        output_lines(output, "", "", text != NULL ? text : "-");
    }
    if (json_is_true(json_object_get(result, "ok"))) {
        (void)field_find_number(result, "files", &files);
        (void)fprintf(output->file, "ok (%llu file%s)\n", (unsigned long long)files,
                      files == 1 ? "" : "s");
    }
    return json_is_array(problems) ? 0 : -EPROTO;
}

/* A count that was set by command and that an apply would take back. */
static void render_dropped(const json_t *dropped, const struct output *output)
{
    char line[LINE_MAX_BYTES];
    uint64_t count = 0;
    uint64_t configured = 0;
    if (!field_find_number(dropped, "count", &count)) {
        return;
    }
    int len = snprintf(line, sizeof(line), "pool %.64s: count %llu was set by `fsdctl scale`; ",
                       field_get_text(dropped, "pool"), (unsigned long long)count);
    char *rest = line + len;
    size_t room = sizeof(line) - (size_t)len;
    if (!field_find_number(dropped, "configured", &configured)) {
        (void)snprintf(rest, room, "apply sets it back to auto");
    } else if (configured == count) {
        (void)snprintf(rest, room, "the configuration says so, too, now");
    } else {
        (void)snprintf(rest, room, "apply sets it back to %llu", (unsigned long long)configured);
    }
    output_lines(output, "", "", line);
}

int config_render_plan(const json_t *result, const struct output *output)
{
    const json_t *changes = json_object_get(result, "changes");
    const json_t *dropped = json_object_get(result, "dropped");
    if (json_is_array(changes) && json_array_size(changes) == 0) {
        (void)fprintf(output->file, "nothing to change\n");
    }
    int r = changes_render(changes, output);
    for (size_t i = 0; r == 0 && i < json_array_size(dropped); i++) {
        render_dropped(json_array_get(dropped, i), output);
    }
    return r;
}

static int render_values(const json_t *result, size_t column_count, const struct output *output)
{
    static const struct table_column columns[] = {
        {"KEY", false}, {"VALUE", false}, {"ORIGIN", false}};
    const json_t *values = json_object_get(result, "values");
    struct table table;
    if (!json_is_array(values)) {
        return -EPROTO;
    }
    table_init(&table, output, columns, column_count);
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *value = json_array_get(values, i);
        table_add_row(&table);
        table_add_cell(&table, OUTPUT_PLAIN, field_get_text(value, "key"));
        table_add_cell(&table, OUTPUT_PLAIN, field_get_text(value, "value"));
        if (column_count == 3) {
            table_add_cell(&table, OUTPUT_PLAIN, field_get_text(value, "origin"));
        }
    }
    int r = table_print(&table);
    table_fini(&table);
    return r;
}

int config_render_values(const json_t *result, const struct output *output)
{
    return render_values(result, 2, output);
}

int config_render_origins(const json_t *result, const struct output *output)
{
    return render_values(result, 3, output);
}

int config_render_diff(const json_t *result, const struct output *output)
{
    static const struct table_column columns[] = {
        {"KEY", false}, {"RUNNING", false}, {"DISK", false}};
    const json_t *differences = json_object_get(result, "differences");
    struct table table;
    if (!json_is_array(differences)) {
        return -EPROTO;
    }
    if (json_array_size(differences) == 0) {
        (void)fprintf(output->file, "no difference: the disk says what runs\n");
        return 0;
    }
    table_init(&table, output, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < json_array_size(differences); i++) {
        const json_t *difference = json_array_get(differences, i);
        table_add_row(&table);
        table_add_cell(&table, OUTPUT_PLAIN, field_get_text(difference, "key"));
        table_add_cell(&table, OUTPUT_PLAIN, field_get_text(difference, "running"));
        table_add_cell(&table, OUTPUT_PLAIN, field_get_text(difference, "disk"));
    }
    int r = table_print(&table);
    table_fini(&table);
    return r;
}

static void add_entry(struct table *table, const json_t *entry, uint64_t running)
{
    char text[OUTPUT_NUMBER_MAX] = "-";
    uint64_t number = 0;
    uint64_t files = 0;
    bool is_known = field_find_number(entry, "number", &number);
    bool is_running = is_known && number == running;
    if (is_known) {
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    }
    table_add_row(table);
    table_add_cell(table, is_running ? OUTPUT_GREEN : OUTPUT_PLAIN, text);
    field_format_time(entry, "at", text);
    table_add_cell(table, OUTPUT_PLAIN, text);
    table_add_cell(table, OUTPUT_PLAIN, field_get_text(entry, "how"));
    (void)field_find_number(entry, "files", &files);
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)files);
    table_add_cell(table, OUTPUT_PLAIN, text);
    table_add_cell(table, OUTPUT_PLAIN, field_get_text(entry, "hash"));
    table_add_cell(table, OUTPUT_GREEN, is_running ? "running" : "");
}

int config_render_history(const json_t *result, const struct output *output)
{
    static const struct table_column columns[] = {{"NUMBER", true}, {"APPLIED", false},
                                                  {"HOW", false},   {"FILES", true},
                                                  {"HASH", false},  {"", false}};
    const json_t *entries = json_object_get(result, "entries");
    struct table table;
    uint64_t running = 0;
    if (!json_is_array(entries)) {
        return -EPROTO;
    }
    (void)field_find_number(result, "running", &running);
    table_init(&table, output, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < json_array_size(entries); i++) {
        add_entry(&table, json_array_get(entries, i), running);
    }
    int r = table_print(&table);
    table_fini(&table);
    return r;
}
