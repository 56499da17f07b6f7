/* code.c - `fsdctl generations`, `rollback` and `confirm`: the code that the daemon keeps of each application.
 * Owns nothing.  How: the daemon answers with all that it keeps; each generation is a line of a table, and its roles are words.
 * Called through the rows of commands.c.  Must not know how code is kept, nor trust the shape of the answer. */
#include "ctl/code.h"

#include <errno.h>
#include <stdio.h>

#include "common/command.h"
#include "ctl/ask.h"
#include "ctl/field.h"
#include "ctl/output.h"
#include "ctl/reload.h"
#include "ctl/steps.h"
#include "ctl/table.h"

enum { READ_MS = 10 * 1000, CHANGE_MS = 60 * 1000, HASH_SHOWN = 12, STATE_MAX = 128 };

static void add_word(char state[STATE_MAX], size_t *len, const char *word)
{
    int more = snprintf(state + *len, STATE_MAX - *len, "%s%s", *len == 0 ? "" : ", ", word);
    *len += more > 0 && (size_t)more < STATE_MAX - *len ? (size_t)more : 0;
}

/* "running, confirmed"; of the running one that is neither, how long it has to prove itself still. */
static void format_state(const json_t *app, const json_t *row, char state[STATE_MAX])
{
    static const char *const words[] = {"candidate", "running", "confirmed", "previous"};
    uint64_t left_ms = 0;
    size_t len = 0;
    state[0] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (json_is_true(json_object_get(row, words[i]))) {
            add_word(state, &len, words[i]);
        }
    }
    if (json_is_true(json_object_get(row, "running")) &&
        json_is_false(json_object_get(row, "confirmed")) &&
        field_find_number(app, "probation_left_ms", &left_ms)) {
        char left[OUTPUT_NUMBER_MAX];
        char words_left[OUTPUT_NUMBER_MAX + 32];
        output_format_duration(left_ms, left);
        (void)snprintf(words_left, sizeof(words_left), "in probation for %s", left);
        add_word(state, &len, words_left);
    }
    uint64_t origin = 0;
    if (field_find_number(row, "origin", &origin)) {
        char code_of[OUTPUT_NUMBER_MAX + 32];
        (void)snprintf(code_of, sizeof(code_of), "code of %llu", (unsigned long long)origin);
        add_word(state, &len, code_of);
    }
}

static void add_row(struct table *table, const json_t *app, const json_t *row)
{
    bool is_running = json_is_true(json_object_get(row, "running"));
    enum output_color color = is_running ? OUTPUT_GREEN : OUTPUT_PLAIN;
    char text[STATE_MAX] = "-";
    uint64_t number = 0;
    table_add_row(table);
    table_add_cell(table, OUTPUT_PLAIN, field_get_text(app, "app"));
    if (field_find_number(row, "number", &number)) {
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    }
    table_add_cell(table, color, text);
    (void)snprintf(text, sizeof(text), "%.*s", HASH_SHOWN, field_get_text(row, "sha256"));
    table_add_cell(table, OUTPUT_PLAIN, text);
    field_format_time(row, "at", text);
    table_add_cell(table, OUTPUT_PLAIN, text);
    (void)snprintf(text, sizeof(text), "-");
    if (field_find_number(row, "memory_bytes", &number)) {
        output_format_size(number, text);
    }
    table_add_cell(table, OUTPUT_PLAIN, text);
    format_state(app, row, text);
    table_add_cell(table, color, text);
}

int code_render_generations(const json_t *result, const struct output *output)
{
    static const struct table_column columns[] = {{"APP", false},   {"GEN", true},
                                                  {"HASH", false},  {"COMMITTED", false},
                                                  {"MEMORY", true}, {"STATE", false}};
    const json_t *apps = json_object_get(result, "apps");
    struct table table;
    if (!json_is_array(apps)) {
        return -EPROTO;
    }
    table_init(&table, output, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < json_array_size(apps); i++) {
        const json_t *app = json_array_get(apps, i);
        const json_t *rows = json_object_get(app, "generations");
        for (size_t j = 0; j < json_array_size(rows); j++) {
            add_row(&table, app, json_array_get(rows, j));
        }
    }
    int r = table_print(&table);
    table_fini(&table);
    return r;
}

/* All apps, or the one that is named. */
static json_t *make_params(const struct command_args *args)
{
    return args->value_count == 0 ? json_object() : json_pack("{s:s}", "app", args->values[0]);
}

int code_generations_run(const struct command_args *args)
{
    static const struct ask_row row = {"generations", "fsd.generations/1",    READ_MS, false,
                                       NULL,          code_render_generations};
    return ask_and_show(args, &row, make_params(args));
}

int code_rollback_run(const struct command_args *args)
{
    static const struct ask_row row = {"rollback", "fsd.reload/1", CHANGE_MS,
                                       true,       NULL,           reload_render};
    return steps_ask_and_show(args, &row, make_params(args));
}

int code_confirm_run(const struct command_args *args)
{
    static const struct ask_row row = {"confirm", "fsd.generations/1",    READ_MS, false,
                                       NULL,      code_render_generations};
    return ask_and_show(args, &row, make_params(args));
}
