/* log_journal.c - renders one record for the systemd journal.
 * Owns the names of the journal's fields.  Each field is a name, the length as 64 bits little-endian, and the value, so that
 * values of several lines stay one field of one record.  Names that applications choose are made of what the journal allows, and
 * get a second "_" when they would pass for ours.
 * Called by log.c.  Pure.  Must not know how the journal is reached (log_socket.c). */
#include "daemon/log/log_journal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log/log_buf.h"
#include "daemon/log/log_line.h"
#include "daemon/log/log_record.h"

enum { NAME_MAX_LEN = 64, LENGTH_BYTES = 8 }; /* the journal's own limit */

/* Returns where the field begins. */
static size_t begin_field(struct log_buf *buf, const char *name)
{
    static const char no_length[LENGTH_BYTES];
    size_t start = buf->len;
    buf->is_cut = false;
    log_buf_put_text(buf, name);
    log_buf_put(buf, "\n", 1);
    log_buf_put(buf, no_length, sizeof(no_length));
    return start;
}

static void end_field(struct log_buf *buf, size_t start)
{
    size_t end = buf->len;
    log_buf_put(buf, "\n", 1);
    if (buf->is_cut) {
        buf->len = start;
        return;
    }
    const char *newline = memchr(buf->at + start, '\n', end - start); /* names have none */
    char *length = buf->at + (newline - buf->at) + 1;
    uint64_t left = (uint64_t)(end - (size_t)(length - buf->at)) - LENGTH_BYTES;
    for (size_t i = 0; i < LENGTH_BYTES; i++, left >>= 8) {
        length[i] = (char)(unsigned char)(left & 0xff);
    }
}

static void put_text(struct log_buf *buf, const char *name, const char *value)
{
    size_t start = begin_field(buf, name);
    log_buf_put_dressed(buf, value, strlen(value), LOG_DRESS_LINES);
    end_field(buf, start);
}

static void put_int(struct log_buf *buf, const char *name, int64_t value)
{
    size_t start = begin_field(buf, name);
    log_buf_put_int(buf, value);
    end_field(buf, start);
}

static bool is_ours(const char *name)
{
    static const char *const names[] = {"POOL", "SLOT", "PID", "EVENT", "EVENT_ID"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static char shape_char(char c)
{
    if (c >= 'a' && c <= 'z') {
        return (char)(c - 'a' + 'A');
    }
    if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
        return c;
    }
    return '_';
}

/* "items" becomes "FSD_ITEMS". */
static void shape_name(const struct log_field *field, char name[NAME_MAX_LEN + 1])
{
    char key[NAME_MAX_LEN + 1 - sizeof("FSD__")];
    size_t len = 0;
    while (len < field->key_len && len < sizeof(key) - 1) {
        key[len] = shape_char(field->key[len]);
        len++;
    }
    key[len] = '\0';
    (void)snprintf(name, NAME_MAX_LEN + 1, "FSD_%s%s", is_ours(key) ? "_" : "", key);
}

static void put_fields(struct log_buf *buf, const struct log_record *record)
{
    for (size_t i = 0; i < record->field_count; i++) {
        char name[NAME_MAX_LEN + 1];
        shape_name(&record->fields[i], name);
        size_t start = begin_field(buf, name);
        log_buf_put_value(buf, &record->fields[i], LOG_DRESS_LINES);
        end_field(buf, start);
    }
}

/* The only field that is rather cut than left out. */
static void put_message(struct log_buf *buf, const struct log_record *record)
{
    size_t start = begin_field(buf, "MESSAGE");
    if (!buf->is_cut && buf->len < buf->size) {
        buf->size--; /* for the newline */
        log_line_put_words(buf, record);
        buf->size++;
        buf->is_cut = false;
    }
    end_field(buf, start);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): buf writes to the packet */
size_t log_journal_encode(const struct log_record *record, char *packet, size_t size)
{
    struct log_buf buf = {packet, 0, size, false};
    put_int(&buf, "PRIORITY", (int64_t)record->level); /* syslog's numbers, see log_level.h */
    put_text(&buf, "SYSLOG_IDENTIFIER", "fsd");
    if (record->subject.pool != NULL) {
        put_text(&buf, "FSD_POOL", record->subject.pool);
    }
    if (record->subject.pool != NULL && record->subject.slot != LOG_SLOT_NONE) {
        put_int(&buf, "FSD_SLOT", record->subject.slot);
    }
    if (record->subject.pid != 0) {
        put_int(&buf, "FSD_PID", record->subject.pid);
    }
    if (record->event != NULL) {
        put_text(&buf, "FSD_EVENT", record->event);
        put_int(&buf, "FSD_EVENT_ID", (int64_t)record->event_id);
    }
    put_message(&buf, record);
    put_fields(&buf, record);
    return buf.len;
}

int log_journal_is_stream(const char *variable, uint64_t device, uint64_t inode)
{
    char expected[48];
    (void)snprintf(expected, sizeof(expected), "%llu:%llu", (unsigned long long)device,
                   (unsigned long long)inode);
    return variable != NULL && strcmp(variable, expected) == 0;
}
