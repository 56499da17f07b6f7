/* msgpack_read.c - reads MessagePack one token at a time, behind the same header as the writer.
 *
 * Owns nothing: tokens point into the caller's bytes.  What the first byte means stands in a table
 * of rows for 0xc0..0xdf, all other first bytes carry their value themselves; a failed read leaves
 * the reader where it was.  Called on bytes of a worker, which may be hostile: no length or count
 * is believed that the bytes left could not hold, and nothing recurses.
 * Must not know what the messages mean, and never logs. */
#include "common/msgpack.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    FORMAT_FIRST = 0xc0,
    FORMAT_COUNT = 32,
};

/* What follows a first byte. */
enum format_shape {
    SHAPE_REFUSED,
    SHAPE_NIL,
    SHAPE_FALSE,
    SHAPE_TRUE,
    SHAPE_UNSIGNED,
    SHAPE_SIGNED,
    SHAPE_FLOAT,
    SHAPE_STR,
    SHAPE_BIN,
    SHAPE_ARRAY,
    SHAPE_MAP,
};

struct format {
    enum format_shape shape;
    unsigned width; /* bytes of value, length or count that follow the first byte */
};

/* clang-format off */
static const struct format formats[] = {
    {SHAPE_NIL, 0},      {SHAPE_REFUSED, 0},  {SHAPE_FALSE, 0},    {SHAPE_TRUE, 0},     /* c0 */
    {SHAPE_BIN, 1},      {SHAPE_BIN, 2},      {SHAPE_BIN, 4},      {SHAPE_REFUSED, 0},  /* c4 */
    {SHAPE_REFUSED, 0},  {SHAPE_REFUSED, 0},  {SHAPE_FLOAT, 4},    {SHAPE_FLOAT, 8},    /* c8 */
    {SHAPE_UNSIGNED, 1}, {SHAPE_UNSIGNED, 2}, {SHAPE_UNSIGNED, 4}, {SHAPE_UNSIGNED, 8}, /* cc */
    {SHAPE_SIGNED, 1},   {SHAPE_SIGNED, 2},   {SHAPE_SIGNED, 4},   {SHAPE_SIGNED, 8},   /* d0 */
    {SHAPE_REFUSED, 0},  {SHAPE_REFUSED, 0},  {SHAPE_REFUSED, 0},  {SHAPE_REFUSED, 0},  /* d4 */
    {SHAPE_REFUSED, 0},  {SHAPE_STR, 1},      {SHAPE_STR, 2},      {SHAPE_STR, 4},      /* d8 */
    {SHAPE_ARRAY, 2},    {SHAPE_ARRAY, 4},    {SHAPE_MAP, 2},      {SHAPE_MAP, 4},      /* dc */
};
/* clang-format on */
_Static_assert(sizeof(formats) / sizeof(formats[0]) == FORMAT_COUNT, "a row per byte 0xc0..0xdf");

void msgpack_reader_init(struct msgpack_reader *reader, const void *data, size_t len)
{
    reader->at = data;
    reader->end = len > 0 ? reader->at + len : reader->at;
}

static size_t reader_left(const struct msgpack_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static int read_bytes(struct msgpack_reader *reader, enum msgpack_kind kind, uint64_t len,
                      struct msgpack_value *value)
{
    if (len > reader_left(reader)) {
        return -EPROTO;
    }
    value->kind = kind;
    value->bytes = (const char *)reader->at;
    value->len = (size_t)len;
    reader->at += len;
    return 0;
}

/* min_len is the least number of bytes that one element or pair takes. */
static int read_count(const struct msgpack_reader *reader, enum msgpack_kind kind, uint64_t count,
                      size_t min_len, struct msgpack_value *value)
{
    if (count > reader_left(reader) / min_len) {
        return -EPROTO;
    }
    value->kind = kind;
    value->count = (uint32_t)count;
    return 0;
}

static double float_from_bits(uint64_t bits, unsigned width)
{
    if (width == 4) {
        uint32_t half = (uint32_t)bits;
        float number = 0;
        memcpy(&number, &half, sizeof(number));
        return (double)number;
    }
    double number = 0;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

static int64_t integer_from_bits(uint64_t bits, unsigned width)
{
    assert(width >= 1 && width <= 8);
    uint64_t sign = UINT64_C(1) << (8 * width - 1);
    return (int64_t)((bits ^ sign) - sign);
}

/* The first byte is behind the reader; bits are the row's width bytes that followed it. */
static int read_formatted(struct msgpack_reader *reader, const struct format *format, uint64_t bits,
                          struct msgpack_value *value)
{
    switch (format->shape) {
    case SHAPE_REFUSED:
        return -EPROTO;
    case SHAPE_NIL:
        value->kind = MSGPACK_NIL;
        return 0;
    case SHAPE_FALSE:
    case SHAPE_TRUE:
        value->kind = MSGPACK_BOOL;
        value->boolean = format->shape == SHAPE_TRUE;
        return 0;
    case SHAPE_UNSIGNED:
        value->kind = MSGPACK_INT;
        value->integer = (int64_t)bits;
        return bits > INT64_MAX ? -EPROTO : 0;
    case SHAPE_SIGNED:
        value->kind = MSGPACK_INT;
        value->integer = integer_from_bits(bits, format->width);
        return 0;
    case SHAPE_FLOAT:
        value->kind = MSGPACK_FLOAT;
        value->number = float_from_bits(bits, format->width);
        return 0;
    case SHAPE_STR:
        return read_bytes(reader, MSGPACK_STR, bits, value);
    case SHAPE_BIN:
        return read_bytes(reader, MSGPACK_BIN, bits, value);
    case SHAPE_ARRAY:
        return read_count(reader, MSGPACK_ARRAY, bits, 1, value);
    case SHAPE_MAP:
        return read_count(reader, MSGPACK_MAP, bits, 2, value);
    }
    assert(!"unknown shape");
    return -EPROTO;
}

static int read_token(struct msgpack_reader *reader, struct msgpack_value *value)
{
    if (reader_left(reader) < 1) {
        return -EPROTO;
    }
    unsigned first = *reader->at++;
    if (first < 0x80 || first >= 0xe0) {
        value->kind = MSGPACK_INT;
        value->integer = first < 0x80 ? (int64_t)first : (int64_t)first - 0x100;
        return 0;
    }
    if (first < 0x90) {
        return read_count(reader, MSGPACK_MAP, first & 0x0f, 2, value);
    }
    if (first < 0xa0) {
        return read_count(reader, MSGPACK_ARRAY, first & 0x0f, 1, value);
    }
    if (first < FORMAT_FIRST) {
        return read_bytes(reader, MSGPACK_STR, first & 0x1f, value);
    }
    const struct format *format = &formats[first - FORMAT_FIRST];
    if (reader_left(reader) < format->width) {
        return -EPROTO;
    }
    uint64_t bits = 0;
    for (unsigned i = 0; i < format->width; i++) {
        bits = bits << 8 | *reader->at++;
    }
    return read_formatted(reader, format, bits, value);
}

int msgpack_read(struct msgpack_reader *reader, struct msgpack_value *ret_value)
{
    struct msgpack_reader ahead = *reader;
    struct msgpack_value value = {.kind = MSGPACK_NIL};
    int r = read_token(&ahead, &value);
    if (r < 0) {
        return r;
    }
    *reader = ahead;
    *ret_value = value;
    return 0;
}

bool msgpack_is_ext(const struct msgpack_reader *reader)
{
    unsigned first = reader_left(reader) > 0 ? *reader->at : 0;
    return (first >= 0xc7 && first <= 0xc9) || (first >= 0xd4 && first <= 0xd8);
}

int msgpack_read_ext(struct msgpack_reader *reader, struct msgpack_ext *ret_ext)
{
    const unsigned char *at = reader->at;
    size_t left = reader_left(reader);
    if (!msgpack_is_ext(reader)) {
        return -EPROTO;
    }
    bool is_fixed = *at >= 0xd4;
    unsigned width = is_fixed ? 0 : 1U << (*at - 0xc7);
    uint64_t len = is_fixed ? 1U << (*at - 0xd4) : 0;
    if (left < 2 + (size_t)width) {
        return -EPROTO;
    }
    for (unsigned i = 1; i <= width; i++) {
        len = len << 8 | at[i];
    }
    if (len > left - 2 - width) {
        return -EPROTO;
    }
    *ret_ext = (struct msgpack_ext){at[1 + width], at + 2 + width, (size_t)len};
    reader->at = ret_ext->data + ret_ext->len;
    return 0;
}

int msgpack_skip(struct msgpack_reader *reader)
{
    struct msgpack_reader ahead = *reader;
    uint64_t left[MSGPACK_DEPTH_MAX + 1] = {1}; /* values still to skip on each level */
    unsigned depth = 0;
    for (;;) {
        while (left[depth] == 0) {
            if (depth-- == 0) {
                *reader = ahead;
                return 0;
            }
        }
        left[depth]--;
        struct msgpack_value value;
        int r = msgpack_read(&ahead, &value);
        if (r < 0) {
            return r;
        }
        if (value.kind == MSGPACK_ARRAY || value.kind == MSGPACK_MAP) {
            if (depth == MSGPACK_DEPTH_MAX) {
                return -EPROTO;
            }
            left[++depth] = value.kind == MSGPACK_MAP ? 2 * (uint64_t)value.count : value.count;
        }
    }
}

int msgpack_expect(struct msgpack_reader *reader, enum msgpack_kind kind,
                   struct msgpack_value *ret_value)
{
    struct msgpack_reader ahead = *reader;
    struct msgpack_value value;
    int r = msgpack_read(&ahead, &value);
    if (r < 0) {
        return r;
    }
    if (kind == MSGPACK_FLOAT && value.kind == MSGPACK_INT) {
        value.kind = MSGPACK_FLOAT;
        value.number = (double)value.integer;
    }
    if (value.kind != kind) {
        return -EPROTO;
    }
    *reader = ahead;
    *ret_value = value;
    return 0;
}
