/* log_record.c - one record of the log, before anybody knows what it will look like.
 * Owns nothing: a record borrows all its text.  Records come from the master's own code (log_int, log_text) and from workers
 * as MessagePack packets; a packet is hostile until log_record_decode has seen every byte of it.
 * Called by log.c and proc.c.  Pure.  Must not know how a record is rendered (log_line.c) or where it goes (log.c). */
#include "daemon/log/log_record.h"

#include <errno.h>
#include <string.h>

#include "common/err.h"
#include "common/msgpack.h"

enum { PACKET_ITEMS = 5 };

struct log_field log_int(const char *key, int64_t value)
{
    return (struct log_field){
        .key = key, .key_len = strlen(key), .kind = LOG_VALUE_INT, .integer = value};
}

struct log_field log_text(const char *key, const char *text)
{
    return (struct log_field){.key = key,
                              .key_len = strlen(key),
                              .kind = LOG_VALUE_TEXT,
                              .text = text,
                              .text_len = strlen(text)};
}

static int read_value(struct msgpack_reader *reader, struct log_field *field)
{
    struct msgpack_value value;
    int error = msgpack_read(reader, &value);
    if (error < 0) {
        return error;
    }
    switch (value.kind) {
    case MSGPACK_NIL:
        field->kind = LOG_VALUE_NIL;
        return 0;
    case MSGPACK_BOOL:
        field->kind = LOG_VALUE_BOOL;
        field->integer = value.boolean;
        return 0;
    case MSGPACK_INT:
        field->kind = LOG_VALUE_INT;
        field->integer = value.integer;
        return 0;
    case MSGPACK_FLOAT:
        field->kind = LOG_VALUE_FLOAT;
        field->number = value.number;
        return 0;
    case MSGPACK_STR:
        field->kind = LOG_VALUE_TEXT;
        field->text = value.bytes;
        field->text_len = value.len;
        return 0;
    case MSGPACK_BIN:
    case MSGPACK_ARRAY:
    case MSGPACK_MAP:
        break;
    }
    return -EPROTO;
}

static int read_fields(struct msgpack_reader *reader, struct log_record *record)
{
    struct msgpack_value map;
    int error = msgpack_expect(reader, MSGPACK_MAP, &map);
    for (uint32_t i = 0; error == 0 && i < map.count; i++) {
        struct msgpack_value key;
        struct log_field field = {0};
        error = msgpack_expect(reader, MSGPACK_STR, &key);
        if (error == 0) {
            error = read_value(reader, &field);
        }
        if (error == 0 && record->field_count < LOG_FIELDS_MAX) {
            field.key = key.bytes;
            field.key_len = key.len;
            record->fields[record->field_count++] = field;
        }
    }
    return error;
}

static int read_record(struct msgpack_reader *reader, struct log_record *record, int64_t *dropped)
{
    struct msgpack_value value;
    if (msgpack_expect(reader, MSGPACK_ARRAY, &value) < 0 || value.count != PACKET_ITEMS ||
        msgpack_expect(reader, MSGPACK_INT, &value) < 0 || value.integer < LOG_LEVEL_ERROR ||
        value.integer > LOG_LEVEL_DEBUG) {
        return -EPROTO;
    }
    record->level = (enum log_level)value.integer;
    if (msgpack_expect(reader, MSGPACK_INT, &value) < 0 || value.integer < 0) {
        return -EPROTO;
    }
    record->wall_us = (uint64_t)value.integer;
    if (msgpack_expect(reader, MSGPACK_INT, &value) < 0 || value.integer < 0) {
        return -EPROTO;
    }
    *dropped = value.integer;
    if (msgpack_expect(reader, MSGPACK_STR, &value) < 0) {
        return -EPROTO;
    }
    record->message = value.bytes;
    record->message_len = value.len;
    return read_fields(reader, record) < 0 || reader->at != reader->end ? -EPROTO : 0;
}

int log_record_decode(const void *packet, size_t len, struct log_record *ret_record,
                      uint64_t *ret_dropped, struct fsd_err *err)
{
    struct msgpack_reader reader;
    struct log_record record = {.level = LOG_LEVEL_INFO};
    int64_t dropped = 0;
    msgpack_reader_init(&reader, packet, len);
    if (read_record(&reader, &record, &dropped) < 0) {
        return fsd_err_set(err, EPROTO, "log record of %zu bytes is malformed", len);
    }
    *ret_record = record;
    *ret_dropped = (uint64_t)dropped;
    return 0;
}
