/* log_line.c - renders one record as a line for a person or as a JSON object.
 * Owns nothing.  Text: time, level, who, message, key=value; values are quoted when they need it, and values of more than one
 * line (tracebacks) follow the line, indented.  JSON: one object a line; bytes that are not UTF-8 become U+FFFD.
 * Called by log.c.  Pure.  Must not know where the line goes. */
#include "daemon/log/log_line.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/log/log_record.h"
#include "daemon/log/text.h"

struct line {
    char *at;
    size_t len;
    size_t size;
};

static void put(struct line *line, const char *text, size_t len)
{
    if (len <= line->size - line->len) {
        memcpy(line->at + line->len, text, len);
        line->len += len;
    }
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void put_int(struct line *line, int64_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)value);
    put(line, digits, (size_t)len);
}

/* The shortest of the two forms that reads back as the same number. */
static void put_float(struct line *line, double value)
{
    char digits[40];
    int len = snprintf(digits, sizeof(digits), "%.15g", value);
    if (strtod(digits, NULL) != value) {
        len = snprintf(digits, sizeof(digits), "%.17g", value);
    }
    put(line, digits, (size_t)len);
}

/* How one character is written: the quotes, and what stands for a newline. */
struct dress {
    bool is_json;
    bool is_quoted;
    const char *newline;
};

static void put_code(struct line *line, const char *at, size_t took, int32_t code,
                     const struct dress *dress)
{
    char escape[16];
    if (code < 0 && dress->is_json) {
        put_text(line, "\\ufffd");
    } else if (code < 0) {
        (void)snprintf(escape, sizeof(escape), "\\x%02x", (unsigned)(unsigned char)*at);
        put_text(line, escape);
    } else if (code == '\n') {
        put_text(line, dress->newline);
    } else if (code == '\t') {
        put_text(line, dress->is_json || dress->is_quoted ? "\\t" : "    ");
    } else if (text_is_control(code)) {
        (void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)code);
        put_text(line, escape);
    } else if ((dress->is_json || dress->is_quoted) && (code == '"' || code == '\\')) {
        put(line, "\\", 1);
        put(line, at, 1);
    } else {
        put(line, at, took);
    }
}

static void put_dressed(struct line *line, const char *text, size_t len, const struct dress *dress)
{
    while (len > 0) {
        int32_t code;
        size_t took = text_next(text, len, &code);
        put_code(line, text, took, code, dress);
        text += took;
        len -= took;
    }
}

static const struct dress json_dress = {true, false, "\\n"};
static const struct dress plain_dress = {false, false, "\n    "};
static const struct dress quoted_dress = {false, true, "\\n"};

static bool is_plain_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_./:@%+,-()[]*", c) != NULL);
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_plain_char((unsigned char)text[i])) {
            return false;
        }
    }
    return len > 0;
}

static bool is_block(const struct log_field *field)
{
    return field->kind == LOG_VALUE_TEXT && memchr(field->text, '\n', field->text_len) != NULL;
}

static void put_quoted(struct line *line, const char *text, size_t len)
{
    if (is_plain(text, len)) {
        put(line, text, len);
        return;
    }
    put(line, "\"", 1);
    put_dressed(line, text, len, &quoted_dress);
    put(line, "\"", 1);
}

static void put_json_string(struct line *line, const char *text, size_t len)
{
    put(line, "\"", 1);
    put_dressed(line, text, len, &json_dress);
    put(line, "\"", 1);
}

static void put_value(struct line *line, const struct log_field *field, bool is_json)
{
    switch (field->kind) {
    case LOG_VALUE_NIL:
        put_text(line, is_json ? "null" : "nil");
        break;
    case LOG_VALUE_BOOL:
        put_text(line, field->integer != 0 ? "true" : "false");
        break;
    case LOG_VALUE_INT:
        put_int(line, field->integer);
        break;
    case LOG_VALUE_FLOAT:
        if (is_json && !isfinite(field->number)) {
            put_text(line, "null"); /* JSON has no word for it */
        } else {
            put_float(line, field->number);
        }
        break;
    case LOG_VALUE_TEXT:
        if (is_json) {
            put_json_string(line, field->text, field->text_len);
        } else {
            put_quoted(line, field->text, field->text_len);
        }
        break;
    }
}

static const char *find_colour(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "\x1b[31m";
    case LOG_LEVEL_WARNING:
        return "\x1b[33m";
    case LOG_LEVEL_NOTICE:
        return "\x1b[32m";
    case LOG_LEVEL_INFO:
        return "";
    case LOG_LEVEL_DEBUG:
        return "\x1b[2m";
    }
    return "";
}

static void put_subject(struct line *line, const struct log_subject *subject)
{
    char text[PROTO_NAME_MAX + 48];
    if (subject->pool == NULL) {
        (void)snprintf(text, sizeof(text), " fsd[%d] ", subject->pid);
    } else if (subject->pid == 0) { /* the slot, while it has no process */
        (void)snprintf(text, sizeof(text), " %.*s/%u ", PROTO_NAME_MAX, subject->pool,
                       subject->slot);
    } else {
        (void)snprintf(text, sizeof(text), " %.*s/%u[%d] ", PROTO_NAME_MAX, subject->pool,
                       subject->slot, subject->pid);
    }
    put_text(line, text);
}

static void put_short_fields(struct line *line, const struct log_record *record)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const struct log_field *field = &record->fields[i];
        if (!is_block(field)) {
            put(line, " ", 1);
            put_quoted(line, field->key, field->key_len);
            put(line, "=", 1);
            put_value(line, field, false);
        }
    }
    if (record->event != NULL) {
        put_text(line, " event=");
        put_text(line, record->event);
    }
}

static void format_text(struct line *line, const struct log_record *record, bool is_colour)
{
    char text[CLOCK_TEXT_MAX + 16];
    clock_format(record->wall_us, text);
    put_text(line, text);
    const char *colour = is_colour ? find_colour(record->level) : "";
    (void)snprintf(text, sizeof(text), " %s%-7s%s", colour, log_level_format(record->level),
                   *colour == '\0' ? "" : "\x1b[0m");
    put_text(line, text);
    put_subject(line, &record->subject);
    /* the first line of a long message, the fields, then what is left: so fields stand where one looks for them */
    const char *newline = memchr(record->message, '\n', record->message_len);
    size_t first_len = newline == NULL ? record->message_len : (size_t)(newline - record->message);
    put_dressed(line, record->message, first_len, &plain_dress);
    put_short_fields(line, record);
    put_dressed(line, record->message + first_len, record->message_len - first_len, &plain_dress);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct log_field *field = &record->fields[i];
        if (is_block(field)) {
            put_text(line, "\n    ");
            put_quoted(line, field->key, field->key_len);
            put_text(line, ": ");
            put_dressed(line, field->text, field->text_len, &plain_dress);
        }
    }
}

/* Must not hide what the master says about the record. */
static bool is_reserved(const struct log_field *field)
{
    static const char *const names[] = {"time", "level", "msg",   "pool",
                                        "slot", "pid",   "event", "event_id"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == field->key_len &&
            memcmp(names[i], field->key, field->key_len) == 0) {
            return true;
        }
    }
    return false;
}

static void format_json(struct line *line, const struct log_record *record)
{
    char time[CLOCK_TEXT_MAX];
    clock_format(record->wall_us, time);
    put_text(line, "{\"time\":\"");
    put_text(line, time);
    put_text(line, "\",\"level\":\"");
    put_text(line, log_level_format(record->level));
    put_text(line, "\",\"msg\":");
    put_json_string(line, record->message, record->message_len);
    if (record->subject.pool != NULL) {
        put_text(line, ",\"pool\":");
        put_json_string(line, record->subject.pool, strlen(record->subject.pool));
        put_text(line, ",\"slot\":");
        put_int(line, record->subject.slot);
    }
    if (record->subject.pid != 0) {
        put_text(line, ",\"pid\":");
        put_int(line, record->subject.pid);
    }
    if (record->event != NULL) {
        put_text(line, ",\"event\":");
        put_json_string(line, record->event, strlen(record->event));
        put_text(line, ",\"event_id\":");
        put_int(line, (int64_t)record->event_id);
    }
    for (size_t i = 0; i < record->field_count; i++) {
        const struct log_field *field = &record->fields[i];
        put_text(line, is_reserved(field) ? ",\"_" : ",\"");
        put_dressed(line, field->key, field->key_len, &json_dress);
        put_text(line, "\":");
        put_value(line, field, true);
    }
    put_text(line, "}");
}

size_t log_line_format(const struct log_record *record, enum log_form form, char *line, size_t size)
{
    struct line out = {line, 0, size - 1}; /* the newline always fits */
    if (form == LOG_FORM_JSON) {
        format_json(&out, record);
    } else {
        format_text(&out, record, form == LOG_FORM_COLOUR);
    }
    line[out.len] = '\n';
    return out.len + 1;
}
