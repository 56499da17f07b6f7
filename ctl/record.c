/* record.c - a record of the log on one line, as the log itself would have it.
 * Owns the names of the keys that have a place of their own; all others are fields, key=value, as the id of an event, which
 * `events --since` takes.
 * How: what the daemon sends as JSON is laid out anew, since a terminal shows what the log's file may not hold: colors, and
 * everything of others escaped.
 * Called by logs.c and events.c.  Must not filter: that is the daemon's. */
#include "ctl/record.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/field.h"
#include "ctl/output.h"

enum { WORD_MAX = 64 };

struct form {
    const char *time;
    const char *message;
    bool is_event;
};

static const struct form log_form = {"time", "msg", false};
static const struct form event_form = {"at", "message", true};

static bool is_own(const struct form *form, const char *key)
{
    const char *const names[] = {form->time, form->message, "level", "pool", "slot", "pid"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], key) == 0) {
            return true;
        }
    }
    return strcmp(key, form->is_event ? "event" : "event_id") == 0;
}

static void print_time(const json_t *record, const char *key, const struct output *output)
{
    uint64_t at_ms = 0;
    char text[CLOCK_TEXT_MAX] = "-";
    if (field_find_number(record, key, &at_ms) && at_ms < UINT64_MAX / 1000) {
        clock_format(at_ms * 1000, text);
    }
    (void)fprintf(output->file, "%s ", text);
}

static void print_level(const json_t *record, const struct output *output)
{
    static const struct {
        const char *level;
        enum output_color color;
    } colors[] = {{"error", OUTPUT_RED}, {"warning", OUTPUT_YELLOW}, {"notice", OUTPUT_GREEN}};
    enum output_color color = OUTPUT_PLAIN;
    const char *level = field_get_text(record, "level");
    char escaped[WORD_MAX];
    for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
        color = strcmp(colors[i].level, level) == 0 ? colors[i].color : color;
    }
    output_escape(output, level, escaped, sizeof(escaped));
    output_print(output, color, -7, escaped);
    (void)fputc(' ', output->file);
}

/* "web/0[4200] ", "web/-[4200] ", "web/0 ", "fsd[1] " */
static void print_subject(const json_t *record, const struct output *output)
{
    const char *pool = json_string_value(json_object_get(record, "pool"));
    uint64_t slot = 0;
    uint64_t pid = 0;
    output_text(output, pool != NULL ? pool : "fsd");
    if (pool != NULL && field_find_number(record, "slot", &slot)) {
        (void)fprintf(output->file, "/%llu", (unsigned long long)slot);
    } else if (pool != NULL) {
        (void)fputs("/-", output->file);
    }
    if (field_find_number(record, "pid", &pid)) {
        (void)fprintf(output->file, "[%llu]", (unsigned long long)pid);
    }
    (void)fputc(' ', output->file);
}

static bool is_block(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL && strchr(text, '\n') != NULL;
}

static void print_value(const json_t *value, const struct output *output)
{
    const char *text = json_string_value(value);
    if (text == NULL) {
        (void)json_dumpf(value, output->file, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        return;
    }
    bool is_quoted = text[0] == '\0' || strpbrk(text, " \t\"=") != NULL;
    (void)fputs(is_quoted ? "\"" : "", output->file);
    output_text(output, text);
    (void)fputs(is_quoted ? "\"" : "", output->file);
}

static void print_fields(json_t *record, const struct form *form, const struct output *output)
{
    const char *key;
    json_t *value;
    json_object_foreach(record, key, value)
    {
        if (!is_own(form, key) && !is_block(value)) {
            (void)fputc(' ', output->file);
            output_text(output, key);
            (void)fputc('=', output->file);
            print_value(value, output);
        }
    }
    (void)fputc('\n', output->file);
}

static void print_blocks(json_t *record, const struct form *form, const struct output *output)
{
    const char *key;
    json_t *value;
    json_object_foreach(record, key, value)
    {
        if (!is_own(form, key) && is_block(value)) {
            (void)fputs("    ", output->file);
            output_text(output, key);
            output_lines(output, ": ", "    ", json_string_value(value));
        }
    }
}

/* The first line of a long message, the fields, then what is left: so fields stand where one looks for them. */
static void print_rest(const json_t *record, const struct form *form, const struct output *output)
{
    /* jansson iterates over const objects through a pointer that is not */
    union {
        const json_t *in;
        json_t *out;
    } object = {.in = record};
    const char *message = field_get_text(record, form->message);
    size_t first_len = strcspn(message, "\n");
    output_text_part(output, message, first_len);
    print_fields(object.out, form, output);
    if (message[first_len] == '\n') {
        output_lines(output, "    ", "    ", message + first_len + 1);
    }
    print_blocks(object.out, form, output);
}

void record_print(const json_t *record, const struct output *output)
{
    print_time(record, log_form.time, output);
    print_level(record, output);
    print_subject(record, output);
    print_rest(record, &log_form, output);
}

void record_print_event(const json_t *event, const struct output *output)
{
    char name[WORD_MAX];
    output_escape(output, field_get_text(event, "event"), name, sizeof(name));
    print_time(event, event_form.time, output);
    print_level(event, output);
    (void)fprintf(output->file, "%-18s ", name);
    print_subject(event, output);
    print_rest(event, &event_form, output);
}
