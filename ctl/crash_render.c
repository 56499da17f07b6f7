/* crash_render.c - a crash report as somebody reads it who was woken up by it.
 * Owns the order: who died of what, what was done about it, what it was doing, where it stood, its last words.
 * How: a part a function; a part that the report does not have is left out, so what is shown is what is known.
 * Called by crashes.c.  Must not conclude anything that the report does not say. */
#include "ctl/crash_render.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/output.h"

enum { REQUESTS_SHOWN = 10 };

static const char indent[] = "  ";

static void print_title(const struct output *output, const char *title)
{
    (void)fputc('\n', output->file);
    output_print(output, OUTPUT_BOLD, 0, title);
    (void)fputc('\n', output->file);
}

/* ", pid 12"; nothing when it is not known. */
static void print_number(const struct output *output, const json_t *object, const char *key,
                         const char *words)
{
    uint64_t number = 0;
    if (field_find_number(object, key, &number)) {
        (void)fprintf(output->file, ", %s %llu", words, (unsigned long long)number);
    }
}

static void print_duration(const struct output *output, const json_t *object, const char *key,
                           const char *before)
{
    uint64_t duration_ms = 0;
    if (field_find_number(object, key, &duration_ms)) {
        char text[OUTPUT_NUMBER_MAX];
        output_format_duration(duration_ms, text);
        (void)fprintf(output->file, "%s%s", before, text);
    }
}

static void print_text(const struct output *output, const json_t *object, const char *key,
                       const char *before)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text != NULL) {
        (void)fputs(before, output->file);
        output_text(output, text);
    }
}

static void print_head(const json_t *report, const struct output *output)
{
    char at[FIELD_TIME_MAX];
    uint64_t slot = 0;
    uint64_t memory_bytes = 0;
    output_text(output, field_get_text(report, "pool"));
    if (field_find_number(report, "slot", &slot)) {
        (void)fprintf(output->file, "/%llu", (unsigned long long)slot);
    }
    (void)fputs(": ", output->file);
    if (output->color) {
        (void)fputs("\033[31m", output->file);
    }
    output_text(output, field_get_text(report, "cause"));
    (void)fputs(output->color ? "\033[0m\n" : "\n", output->file);
    field_format_time(report, "at", at);
    (void)fprintf(output->file, "%s%s", indent, at);
    print_duration(output, report, "uptime_ms", ", after ");
    print_text(output, report, "state", ", ");
    print_number(output, report, "pid", "pid");
    print_number(output, report, "incarnation", "incarnation");
    print_number(output, report, "generation", "generation");
    if (field_find_number(report, "memory_bytes", &memory_bytes)) {
        char memory[OUTPUT_NUMBER_MAX];
        output_format_size(memory_bytes, memory);
        (void)fprintf(output->file, ", %s", memory);
    }
    print_text(output, report, "next", "\n  then: ");
    (void)fputc('\n', output->file);
}

/* The whole reason, where the cause has only its first line. */
static void print_detail(const json_t *report, const struct output *output)
{
    const char *detail = json_string_value(json_object_get(report, "detail"));
    if (detail != NULL && strstr(field_get_text(report, "cause"), detail) == NULL) {
        print_title(output, "in its own words");
        output_lines(output, indent, indent, detail);
    }
}

static void print_running(const json_t *report, const struct output *output)
{
    const json_t *running = json_object_get(report, "running");
    if (!json_is_object(running)) {
        return;
    }
    print_title(output, "on the CPU when it died");
    print_text(output, running, "what", indent);
    print_duration(output, running, "since_ms", " for ");
    print_text(output, running, "handler", ", handler ");
    print_text(output, running, "id", ", request ");
    (void)fputc('\n', output->file);
}

static void print_fault(const json_t *report, const struct output *output)
{
    const json_t *fault = json_object_get(report, "fault");
    if (!json_is_object(fault)) {
        return;
    }
    print_title(output, "fault");
    (void)fputs(indent, output->file);
    output_text(output, field_get_text(report, "signal_name"));
    print_text(output, fault, "meaning", ": ");
    print_text(output, fault, "address", ", address ");
    print_number(output, fault, "sender_pid", "pid");
    (void)fputs(json_is_false(json_object_get(fault, "is_complete"))
                    ? "\n  (its handler did not come to an end: what follows may be cut)\n"
                    : "\n",
                output->file);
}

static void print_lua_stack(const json_t *report, const struct output *output)
{
    const char *text = json_string_value(json_object_get(report, "lua_stack"));
    if (text != NULL) {
        print_title(output, "Lua stack, innermost first");
        output_lines(output, indent, indent, text);
    }
}

static void print_frames(const json_t *report, const struct output *output)
{
    const json_t *frames = json_object_get(report, "c_backtrace");
    if (json_array_size(frames) == 0) {
        return;
    }
    print_title(output, "C stack, innermost first");
    for (size_t i = 0; i < json_array_size(frames); i++) {
        const char *frame = json_string_value(json_array_get(frames, i));
        output_lines(output, indent, indent, frame != NULL ? frame : "-");
    }
}

static void print_request(const json_t *request, bool is_open, const struct output *output)
{
    uint64_t status = 0;
    uint64_t duration_us = 0;
    (void)fputs(indent, output->file);
    if (!is_open && field_find_number(request, "status", &status)) {
        (void)fprintf(output->file, "%3llu ", (unsigned long long)status);
    }
    output_text(output, field_get_text(request, "what"));
    print_duration(output, request, "open_ms", " open for ");
    if (field_find_number(request, "duration_us", &duration_us)) {
        (void)fprintf(output->file, " %.1f ms", (double)duration_us / 1000);
    }
    print_text(output, request, "handler", ", handler ");
    print_text(output, request, "id", ", request ");
    (void)fputc('\n', output->file);
}

static void print_requests(const json_t *report, const char *key, const char *title, bool are_open,
                           const struct output *output)
{
    const json_t *requests = json_object_get(report, key);
    size_t count = json_array_size(requests);
    size_t shown = count < REQUESTS_SHOWN || are_open ? count : REQUESTS_SHOWN;
    if (count == 0) {
        return;
    }
    print_title(output, title);
    for (size_t i = 0; i < shown; i++) {
        print_request(json_array_get(requests, i), are_open, output);
    }
    if (shown < count) {
        (void)fprintf(output->file, "  %zu more with --json\n", count - shown);
    }
}

static void print_lines(const json_t *report, const struct output *output)
{
    const json_t *lines = json_object_get(report, "log_lines");
    if (json_array_size(lines) == 0) {
        return;
    }
    print_title(output, "its last log lines");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        char at[FIELD_TIME_MAX];
        char before[FIELD_TIME_MAX + 32];
        char level[16];
        field_format_time(line, "at", at);
        output_escape(output, field_get_text(line, "level"), level, sizeof(level));
        (void)snprintf(before, sizeof(before), "%s%s %-7s ", indent, at, level);
        output_lines(output, before, "      ", field_get_text(line, "text"));
    }
}

int crash_render(const json_t *report, const struct output *output)
{
    if (!json_is_string(json_object_get(report, "cause"))) {
        return -EPROTO;
    }
    print_head(report, output);
    print_detail(report, output);
    print_running(report, output);
    print_fault(report, output);
    print_lua_stack(report, output);
    print_frames(report, output);
    print_requests(report, "open_requests", "requests that it had not answered, newest first", true,
                   output);
    print_requests(report, "recent_requests", "requests that it had answered, newest first", false,
                   output);
    print_lines(report, output);
    return 0;
}
