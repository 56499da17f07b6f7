/* log_line.c - renders one record as a line for a person or as a JSON object.
 * Owns nothing.  Text: time, level, who, message, key=value; values are quoted when they need it, and values of more than one
 * line (tracebacks) follow the line, indented.  JSON is log_json.c's.
 * Called by log.c.  Pure.  Must not know where the line goes. */
#include "daemon/log/log_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/log/log_buf.h"
#include "daemon/log/log_json.h"
#include "daemon/log/log_record.h"

static bool is_block(const struct log_field *field)
{
    return field->kind == LOG_VALUE_TEXT && memchr(field->text, '\n', field->text_len) != NULL;
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

static void put_subject(struct log_buf *buf, const struct log_subject *subject)
{
    char text[PROTO_NAME_MAX + 48];
    if (subject->pool == NULL) {
        (void)snprintf(text, sizeof(text), "fsd[%d]", subject->pid);
    } else if (subject->slot == LOG_SLOT_NONE && subject->pid == 0) { /* the pool as a whole */
        (void)snprintf(text, sizeof(text), "%.*s", PROTO_NAME_MAX, subject->pool);
    } else if (subject->slot == LOG_SLOT_NONE) {
        (void)snprintf(text, sizeof(text), "%.*s/-[%d]", PROTO_NAME_MAX, subject->pool,
                       subject->pid);
    } else if (subject->pid == 0) { /* the slot, while it has no process */
        (void)snprintf(text, sizeof(text), "%.*s/%u", PROTO_NAME_MAX, subject->pool, subject->slot);
    } else {
        (void)snprintf(text, sizeof(text), "%.*s/%u[%d]", PROTO_NAME_MAX, subject->pool,
                       subject->slot, subject->pid);
    }
    log_buf_put_text(buf, text);
}

static void put_short_fields(struct log_buf *buf, const struct log_record *record)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const struct log_field *field = &record->fields[i];
        if (!is_block(field)) {
            log_buf_put(buf, " ", 1);
            log_buf_put_quoted(buf, field->key, field->key_len);
            log_buf_put(buf, "=", 1);
            log_buf_put_value(buf, field, LOG_DRESS_QUOTED);
        }
    }
    if (record->event != NULL) {
        log_buf_put_text(buf, " event=");
        log_buf_put_text(buf, record->event);
    }
}

/* The first line of a long message, the fields, then what is left: so fields stand where one looks for them. */
static void put_words(struct log_buf *buf, const struct log_record *record)
{
    const char *newline = memchr(record->message, '\n', record->message_len);
    size_t first_len = newline == NULL ? record->message_len : (size_t)(newline - record->message);
    log_buf_put_dressed(buf, record->message, first_len, LOG_DRESS_PLAIN);
    put_short_fields(buf, record);
    log_buf_put_dressed(buf, record->message + first_len, record->message_len - first_len,
                        LOG_DRESS_PLAIN);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct log_field *field = &record->fields[i];
        if (is_block(field)) {
            log_buf_put_text(buf, "\n    ");
            log_buf_put_quoted(buf, field->key, field->key_len);
            log_buf_put_text(buf, ": ");
            log_buf_put_dressed(buf, field->text, field->text_len, LOG_DRESS_PLAIN);
        }
    }
}

static void format_text(struct log_buf *buf, const struct log_record *record, bool is_colour)
{
    char text[CLOCK_TEXT_MAX + 16];
    clock_format(record->wall_us, text);
    log_buf_put_text(buf, text);
    const char *colour = is_colour ? find_colour(record->level) : "";
    (void)snprintf(text, sizeof(text), " %s%-7s%s", colour, log_level_format(record->level),
                   *colour == '\0' ? "" : "\x1b[0m");
    log_buf_put_text(buf, text);
    log_buf_put(buf, " ", 1);
    put_subject(buf, &record->subject);
    log_buf_put(buf, " ", 1);
    put_words(buf, record);
}

void log_line_put_words(struct log_buf *buf, const struct log_record *record)
{
    if (record->subject.pool != NULL) {
        put_subject(buf, &record->subject);
        log_buf_put(buf, " ", 1);
    }
    put_words(buf, record);
}

size_t log_line_format(const struct log_record *record, enum log_form form, char *line, size_t size)
{
    struct log_buf out = {line, 0, size - 1, false}; /* the newline always fits */
    if (form == LOG_FORM_JSON) {
        log_json_put(&out, record, LOG_JSON_LINE);
    } else {
        format_text(&out, record, form == LOG_FORM_COLOUR);
    }
    line[out.len] = '\n';
    return out.len + 1;
}
