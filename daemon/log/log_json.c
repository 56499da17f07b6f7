/* log_json.c - renders one record as a JSON object: for the log itself, and for who asks over the control socket.
 * Owns the names of the keys.  The master's own keys come first, then the record's fields; a field that is called like one of
 * the former is renamed, so that a worker cannot forge who speaks.
 * Called by log_line.c and log_hub.c.  Pure.  Must not know where the object goes. */
#include "daemon/log/log_json.h"

#include <stdbool.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/log/log_buf.h"
#include "daemon/log/log_record.h"

/* Some are called otherwise in an event (`events` of the control socket). */
struct keys {
    const char *time;
    const char *message;
    const char *id;
    bool is_time_text;
    enum log_dress dress;
};

static const struct keys forms[] = {
    {"time", "msg", "event_id", true, LOG_DRESS_JSON},         /* LOG_JSON_LINE */
    {"time", "msg", "event_id", false, LOG_DRESS_JSON_NO_NUL}, /* LOG_JSON_RECORD */
    {"at", "message", "id", false, LOG_DRESS_JSON_NO_NUL},     /* LOG_JSON_EVENT */
};
_Static_assert(sizeof(forms) / sizeof(forms[0]) == LOG_JSON_EVENT + 1, "a row each");

static bool is_called(const struct log_field *field, const char *name)
{
    return strlen(name) == field->key_len && memcmp(name, field->key, field->key_len) == 0;
}

static bool is_reserved(const struct log_field *field, const struct keys *keys)
{
    const char *const names[] = {keys->time, keys->message, keys->id, "level",
                                 "pool",     "slot",        "pid",    "event"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is_called(field, names[i])) {
            return true;
        }
    }
    return false;
}

static void put_key(struct log_buf *buf, const char *name)
{
    log_buf_put_text(buf, ",\"");
    log_buf_put_text(buf, name);
    log_buf_put_text(buf, "\":");
}

static void put_string(struct log_buf *buf, const char *text, size_t len, enum log_dress dress)
{
    log_buf_put(buf, "\"", 1);
    log_buf_put_dressed(buf, text, len, dress);
    log_buf_put(buf, "\"", 1);
}

static void put_time(struct log_buf *buf, uint64_t wall_us, bool is_text)
{
    if (is_text) {
        char time[CLOCK_TEXT_MAX];
        clock_format(wall_us, time);
        put_string(buf, time, strlen(time), LOG_DRESS_JSON);
    } else {
        log_buf_put_int(buf, (int64_t)(wall_us / 1000));
    }
}

static void put_subject(struct log_buf *buf, const struct log_subject *subject)
{
    if (subject->pool != NULL) {
        put_key(buf, "pool");
        put_string(buf, subject->pool, strlen(subject->pool), LOG_DRESS_JSON_NO_NUL);
    }
    if (subject->pool != NULL && subject->slot != LOG_SLOT_NONE) {
        put_key(buf, "slot");
        log_buf_put_int(buf, subject->slot);
    }
    if (subject->pid != 0) {
        put_key(buf, "pid");
        log_buf_put_int(buf, subject->pid);
    }
}

static void put_fields(struct log_buf *buf, const struct log_record *record,
                       const struct keys *keys)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const struct log_field *field = &record->fields[i];
        log_buf_put_text(buf, is_reserved(field, keys) ? ",\"_" : ",\"");
        log_buf_put_dressed(buf, field->key, field->key_len, keys->dress);
        log_buf_put_text(buf, "\":");
        log_buf_put_value(buf, field, keys->dress);
    }
}

void log_json_put(struct log_buf *buf, const struct log_record *record, enum log_json_form form)
{
    const struct keys *keys = &forms[form];
    log_buf_put_text(buf, "{\"");
    log_buf_put_text(buf, keys->time);
    log_buf_put_text(buf, "\":");
    put_time(buf, record->wall_us, keys->is_time_text);
    put_key(buf, "level");
    put_string(buf, log_level_format(record->level), strlen(log_level_format(record->level)),
               keys->dress);
    put_key(buf, keys->message);
    put_string(buf, record->message, record->message_len, keys->dress);
    put_subject(buf, &record->subject);
    if (record->event != NULL) {
        put_key(buf, "event");
        put_string(buf, record->event, strlen(record->event), keys->dress);
        put_key(buf, keys->id);
        log_buf_put_int(buf, (int64_t)record->event_id);
    }
    put_fields(buf, record, keys);
    log_buf_put_text(buf, "}");
}
