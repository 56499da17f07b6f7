/* status_render.c - a status as people read it: one line on the daemon, one on its listeners, a table of the workers.
 * Owns nothing.  How: every field that may be missing shows as "-"; below a worker that waits for its next start, and below a
 * pool that does not serve, stand the reason and the command that shows more (status_note.c).
 * Called by status.c, when the fields that must be there were found.  Must not judge. */
#include "ctl/status_render.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/output.h"
#include "ctl/status_note.h"
#include "ctl/table.h"

enum { TEXT_MAX = 256, DOING_LONG_MS = 1000 /* a loop that has not turned for so long */ };

static const struct table_column columns[] = {
    {"POOL", false},  {"SLOT", true},     {"PID", true},      {"STATE", false}, {"GEN", true},
    {"UPTIME", true}, {"RESTARTS", true}, {"REQUESTS", true}, {"MEMORY", true}, {"DOING", false},
};

static enum output_color color_of(const char *state)
{
    static const struct {
        const char *state;
        enum output_color color;
    } colors[] = {
        {"running", OUTPUT_GREEN},   {"ready", OUTPUT_GREEN},     {"degraded", OUTPUT_RED},
        {"backoff", OUTPUT_RED},     {"starting", OUTPUT_YELLOW}, {"draining", OUTPUT_YELLOW},
        {"stopping", OUTPUT_YELLOW}, {"held", OUTPUT_RED},        {"drained", OUTPUT_YELLOW},
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

/* One that needs somebody is written large. */
static void print_state(const struct output *output, const char *state)
{
    bool is_bad = strcmp(state, "degraded") == 0;
    print_escaped(output, color_of(state), is_bad ? "DEGRADED" : state);
}

static void print_config(const json_t *config, const struct output *output)
{
    uint64_t number = 0;
    if (field_find_number(config, "number", &number)) {
        (void)fprintf(output->file, "  config %llu ", (unsigned long long)number);
        output_text(output, field_get_text(config, "hash"));
    }
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
    print_state(output, state);
    (void)fprintf(output->file, "  up %s", uptime);
    print_config(json_object_get(status, "config"), output);
    (void)fputc('\n', output->file);
}

/* What operators set above the files. */
static void print_drift(const json_t *config, const struct output *output)
{
    const json_t *overrides = json_object_get(config, "overrides");
    for (size_t i = 0; i < json_array_size(overrides); i++) {
        const char *override = json_string_value(json_array_get(overrides, i));
        (void)fputs(i == 0 ? "  by command: " : ", ", output->file);
        output_text(output, override != NULL ? override : "-");
    }
    (void)fputs(json_array_size(overrides) > 0 ? "\n" : "", output->file);
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
    (void)fputs(json_array_size(listeners) > 0 ? "\n" : "", output->file);
}

/* Pools that no file has. */
static void print_extra(const json_t *pools, const struct output *output)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(pools); i++) {
        const json_t *pool = json_array_get(pools, i);
        if (field_is(pool, "origin", "lua")) {
            (void)fputs(count++ == 0 ? "  from Lua: " : ", ", output->file);
            output_text(output, field_get_text(pool, "name"));
        }
    }
    (void)fputs(count > 0 ? "\n" : "", output->file);
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

/* What its code has the CPU for; a long time stands out. */
static void add_doing(struct table *table, const json_t *worker)
{
    const json_t *doing = json_object_get(worker, "doing");
    uint64_t since_ms = 0;
    char since[OUTPUT_NUMBER_MAX];
    char text[TEXT_MAX] = "-";
    if (json_is_object(doing)) {
        (void)field_find_number(doing, "since_ms", &since_ms);
        output_format_duration(since_ms, since);
        (void)snprintf(text, sizeof(text), "%.200s %s", field_get_text(doing, "what"),
                       since); /* cut is right */
    }
    table_add_cell(table, since_ms >= DOING_LONG_MS ? OUTPUT_YELLOW : OUTPUT_PLAIN, text);
}

static void add_worker(struct table *table, const char *pool, const json_t *worker, uint64_t now_ms)
{
    const char *state = field_get_text(worker, "state");
    char uptime[OUTPUT_NUMBER_MAX];
    bool waits = strcmp(state, "backoff") == 0 || strcmp(state, "held") == 0;
    table_add_row(table);
    format_since(waits ? NULL : worker, "ready_at", now_ms, uptime);
    table_add_cell(table, OUTPUT_PLAIN, pool);
    add_number(table, worker, "slot", format_plain);
    add_number(table, worker, "pid", format_plain);
    table_add_cell(table, color_of(state), state);
    add_number(table, worker, "generation", format_plain);
    table_add_cell(table, OUTPUT_PLAIN, uptime);
    add_number(table, worker, "restarts", output_format_count);
    add_number(table, worker, "requests", output_format_count);
    add_number(table, waits ? NULL : worker, "memory_bytes", output_format_size);
    add_doing(table, worker);
}

/* One that has no worker at this moment is there all the same. */
static void add_vacant_pool(struct table *table, const json_t *pool)
{
    const char *state = field_get_text(pool, "state");
    table_add_row(table);
    table_add_cell(table, OUTPUT_PLAIN, field_get_text(pool, "name"));
    table_add_cell(table, OUTPUT_PLAIN, "-");
    table_add_cell(table, OUTPUT_PLAIN, "-");
    table_add_cell(table, color_of(state), state);
}

static void add_note(struct table *table, const json_t *pool, const json_t *worker, bool is_last)
{
    char note[STATUS_NOTE_MAX];
    status_note_format(pool, worker, is_last, note);
    if (note[0] != '\0') {
        table_set_note(table, note);
    }
}

static void add_pool(struct table *table, const json_t *pool, uint64_t now_ms)
{
    const json_t *workers = json_object_get(pool, "workers");
    size_t count = json_array_size(workers);
    for (size_t i = 0; i < count; i++) {
        const json_t *worker = json_array_get(workers, i);
        add_worker(table, field_get_text(pool, "name"), worker, now_ms);
        add_note(table, pool, worker, i + 1 == count);
    }
    if (count == 0) {
        add_vacant_pool(table, pool);
        add_note(table, pool, NULL, true);
    }
}

static void print_setbacks(const json_t *apps, const struct output *output)
{
    char note[STATUS_NOTE_MAX];
    for (size_t i = 0; i < json_array_size(apps); i++) {
        status_note_format_setback(json_array_get(apps, i), note);
        if (note[0] != '\0') {
            output_lines(output, "  ! ", "    ", note);
        }
    }
}

int status_render(const json_t *status, uint64_t now_ms, const struct output *output)
{
    struct table table;
    table_init(&table, output, columns, sizeof(columns) / sizeof(columns[0]));
    const json_t *pools = json_object_get(status, "pools");
    for (size_t i = 0; i < json_array_size(pools); i++) {
        add_pool(&table, json_array_get(pools, i), now_ms);
    }
    print_head(status, now_ms, output);
    print_listeners(status, output);
    print_drift(json_object_get(status, "config"), output);
    print_extra(pools, output);
    (void)fputc('\n', output->file);
    int r = table_print(&table);
    print_setbacks(json_object_get(status, "apps"), output);
    table_fini(&table);
    return r;
}
