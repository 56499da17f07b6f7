/* event_text.c - server-sent events as text (WHATWG HTML, "Server-sent events", event stream format).
 * Owns nothing.  Data may have any bytes: each of its lines (ended by CR LF, LF or CR, which is what clients take for an end)
 * becomes a field of its own, which clients join again by LF.  Names and ids are one line.  Pure.
 * Called by events.c and event_stream.c.  Must not know who gets it. */
#include "worker/http/stream/event_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "worker/core/json/json_write.h"

static bool has_any(const char *text, size_t len, const char *bytes, size_t count)
{
    for (size_t i = 0; text != NULL && i < len; i++) {
        if (memchr(bytes, text[i], count) != NULL) {
            return true;
        }
    }
    return false;
}

const char *event_text_check(const struct event_text *text)
{
    static const char forbidden[] = {'\r', '\n', '\0'};
    if (has_any(text->event, text->event_len, forbidden, sizeof(forbidden))) {
        return "event has a line break or NUL";
    }
    if (has_any(text->id, text->id_len, forbidden, sizeof(forbidden))) {
        return "id has a line break or NUL";
    }
    if (text->event == NULL && text->data == NULL && text->id == NULL &&
        text->retry_ms == EVENT_TEXT_NO_RETRY) {
        return "it has neither event nor data, id nor retry";
    }
    return NULL;
}

static void write_field(const char *name, const char *value, size_t len, struct json_buf *buf)
{
    json_write_bytes(buf, name, strlen(name));
    if (len > 0) {
        json_write_bytes(buf, value, len);
    }
    json_write_char(buf, '\n');
}

/* The length of the line that text begins with. */
static size_t find_line_end(const char *text, size_t len)
{
    size_t end = 0;
    while (end < len && text[end] != '\n' && text[end] != '\r') {
        end++;
    }
    return end;
}

static void write_lines(const char *name, const char *text, size_t len, struct json_buf *buf)
{
    for (;;) {
        size_t end = find_line_end(text, len);
        write_field(name, text, end, buf);
        if (end == len) {
            return;
        }
        size_t used = end + (text[end] == '\r' && end + 1 < len && text[end + 1] == '\n' ? 2 : 1);
        text += used;
        len -= used;
    }
}

void event_text_write(const struct event_text *text, struct json_buf *buf)
{
    assert(event_text_check(text) == NULL);
    if (text->event != NULL) {
        write_field("event: ", text->event, text->event_len, buf);
    }
    if (text->id != NULL) {
        write_field("id: ", text->id, text->id_len, buf);
    }
    if (text->retry_ms != EVENT_TEXT_NO_RETRY) {
        char digits[24];
        int len = snprintf(digits, sizeof(digits), "%" PRId64, text->retry_ms);
        write_field("retry: ", digits, (size_t)len, buf);
    }
    if (text->data != NULL) {
        write_lines("data: ", text->data, text->data_len, buf);
    } else if (text->event != NULL) {
        write_field("data: ", "", 0, buf);
    }
    json_write_char(buf, '\n');
}

void event_text_write_comment(const char *comment, size_t len, struct json_buf *buf)
{
    write_lines(": ", comment, len, buf);
    json_write_char(buf, '\n');
}
