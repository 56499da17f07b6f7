#ifndef FSD_COMMON_MSGPACK_H
#define FSD_COMMON_MSGPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* MessagePack, the subset that fsd's processes say to each other: nil, bool, 64-bit integers,
 * float64, str, bin, array, map.  Ext stands apart: only who asks for it sees any.  Source: github.com/msgpack/msgpack spec.md. */

enum { MSGPACK_DEPTH_MAX = 64 };

/* Grows on the heap up to max bytes.  After a failure every further write is ignored and
 * msgpack_writer_take reports it, so callers check once, at the end. */
struct msgpack_writer {
    unsigned char *data; /* owned */
    size_t len;
    size_t capacity;
    size_t max;
    int error; /* 0, -ENOMEM, or -EMSGSIZE when max would be passed */
};

void msgpack_writer_init(struct msgpack_writer *writer, size_t max);
void msgpack_writer_fini(struct msgpack_writer *writer);
/* Hands the bytes to the caller, who frees them; the writer is empty then.  Returns the first error. */
int msgpack_writer_take(struct msgpack_writer *writer, unsigned char **ret_data, size_t *ret_len);

void msgpack_write_nil(struct msgpack_writer *writer);
void msgpack_write_bool(struct msgpack_writer *writer, bool value);
void msgpack_write_int(struct msgpack_writer *writer, int64_t value);
void msgpack_write_float(struct msgpack_writer *writer, double value);
void msgpack_write_str(struct msgpack_writer *writer, const char *text, size_t len);
void msgpack_write_text(struct msgpack_writer *writer,
                        const char *text); /* NUL-terminated; NULL writes nil */
void msgpack_write_bin(struct msgpack_writer *writer, const void *data, size_t len);
/* The caller then writes count values (array) or count key-value pairs (map). */
void msgpack_write_array(struct msgpack_writer *writer, uint32_t count);
void msgpack_write_map(struct msgpack_writer *writer, uint32_t count);
/* One value of a type of the application's own, 0 to 127. */
void msgpack_write_ext(struct msgpack_writer *writer, unsigned type, const void *data, size_t len);
/* The same around what is written until msgpack_end_ext, which gets the position that this returns. */
size_t msgpack_begin_ext(struct msgpack_writer *writer, unsigned type);
void msgpack_end_ext(struct msgpack_writer *writer, size_t position);
/* Appends bytes that are already one encoded value. */
void msgpack_write_raw(struct msgpack_writer *writer, const void *data, size_t len);

enum msgpack_kind {
    MSGPACK_NIL,
    MSGPACK_BOOL,
    MSGPACK_INT,
    MSGPACK_FLOAT,
    MSGPACK_STR,
    MSGPACK_BIN,
    MSGPACK_ARRAY,
    MSGPACK_MAP,
};

/* One token.  str and bin point into the reader's bytes; count is elements or pairs. */
struct msgpack_value {
    enum msgpack_kind kind;
    bool boolean;
    int64_t integer;
    double number;
    const char *bytes; /* borrowed from the reader's input */
    size_t len;
    uint32_t count;
};

/* A value of a type of the application's own. */
struct msgpack_ext {
    unsigned type;
    const unsigned char *data; /* borrowed from the reader's input */
    size_t len;
};

struct msgpack_reader {
    const unsigned char *at; /* borrowed */
    const unsigned char *end;
};

void msgpack_reader_init(struct msgpack_reader *reader, const void *data, size_t len);
/* Reads one token (of an array or map only its head).  -EPROTO: malformed, truncated, an ext type, an
 * unsigned above INT64_MAX, or a count that the remaining bytes cannot hold. */
int msgpack_read(struct msgpack_reader *reader, struct msgpack_value *ret_value);
/* Whether an ext comes next. */
bool msgpack_is_ext(const struct msgpack_reader *reader);
/* Reads one ext; its data points into the reader's bytes.  -EPROTO: anything else, or truncated. */
int msgpack_read_ext(struct msgpack_reader *reader, struct msgpack_ext *ret_ext);
/* Skips one whole value, however nested.  -EPROTO as above, or deeper than MSGPACK_DEPTH_MAX. */
int msgpack_skip(struct msgpack_reader *reader);
/* Convenience for records: reads one token and checks its kind (an INT is accepted for FLOAT). */
int msgpack_expect(struct msgpack_reader *reader, enum msgpack_kind kind,
                   struct msgpack_value *ret_value);

#endif
