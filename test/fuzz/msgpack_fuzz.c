/* sources: common/msgpack.c common/msgpack_read.c | */
/* Whatever the bytes, the reader ends without a step outside; what it accepts is written again and
 * must be read as the same tokens. */
#include "common/msgpack.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_token(struct msgpack_writer *writer, const struct msgpack_value *value)
{
    switch (value->kind) {
    case MSGPACK_NIL:
        msgpack_write_nil(writer);
        return;
    case MSGPACK_BOOL:
        msgpack_write_bool(writer, value->boolean);
        return;
    case MSGPACK_INT:
        msgpack_write_int(writer, value->integer);
        return;
    case MSGPACK_FLOAT:
        msgpack_write_float(writer, value->number);
        return;
    case MSGPACK_STR:
        msgpack_write_str(writer, value->bytes, value->len);
        return;
    case MSGPACK_BIN:
        msgpack_write_bin(writer, value->bytes, value->len);
        return;
    case MSGPACK_ARRAY:
        msgpack_write_array(writer, value->count);
        return;
    case MSGPACK_MAP:
        msgpack_write_map(writer, value->count);
        return;
    }
    abort();
}

static void check_token(struct msgpack_reader *reader, const struct msgpack_value *value)
{
    struct msgpack_value again;
    if (msgpack_read(reader, &again) != 0 || again.kind != value->kind ||
        again.boolean != value->boolean || again.integer != value->integer ||
        again.count != value->count || again.len != value->len ||
        (value->len > 0 && memcmp(again.bytes, value->bytes, value->len) != 0)) {
        abort();
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, data, size);
    if (msgpack_skip(&reader) != 0) {
        struct msgpack_value value;
        while (msgpack_read(&reader, &value) == 0) {
        }
        return 0;
    }
    const unsigned char *end = reader.at;
    struct msgpack_writer writer;
    struct msgpack_value value;
    msgpack_writer_init(&writer, SIZE_MAX);
    msgpack_reader_init(&reader, data, (size_t)(end - data));
    while (msgpack_read(&reader, &value) == 0) {
        write_token(&writer, &value);
    }
    unsigned char *bytes = NULL;
    size_t len = 0;
    if (reader.at != end || msgpack_writer_take(&writer, &bytes, &len) != 0) {
        abort();
    }
    struct msgpack_reader copy;
    msgpack_reader_init(&reader, data, (size_t)(end - data));
    msgpack_reader_init(&copy, bytes, len);
    while (msgpack_read(&reader, &value) == 0) {
        check_token(&copy, &value);
    }
    free(bytes);
    return 0;
}
