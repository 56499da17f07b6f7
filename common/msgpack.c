/* msgpack.c - writes MessagePack into one growing buffer.
 *
 * Owns the writer's buffer until it is taken.  The shortest form of every number and length is
 * chosen; the first failure is remembered and makes all later writes do nothing, so callers check
 * once, at the end.  Called by both ends of every channel between fsd's processes.
 * Must not know what the messages mean, and never logs; msgpack_read.c is the other direction. */
#include "common/msgpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CAPACITY_FIRST = 256,
    HEAD_BYTES = 1, /* of format; up to eight of a value follow */
};

void msgpack_writer_init(struct msgpack_writer *writer, size_t max)
{
    *writer = (struct msgpack_writer){.max = max};
}

void msgpack_writer_fini(struct msgpack_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    free(writer->data);
    *writer = (struct msgpack_writer){.max = writer->max};
}

int msgpack_writer_take(struct msgpack_writer *writer, unsigned char **ret_data, size_t *ret_len)
{
    int error = writer->error;
    if (error == 0) {
        *ret_data = writer->data;
        *ret_len = writer->len;
        writer->data = NULL;
    }
    msgpack_writer_fini(writer);
    return error;
}

static bool writer_grow(struct msgpack_writer *writer, size_t len)
{
    if (len > writer->max - writer->len) {
        writer->error = -EMSGSIZE;
        return false;
    }
    size_t need = writer->len + len;
    size_t capacity = writer->capacity < CAPACITY_FIRST ? CAPACITY_FIRST : writer->capacity;
    while (capacity < need) {
        capacity = capacity > writer->max / 2 ? writer->max : capacity * 2;
    }
    if (capacity > writer->max) {
        capacity = writer->max;
    }
    unsigned char *data = realloc(writer->data, capacity);
    if (data == NULL) {
        writer->error = -ENOMEM;
        return false;
    }
    writer->data = data;
    writer->capacity = capacity;
    return true;
}

/* Makes room for len more bytes; false when the writer has failed, now or before. */
static inline bool writer_reserve(struct msgpack_writer *writer, size_t len)
{
    return writer->error == 0 &&
           (len <= writer->capacity - writer->len || writer_grow(writer, len));
}

void msgpack_write_raw(struct msgpack_writer *writer, const void *data, size_t len)
{
    if (len > 0 && writer_reserve(writer, len)) {
        memcpy(writer->data + writer->len, data, len);
        writer->len += len;
    }
}

/* Writes a format byte and the low width bytes of value, most significant first. */
static void write_head(struct msgpack_writer *writer, unsigned format, uint64_t value,
                       unsigned width)
{
    if (!writer_reserve(writer, HEAD_BYTES + width)) {
        return;
    }
    unsigned char *head = writer->data + writer->len;
    head[0] = (unsigned char)format;
    for (unsigned i = 0; i < width; i++) {
        head[HEAD_BYTES + i] = (unsigned char)(value >> (8 * (width - 1 - i)));
    }
    writer->len += HEAD_BYTES + width;
}

/* A family's formats follow each other with 1, 2, 4 and 8 bytes; extent says how many are needed. */
static void write_sized(struct msgpack_writer *writer, unsigned format, uint64_t extent,
                        uint64_t value)
{
    unsigned step = extent <= UINT16_MAX ? extent > UINT8_MAX : extent <= UINT32_MAX ? 2 : 3;
    write_head(writer, format + step, value, 1U << step);
}

void msgpack_write_nil(struct msgpack_writer *writer)
{
    write_head(writer, 0xc0, 0, 0);
}

void msgpack_write_bool(struct msgpack_writer *writer, bool value)
{
    write_head(writer, value ? 0xc3 : 0xc2, 0, 0);
}

void msgpack_write_int(struct msgpack_writer *writer, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    if (value >= -32 && value <= INT8_MAX) {
        write_head(writer, (unsigned)(bits & 0xff), 0, 0);
    } else if (value >= 0) {
        write_sized(writer, 0xcc, bits, bits);
    } else {
        write_sized(writer, 0xd0, 2 * ~bits, bits); /* one bit more, for the sign */
    }
}

void msgpack_write_float(struct msgpack_writer *writer, double value)
{
    uint64_t bits = 0;
    _Static_assert(sizeof(bits) == sizeof(value), "a double has 64 bits");
    memcpy(&bits, &value, sizeof(bits));
    write_head(writer, 0xcb, bits, 8);
}

/* The format has no more than 32 bits for a length. */
static bool refuse_len(struct msgpack_writer *writer, size_t len)
{
    if (len > UINT32_MAX && writer->error == 0) {
        writer->error = -EMSGSIZE;
    }
    return writer->error != 0;
}

void msgpack_write_str(struct msgpack_writer *writer, const char *text, size_t len)
{
    if (refuse_len(writer, len)) {
        return;
    }
    if (len < 32) {
        write_head(writer, 0xa0 | (unsigned)len, 0, 0);
    } else {
        write_sized(writer, 0xd9, len, len);
    }
    msgpack_write_raw(writer, text, len);
}

void msgpack_write_text(struct msgpack_writer *writer, const char *text)
{
    if (text == NULL) {
        msgpack_write_nil(writer);
    } else {
        msgpack_write_str(writer, text, strlen(text));
    }
}

void msgpack_write_bin(struct msgpack_writer *writer, const void *data, size_t len)
{
    if (refuse_len(writer, len)) {
        return;
    }
    write_sized(writer, 0xc4, len, len);
    msgpack_write_raw(writer, data, len);
}

/* short_format carries a count below 16 itself; long_format is the one with 16 bits, 32 follows. */
static void write_count(struct msgpack_writer *writer, unsigned short_format, unsigned long_format,
                        uint32_t count)
{
    if (count < 16) {
        write_head(writer, short_format | count, 0, 0);
    } else if (count <= UINT16_MAX) {
        write_head(writer, long_format, count, 2);
    } else {
        write_head(writer, long_format + 1, count, 4);
    }
}

void msgpack_write_array(struct msgpack_writer *writer, uint32_t count)
{
    write_count(writer, 0x90, 0xdc, count);
}

void msgpack_write_map(struct msgpack_writer *writer, uint32_t count)
{
    write_count(writer, 0x80, 0xde, count);
}

enum { EXT32 = 0xc9, EXT32_HEAD = 6 };

void msgpack_write_ext(struct msgpack_writer *writer, unsigned type, const void *data, size_t len)
{
    if (refuse_len(writer, len)) {
        return;
    }
    if (len > 0 && len <= 16 && (len & (len - 1)) == 0) {
        write_head(writer, 0xd4 + (unsigned)__builtin_ctzl(len), type, 1);
    } else {
        unsigned char type_byte = (unsigned char)type;
        write_sized(writer, 0xc7, len, len);
        msgpack_write_raw(writer, &type_byte, 1);
    }
    msgpack_write_raw(writer, data, len);
}

size_t msgpack_begin_ext(struct msgpack_writer *writer, unsigned type)
{
    size_t position = writer->len;
    unsigned char head[EXT32_HEAD] = {EXT32};
    head[EXT32_HEAD - 1] = (unsigned char)type;
    msgpack_write_raw(writer, head, sizeof(head));
    return position;
}

void msgpack_end_ext(struct msgpack_writer *writer, size_t position)
{
    if (writer->error != 0 || refuse_len(writer, writer->len - position - EXT32_HEAD)) {
        return;
    }
    size_t len = writer->len - position - EXT32_HEAD;
    for (unsigned i = 0; i < sizeof(uint32_t); i++) {
        writer->data[position + 1 + i] = (unsigned char)(len >> (8 * (3 - i)));
    }
}
