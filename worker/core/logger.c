/* logger.c - log records on their way to the master.
 * Owns the log socket.  A record is one MessagePack array in one packet (common/proto.h says which), so the master can
 * check and render it without trusting us, and a full socket costs one dropped record, never a wait.
 * What is said also goes into the black box (recorder.c), dropped or not.
 * Called by fsd.log, print, the request's error path and life.c.  Must not know how or where a record is shown. */
#include "worker/core/logger.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/page.h"
#include "common/proto.h"
#include "worker/core/json/json.h"
#include "worker/core/recorder.h"
#include "worker/core/value.h"

enum {
    MESSAGE_MAX = 8192,
    FIELDS_MAX = PROTO_LOG_MAX - MESSAGE_MAX - 64, /* the rest: level, times, heads */
};

void logger_init(struct logger *logger)
{
    *logger = (struct logger){.fd = -1, .level = LOG_LEVEL_INFO};
}

void logger_fini(struct logger *logger)
{
    fd_close(&logger->fd);
}

bool logger_takes(const struct logger *logger, enum log_level level)
{
    return level <= logger->level;
}

static void note_line(struct logger *logger, enum log_level level, uint64_t wall_us,
                      const char *message, size_t len)
{
    if (logger->recorder != NULL) {
        recorder_line(logger->recorder, level, wall_us, message, len);
    }
}

static void note_field(struct logger *logger, const char *key, size_t key_len, const char *text,
                       size_t len)
{
    if (logger->recorder != NULL) {
        recorder_line_add(logger->recorder, key, key_len, text, len);
    }
}

void logger_begin(struct logger_record *record, struct logger *logger, enum log_level level,
                  const char *message, size_t len)
{
    record->logger = logger;
    record->field_count = 0;
    uint64_t now_us = clock_wall_us();
    note_line(logger, level, now_us, message, len);
    msgpack_writer_init(&record->writer, PROTO_LOG_MAX);
    msgpack_writer_init(&record->fields, FIELDS_MAX);
    msgpack_write_array(&record->writer, 5);
    msgpack_write_int(&record->writer, level);
    msgpack_write_int(&record->writer, (int64_t)now_us);
    msgpack_write_int(&record->writer, (int64_t)logger->dropped);
    msgpack_write_str(&record->writer, message, len < MESSAGE_MAX ? len : MESSAGE_MAX);
}

/* A pair is added whole or not at all: a value that does not fit leaves the earlier ones. */
static void add_pair(struct logger_record *record, const char *key, size_t key_len,
                     struct msgpack_writer *value)
{
    size_t needed = key_len + value->len + 8;
    if (value->error != 0 || record->fields.len + needed > FIELDS_MAX) {
        return;
    }
    msgpack_write_str(&record->fields, key, key_len);
    msgpack_write_raw(&record->fields, value->data, value->len);
    record->field_count++;
}

/* Cut where the room ends. */
static void add_text(struct logger_record *record, const char *key, size_t key_len,
                     const char *text, size_t len)
{
    struct msgpack_writer value;
    note_field(record->logger, key, key_len, text, len);
    msgpack_writer_init(&value, FIELDS_MAX);
    size_t room = FIELDS_MAX - record->fields.len;
    size_t limit = room > key_len + 16 ? room - key_len - 16 : 0;
    msgpack_write_str(&value, text, len < limit ? len : limit);
    add_pair(record, key, key_len, &value);
    msgpack_writer_fini(&value);
}

void logger_field_text(struct logger_record *record, const char *key, const char *text, size_t len)
{
    add_text(record, key, strlen(key), text, len);
}

/* A table as JSON text: the master takes scalars only. */
static void write_table(lua_State *L, int index, struct msgpack_writer *value)
{
    struct json_buf buf;
    json_buf_init(&buf);
    if (json_encode(L, index, &buf, NULL) == 0) {
        msgpack_write_str(value, buf.data, buf.len < FIELDS_MAX ? buf.len : FIELDS_MAX / 2);
    } else {
        msgpack_write_text(value, "(a table that is not JSON)");
    }
    json_buf_fini(&buf);
}

/* A number or a boolean, for the black box; tables are left out there. */
static void note_scalar(struct logger *logger, const char *key, size_t key_len, lua_State *L,
                        int index)
{
    char text[64];
    int len = 0;
    if (lua_isinteger(L, index)) {
        len = snprintf(text, sizeof(text), LUA_INTEGER_FMT, lua_tointeger(L, index));
    } else if (lua_type(L, index) == LUA_TNUMBER) {
        len = snprintf(text, sizeof(text), LUA_NUMBER_FMT, lua_tonumber(L, index));
    } else if (lua_isboolean(L, index)) {
        len = snprintf(text, sizeof(text), "%s", lua_toboolean(L, index) ? "true" : "false");
    }
    if (len > 0) {
        note_field(logger, key, key_len, text, (size_t)len);
    }
}

void logger_field_value(struct logger_record *record, const char *key, size_t key_len, lua_State *L,
                        int index)
{
    if (lua_type(L, index) == LUA_TSTRING) {
        size_t len;
        const char *text = lua_tolstring(L, index, &len);
        add_text(record, key, key_len, text, len);
        return;
    }
    note_scalar(record->logger, key, key_len, L, index);
    struct msgpack_writer value;
    msgpack_writer_init(&value, FIELDS_MAX);
    if (lua_istable(L, index)) {
        write_table(L, index, &value);
    } else if (value_write(L, index, &value, NULL) != 0) {
        msgpack_writer_fini(&value);
        msgpack_writer_init(&value, FIELDS_MAX);
        msgpack_write_text(&value, lua_typename(L, lua_type(L, index)));
    }
    add_pair(record, key, key_len, &value);
    msgpack_writer_fini(&value);
}

static void set_dropped(struct logger *logger, uint64_t dropped)
{
    logger->dropped = dropped;
    if (logger->lost != NULL) {
        page_set(logger->lost, dropped);
    }
}

static void send_record(struct logger *logger, const unsigned char *bytes, size_t len)
{
    ssize_t sent;
    do {
        sent = send(logger->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        set_dropped(logger, logger->dropped + 1);
    } else {
        set_dropped(logger, 0);
    }
}

void logger_send(struct logger_record *record)
{
    msgpack_write_map(&record->writer, record->field_count);
    msgpack_write_raw(&record->writer, record->fields.data, record->fields.len);
    if (record->writer.error == 0 && record->logger->fd >= 0) {
        send_record(record->logger, record->writer.data, record->writer.len);
    } else {
        set_dropped(record->logger, record->logger->dropped + 1);
    }
    msgpack_writer_fini(&record->writer);
    msgpack_writer_fini(&record->fields);
}

void logger_write(struct logger *logger, enum log_level level, const char *format, ...)
{
    if (!logger_takes(logger, level)) {
        return;
    }
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    size_t kept = len < 0 ? 0 : (size_t)len < sizeof(message) ? (size_t)len : sizeof(message) - 1;
    if (logger->fd < 0) { /* run by hand, or before the master has sent the socket */
        note_line(logger, level, clock_wall_us(), message, kept);
        (void)fprintf(stderr, "fsd-worker: %s\n", message);
        return;
    }
    struct logger_record record;
    logger_begin(&record, logger, level, message, kept);
    logger_send(&record);
}
