/* log_buf.c - puts text together in a fixed room, harmless for who reads it.
 * Owns nothing.  Pieces are appended as long as they fit; text of others goes through text.c character by character and
 * comes out as the dress says: escaped for JSON, quoted, or plain.
 * Called by log_line.c, log_json.c and log_journal.c.  Pure.  Must not know what a record is made of but its values. */
#include "daemon/log/log_buf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log/log_record.h"
#include "daemon/log/text.h"

void log_buf_put(struct log_buf *buf, const char *bytes, size_t len)
{
    if (len <= buf->size - buf->len) {
        memcpy(buf->at + buf->len, bytes, len);
        buf->len += len;
    } else {
        buf->is_cut = true;
    }
}

void log_buf_put_text(struct log_buf *buf, const char *text)
{
    log_buf_put(buf, text, strlen(text));
}

void log_buf_put_int(struct log_buf *buf, int64_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)value);
    log_buf_put(buf, digits, (size_t)len);
}

/* The shortest of the two forms that reads back as the same number. */
static void put_float(struct log_buf *buf, double value)
{
    char digits[40];
    int len = snprintf(digits, sizeof(digits), "%.15g", value);
    if (strtod(digits, NULL) != value) {
        len = snprintf(digits, sizeof(digits), "%.17g", value);
    }
    log_buf_put(buf, digits, (size_t)len);
}

struct dress {
    bool is_json;
    bool is_quoted;
    bool has_no_nul;
    const char *newline;
};

static const struct dress dresses[] = {
    {false, false, false, "\n    "}, /* LOG_DRESS_PLAIN */
    {false, false, false, "\n"},     /* LOG_DRESS_LINES */
    {false, true, false, "\\n"},     /* LOG_DRESS_QUOTED */
    {true, false, false, "\\n"},     /* LOG_DRESS_JSON */
    {true, false, true, "\\n"},      /* LOG_DRESS_JSON_NO_NUL */
};
_Static_assert(sizeof(dresses) / sizeof(dresses[0]) == LOG_DRESS_JSON_NO_NUL + 1, "a row each");

static void put_code(struct log_buf *buf, const char *at, size_t took, int32_t code,
                     const struct dress *dress)
{
    char escape[16];
    if ((code < 0 && dress->is_json) || (code == 0 && dress->has_no_nul)) {
        log_buf_put_text(buf, "\\ufffd");
    } else if (code < 0) {
        (void)snprintf(escape, sizeof(escape), "\\x%02x", (unsigned)(unsigned char)*at);
        log_buf_put_text(buf, escape);
    } else if (code == '\n') {
        log_buf_put_text(buf, dress->newline);
    } else if (code == '\t') {
        log_buf_put_text(buf, dress->is_json || dress->is_quoted ? "\\t" : "    ");
    } else if (text_is_control(code)) {
        (void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)code);
        log_buf_put_text(buf, escape);
    } else if ((dress->is_json || dress->is_quoted) && (code == '"' || code == '\\')) {
        log_buf_put(buf, "\\", 1);
        log_buf_put(buf, at, 1);
    } else {
        log_buf_put(buf, at, took);
    }
}

void log_buf_put_dressed(struct log_buf *buf, const char *text, size_t len, enum log_dress dress)
{
    while (len > 0) {
        int32_t code;
        size_t took = text_next(text, len, &code);
        put_code(buf, text, took, code, &dresses[dress]);
        text += took;
        len -= took;
    }
}

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

void log_buf_put_quoted(struct log_buf *buf, const char *text, size_t len)
{
    if (is_plain(text, len)) {
        log_buf_put(buf, text, len);
        return;
    }
    log_buf_put(buf, "\"", 1);
    log_buf_put_dressed(buf, text, len, LOG_DRESS_QUOTED);
    log_buf_put(buf, "\"", 1);
}

static void put_string(struct log_buf *buf, const struct log_field *field, enum log_dress dress)
{
    switch (dress) {
    case LOG_DRESS_PLAIN:
    case LOG_DRESS_LINES:
        log_buf_put_dressed(buf, field->text, field->text_len, dress);
        break;
    case LOG_DRESS_QUOTED:
        log_buf_put_quoted(buf, field->text, field->text_len);
        break;
    case LOG_DRESS_JSON:
    case LOG_DRESS_JSON_NO_NUL:
        log_buf_put(buf, "\"", 1);
        log_buf_put_dressed(buf, field->text, field->text_len, dress);
        log_buf_put(buf, "\"", 1);
        break;
    }
}

void log_buf_put_value(struct log_buf *buf, const struct log_field *field, enum log_dress dress)
{
    bool is_json = dresses[dress].is_json;
    switch (field->kind) {
    case LOG_VALUE_NIL:
        log_buf_put_text(buf, is_json ? "null" : "nil");
        break;
    case LOG_VALUE_BOOL:
        log_buf_put_text(buf, field->integer != 0 ? "true" : "false");
        break;
    case LOG_VALUE_INT:
        log_buf_put_int(buf, field->integer);
        break;
    case LOG_VALUE_FLOAT:
        if (is_json && !isfinite(field->number)) {
            log_buf_put_text(buf, "null"); /* JSON has no word for it */
        } else {
            put_float(buf, field->number);
        }
        break;
    case LOG_VALUE_TEXT:
        put_string(buf, field, dress);
        break;
    }
}
