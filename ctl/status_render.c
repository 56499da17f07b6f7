/* status_render.c - a status as people read it: one line on the daemon, one on its listeners, a table of the workers.
 * Owns nothing.  How: every field that may be missing shows as "-"; a worker that waits for its next start has the reason
 * below it.
 * Called by status.c, when the fields that must be there were found.  Must not judge. */
#include "ctl/status_render.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/output.h"
#include "ctl/table.h"

enum { TEXT_MAX = 256 };

static const struct table_column columns[] = {
    {"POOL", false},  {"SLOT", true},     {"PID", true},      {"STATE", false}, {"GEN", true},
    {"UPTIME", true}, {"RESTARTS", true}, {"REQUESTS", true}, {"MEMORY", true},
};

static enum output_color color_of(const char *state)
{
    static const struct {
        const char *state;
        enum output_color color;
    } colors[] = {
        {"running", OUTPUT_GREEN},   {"ready", OUTPUT_GREEN},     {"degraded", OUTPUT_RED},
        {"backoff", OUTPUT_RED},     {"starting", OUTPUT_YELLOW}, {"draining", OUTPUT_YELLOW},
        {"stopping", OUTPUT_YELLOW},
    };
    for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
        if (strcmp(colors[i].state, state) == 0) {
            return colors[i].color;
        }
    }
    return OUTPUT_PLAIN;
}

/* "-" when the moment is unknown. */
static void format_since(const json_t *object, const char *key, uint64_t now_ms,
                         char text[OUTPUT_NUMBER_MAX])
{
    uint64_t then_ms = 0;
    if (!field_find_number(object, key, &then_ms)) {
        (void)snprintf(text, OUTPUT_NUMBER_MAX, "-");
        return;
    }
    output_format_duration(now_ms > then_ms ? now_ms - then_ms : 0, text); /* clocks are set back */
}

static void print_escaped(const struct output *output, enum output_color color, const char *text)
{
    char escaped[TEXT_MAX];
    output_escape(output, text, escaped, sizeof(escaped));
    output_print(output, color, 0, escaped);
}

static void print_head(const json_t *status, uint64_t now_ms, const struct output *output)
{
    const char *state = field_get_text(status, "state");
    char pid[OUTPUT_NUMBER_MAX] = "-";
    char uptime[OUTPUT_NUMBER_MAX];
    uint64_t number = 0;
    if (field_find_number(status, "pid", &number)) {
        (void)snprintf(pid, sizeof(pid), "%llu", (unsigned long long)number);
    }
    format_since(status, "started_at", now_ms, uptime);
    output_print(output, color_of(state), 0, output->utf8 ? "\u25cf" : "*");
    (void)fputs(" fsd ", output->file);
    print_escaped(output, OUTPUT_PLAIN, field_get_text(status, "version"));
    (void)fprintf(output->file, "  pid %s  ", pid);
    print_escaped(output, color_of(state), state);
    (void)fprintf(output->file, "  up %s\n", uptime);
}

static void print_listeners(const json_t *status, const struct output *output)
{
    const json_t *listeners = json_object_get(status, "listeners");
    for (size_t i = 0; i < json_array_size(listeners); i++) {
        const json_t *listener = json_array_get(listeners, i);
        (void)fputs("  ", output->file);
        print_escaped(output, OUTPUT_PLAIN, field_get_text(listener, "name"));
        (void)fputc(' ', output->file);
        print_escaped(output, OUTPUT_PLAIN, field_get_text(listener, "address"));
        (void)fputs(" (", output->file);
        print_escaped(output, OUTPUT_PLAIN, field_get_text(listener, "pool"));
        (void)fputs(")", output->file);
    }
    (void)fputs(json_array_size(listeners) > 0 ? "\n\n" : "\n", output->file);
}

static void add_number(struct table *table, const json_t *worker, const char *key,
                       void (*format)(uint64_t, char[OUTPUT_NUMBER_MAX]))
{
    uint64_t number = 0;
    char text[OUTPUT_NUMBER_MAX] = "-";
    if (field_find_number(worker, key, &number)) {
        format(number, text);
    }
    table_add_cell(table, OUTPUT_PLAIN, text);
}

static void format_plain(uint64_t number, char text[OUTPUT_NUMBER_MAX])
{
    (void)snprintf(text, OUTPUT_NUMBER_MAX, "%llu", (unsigned long long)number);
}

/* Below a worker that is waiting: why, and how long still. */
static void add_note(struct table *table, const char *pool, const json_t *worker)
{
    char note[TABLE_NOTE_MAX];
    char wait[OUTPUT_NUMBER_MAX];
    uint64_t retry_ms = 0;
    bool known = field_find_number(worker, "retry_in_ms", &retry_ms);
    output_format_duration(retry_ms, wait);
    const char *last_exit = json_string_value(json_object_get(worker, "last_exit"));
    (void)snprintf(note, sizeof(note), "%s/%lld: %.400s%s%s", pool,
                   (long long)json_integer_value(json_object_get(worker, "slot")),
                   last_exit != NULL ? last_exit : "ended for an unknown reason",
                   known ? "; next start in " : "", known ? wait : ""); /* cut is right */
    table_set_note(table, note);
}

static int add_worker(struct table *table, const char *pool, const json_t *worker, uint64_t now_ms)
{
    const char *state = field_get_text(worker, "state");
    char uptime[OUTPUT_NUMBER_MAX];
    int r = table_add_row(table);
    if (r < 0) {
        return r;
    }
    bool waits = strcmp(state, "backoff") == 0;
    format_since(waits ? NULL : worker, "ready_at", now_ms, uptime);
    table_add_cell(table, OUTPUT_PLAIN, pool);
    add_number(table, worker, "slot", format_plain);
    add_number(table, worker, "pid", format_plain);
    table_add_cell(table, color_of(state), state);
    add_number(table, worker, "generation", format_plain);
    table_add_cell(table, OUTPUT_PLAIN, uptime);
    add_number(table, worker, "restarts", output_format_count);
    add_number(table, worker, "requests", output_format_count);
    add_number(table, worker, "memory_bytes", output_format_size);
    if (waits) {
        add_note(table, pool, worker);
    }
    return 0;
}

int status_render(const json_t *status, uint64_t now_ms, const struct output *output)
{
    struct table table;
    table_init(&table, output, columns, sizeof(columns) / sizeof(columns[0]));
    const json_t *pools = json_object_get(status, "pools");
    int r = 0;
    for (size_t i = 0; i < json_array_size(pools) && r == 0; i++) {
        const json_t *pool = json_array_get(pools, i);
        const json_t *workers = json_object_get(pool, "workers");
        for (size_t j = 0; j < json_array_size(workers) && r == 0; j++) {
            r = add_worker(&table, field_get_text(pool, "name"), json_array_get(workers, j),
                           now_ms);
        }
    }
    if (r == 0) {
        print_head(status, now_ms, output);
        print_listeners(status, output);
        table_print(&table);
    }
    table_fini(&table);
    return r;
}
