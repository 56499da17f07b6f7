#ifndef FSD_WORKER_CORE_LOGGER_H
#define FSD_WORKER_CORE_LOGGER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log_level.h"
#include "common/msgpack.h"

struct recorder;

/* The worker's end of the log: records go to the master, which renders them.  Never blocks: what does not fit into
 * the socket is dropped and counted, and the next record that fits says how many were lost. */
struct logger {
    /* owned; -1 before LOG has arrived: logger_write goes to stderr then, records are dropped */
    int fd;
    enum log_level level;
    uint64_t dropped;
    _Atomic uint64_t *
        lost; /* borrowed from the status page, or NULL: dropped, for when we end before we can say it */
    struct recorder *recorder; /* borrowed, or NULL: keeps the last lines for a crash report */
};

/* One record that is being written. */
struct logger_record {
    struct logger *logger;
    struct msgpack_writer writer;
    struct msgpack_writer fields; /* the pairs, counted separately */
    uint32_t field_count;
};

void logger_init(struct logger *logger);
void logger_fini(struct logger *logger);
bool logger_takes(const struct logger *logger, enum log_level level);

/* A record is begun, given fields, sent; nothing in between may raise a Lua error. */
void logger_begin(struct logger_record *record, struct logger *logger, enum log_level level,
                  const char *message, size_t len);
void logger_field_text(struct logger_record *record, const char *key, const char *text, size_t len);
/* Adds the Lua value at index: scalars as they are, tables as JSON text, others by their type's name.  Does not raise. */
void logger_field_value(struct logger_record *record, const char *key, size_t key_len, lua_State *L,
                        int index);
void logger_send(struct logger_record *record);

/* The whole of it for C code: a message without fields. */
void logger_write(struct logger *logger, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
