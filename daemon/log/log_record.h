#ifndef FSD_DAEMON_LOG_LOG_RECORD_H
#define FSD_DAEMON_LOG_LOG_RECORD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log_level.h"

struct fsd_err;

enum log_value {
    LOG_VALUE_NIL,
    LOG_VALUE_BOOL,
    LOG_VALUE_INT,
    LOG_VALUE_FLOAT,
    LOG_VALUE_TEXT,
};

/* One key=value.  A field with key NULL ends a list. */
struct log_field {
    const char *key; /* borrowed, not NUL-terminated when it came from a worker */
    size_t key_len;
    enum log_value kind;
    int64_t integer; /* of INT; 0 or 1 of BOOL */
    double number;
    const char *text; /* borrowed */
    size_t text_len;
};

struct log_field log_int(const char *key, int64_t value);
struct log_field log_text(const char *key, const char *text);
/* A list for log_write and log_event. */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.key = NULL}})

#define LOG_SLOT_NONE UINT_MAX /* of a worker that serves no slot yet */

/* Who speaks.  pool NULL: the master. */
struct log_subject {
    const char *pool; /* borrowed */
    unsigned slot;    /* or LOG_SLOT_NONE, shown as "-"; with pid 0: the pool as a whole */
    int pid;
};

/* A pool as a whole, for log_write and log_event; it is there up to the end of the block. */
#define LOG_POOL(name) (&(const struct log_subject){(name), LOG_SLOT_NONE, 0})

enum { LOG_FIELDS_MAX = 32 };

struct log_record {
    enum log_level level;
    uint64_t wall_us;
    struct log_subject subject;
    const char *message; /* borrowed, any bytes */
    size_t message_len;
    struct log_field fields[LOG_FIELDS_MAX];
    size_t field_count;
    /* borrowed; the name of an event ("worker.ready"), NULL: an ordinary record */
    const char *event;
    uint64_t event_id; /* of an event */
};

/* Reads a worker's packet (proto.h, LOG); the record points into it.  Fields beyond LOG_FIELDS_MAX are left out.  *ret_dropped is
 * how many records the worker lost before this one; the subject is the caller's to fill.  0 or -EPROTO. */
int log_record_decode(const void *packet, size_t len, struct log_record *ret_record,
                      uint64_t *ret_dropped, struct fsd_err *err);

#endif
