#include "common/msgpack.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOMY_BYTES = 1 << 20 };

static void assert_written(struct msgpack_writer *writer, const void *expected, size_t expected_len)
{
    unsigned char *data = NULL;
    size_t len = 0;
    assert_int_equal(msgpack_writer_take(writer, &data, &len), 0);
    assert_int_equal(len, expected_len);
    assert_memory_equal(data, expected, expected_len);
    free(data);
}

static void integers_take_the_shortest_form_and_come_back(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        size_t len;
        unsigned char bytes[9];
    } cases[] = {
        {0, 1, {0x00}},
        {1, 1, {0x01}},
        {127, 1, {0x7f}},
        {128, 2, {0xcc, 0x80}},
        {255, 2, {0xcc, 0xff}},
        {256, 3, {0xcd, 0x01, 0x00}},
        {65535, 3, {0xcd, 0xff, 0xff}},
        {65536, 5, {0xce, 0x00, 0x01, 0x00, 0x00}},
        {4294967295, 5, {0xce, 0xff, 0xff, 0xff, 0xff}},
        {4294967296, 9, {0xcf, 0, 0, 0, 1, 0, 0, 0, 0}},
        {INT64_MAX, 9, {0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
        {-1, 1, {0xff}},
        {-32, 1, {0xe0}},
        {-33, 2, {0xd0, 0xdf}},
        {-128, 2, {0xd0, 0x80}},
        {-129, 3, {0xd1, 0xff, 0x7f}},
        {-32768, 3, {0xd1, 0x80, 0x00}},
        {-32769, 5, {0xd2, 0xff, 0xff, 0x7f, 0xff}},
        {INT32_MIN, 5, {0xd2, 0x80, 0, 0, 0}},
        {(int64_t)INT32_MIN - 1, 9, {0xd3, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff}},
        {INT64_MIN, 9, {0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_writer writer;
        msgpack_writer_init(&writer, ROOMY_BYTES);
        msgpack_write_int(&writer, cases[i].value);
        assert_written(&writer, cases[i].bytes, cases[i].len);

        struct msgpack_reader reader;
        struct msgpack_value value;
        msgpack_reader_init(&reader, cases[i].bytes, cases[i].len);
        assert_int_equal(msgpack_read(&reader, &value), 0);
        assert_int_equal(value.kind, MSGPACK_INT);
        assert_true(value.integer == cases[i].value);
        assert_ptr_equal(reader.at, reader.end);
    }
}

/* A head with len bytes, elements or pairs of zeroes behind it, as written and read again. */
static void check_head(enum msgpack_kind kind, uint32_t len, const unsigned char *head,
                       size_t head_len)
{
    static const char zeroes[2 * 65536];
    struct msgpack_writer writer;
    size_t body_len = kind == MSGPACK_MAP ? 2 * (size_t)len : len;
    msgpack_writer_init(&writer, ROOMY_BYTES);
    if (kind == MSGPACK_STR) {
        msgpack_write_str(&writer, zeroes, len);
    } else if (kind == MSGPACK_BIN) {
        msgpack_write_bin(&writer, zeroes, len);
    } else if (kind == MSGPACK_ARRAY) {
        msgpack_write_array(&writer, len);
        msgpack_write_raw(&writer, zeroes, body_len);
    } else {
        msgpack_write_map(&writer, len);
        msgpack_write_raw(&writer, zeroes, body_len);
    }
    unsigned char *data = NULL;
    size_t data_len = 0;
    assert_int_equal(msgpack_writer_take(&writer, &data, &data_len), 0);
    assert_int_equal(data_len, head_len + body_len);
    assert_memory_equal(data, head, head_len);

    struct msgpack_reader reader;
    struct msgpack_value value;
    bool is_container = kind == MSGPACK_ARRAY || kind == MSGPACK_MAP;
    msgpack_reader_init(&reader, data, data_len);
    assert_int_equal(msgpack_read(&reader, &value), 0);
    assert_int_equal(value.kind, kind);
    assert_int_equal(is_container ? value.count : value.len, len);
    assert_true(is_container || value.bytes == (const char *)data + head_len);
    msgpack_reader_init(&reader, data, data_len);
    assert_int_equal(msgpack_skip(&reader), 0);
    assert_ptr_equal(reader.at, reader.end);
    free(data);
}

static void heads_of_strings_and_containers_take_the_shortest_form(void **state)
{
    (void)state;
    static const struct {
        enum msgpack_kind kind;
        uint32_t len;
        size_t head_len;
        unsigned char head[5];
    } cases[] = {
        {MSGPACK_STR, 0, 1, {0xa0}},
        {MSGPACK_STR, 31, 1, {0xbf}},
        {MSGPACK_STR, 32, 2, {0xd9, 32}},
        {MSGPACK_STR, 255, 2, {0xd9, 255}},
        {MSGPACK_STR, 256, 3, {0xda, 1, 0}},
        {MSGPACK_STR, 65535, 3, {0xda, 0xff, 0xff}},
        {MSGPACK_STR, 65536, 5, {0xdb, 0, 1, 0, 0}},
        {MSGPACK_BIN, 0, 2, {0xc4, 0}},
        {MSGPACK_BIN, 255, 2, {0xc4, 255}},
        {MSGPACK_BIN, 256, 3, {0xc5, 1, 0}},
        {MSGPACK_BIN, 65536, 5, {0xc6, 0, 1, 0, 0}},
        {MSGPACK_ARRAY, 0, 1, {0x90}},
        {MSGPACK_ARRAY, 15, 1, {0x9f}},
        {MSGPACK_ARRAY, 16, 3, {0xdc, 0, 16}},
        {MSGPACK_ARRAY, 65535, 3, {0xdc, 0xff, 0xff}},
        {MSGPACK_ARRAY, 65536, 5, {0xdd, 0, 1, 0, 0}},
        {MSGPACK_MAP, 0, 1, {0x80}},
        {MSGPACK_MAP, 15, 1, {0x8f}},
        {MSGPACK_MAP, 16, 3, {0xde, 0, 16}},
        {MSGPACK_MAP, 65535, 3, {0xde, 0xff, 0xff}},
        {MSGPACK_MAP, 65536, 5, {0xdf, 0, 1, 0, 0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_head(cases[i].kind, cases[i].len, cases[i].head, cases[i].head_len);
    }
}

static void a_record_of_every_kind_comes_back(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, ROOMY_BYTES);
    msgpack_write_map(&writer, 3);
    msgpack_write_text(&writer, "on");
    msgpack_write_bool(&writer, true);
    msgpack_write_text(&writer, "off");
    msgpack_write_bool(&writer, false);
    msgpack_write_text(&writer, "list");
    msgpack_write_array(&writer, 3);
    msgpack_write_text(&writer, NULL);
    msgpack_write_float(&writer, -1.5);
    msgpack_write_bin(&writer, "\0x", 2);
    unsigned char *data = NULL;
    size_t len = 0;
    assert_int_equal(msgpack_writer_take(&writer, &data, &len), 0);

    struct msgpack_reader reader;
    struct msgpack_value value;
    msgpack_reader_init(&reader, data, len);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_MAP, &value), 0);
    assert_int_equal(value.count, 3);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_STR, &value), 0);
    assert_memory_equal(value.bytes, "on", 2);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_BOOL, &value), 0);
    assert_true(value.boolean);
    assert_int_equal(msgpack_skip(&reader), 0);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_BOOL, &value), 0);
    assert_false(value.boolean);
    assert_int_equal(msgpack_skip(&reader), 0);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_ARRAY, &value), 0);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_NIL, &value), 0);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_FLOAT, &value), 0);
    assert_true(value.number == -1.5);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_BIN, &value), 0);
    assert_int_equal(value.len, 2);
    assert_memory_equal(value.bytes, "\0x", 2);
    assert_int_equal(msgpack_read(&reader, &value), -EPROTO);
    free(data);
}

static void floats_of_both_widths_are_read(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        unsigned char bytes[9];
        double value;
    } cases[] = {
        {5, {0xca, 0x3f, 0xc0, 0, 0}, 1.5},
        {5, {0xca, 0xff, 0x80, 0, 0}, -INFINITY},
        {9, {0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0}, 1.5},
        {9, {0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0}, -0.0},
        {9, {0xcb, 0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 1.7976931348623157e308},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_reader reader;
        struct msgpack_value value;
        msgpack_reader_init(&reader, cases[i].bytes, cases[i].len);
        assert_int_equal(msgpack_read(&reader, &value), 0);
        assert_int_equal(value.kind, MSGPACK_FLOAT);
        assert_memory_equal(&value.number, &cases[i].value, sizeof(double));
    }
}

static void longer_forms_than_needed_are_read_too(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        unsigned char bytes[9];
        int64_t value;
    } cases[] = {
        {9, {0xcf, 0, 0, 0, 0, 0, 0, 0, 5}, 5},
        {9, {0xd3, 0, 0, 0, 0, 0, 0, 0, 5}, 5},
        {5, {0xd2, 0xff, 0xff, 0xff, 0xff}, -1},
        {2, {0xd0, 0x05}, 5},
        {3, {0xd1, 0xff, 0xfe}, -2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_reader reader;
        struct msgpack_value value;
        msgpack_reader_init(&reader, cases[i].bytes, cases[i].len);
        assert_int_equal(msgpack_read(&reader, &value), 0);
        assert_int_equal(value.integer, cases[i].value);
    }
}

static void malformed_bytes_are_refused_and_leave_the_reader_where_it_was(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t len;
        unsigned char bytes[10];
    } cases[] = {
        {"nothing", 0, {0}},
        {"never used", 1, {0xc1}},
        {"ext 8", 4, {0xc7, 1, 1, 1}},
        {"ext 16", 5, {0xc8, 0, 1, 1, 1}},
        {"ext 32", 7, {0xc9, 0, 0, 0, 1, 1, 1}},
        {"fixext 1", 3, {0xd4, 1, 1}},
        {"fixext 2", 4, {0xd5, 1, 1, 1}},
        {"fixext 4", 6, {0xd6, 1, 1, 1, 1, 1}},
        {"fixext 8", 10, {0xd7, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
        {"fixext 16", 10, {0xd8, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
        {"unsigned above INT64_MAX", 9, {0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0}},
        {"uint 8 without value", 1, {0xcc}},
        {"uint 64 cut", 8, {0xcf, 0, 0, 0, 0, 0, 0, 0}},
        {"int 16 cut", 2, {0xd1, 0}},
        {"float 32 cut", 4, {0xca, 0, 0, 0}},
        {"float 64 cut", 8, {0xcb, 0, 0, 0, 0, 0, 0, 0}},
        {"fixstr longer than the rest", 3, {0xa3, 'a', 'b'}},
        {"str 8 without length", 1, {0xd9}},
        {"str 32 longer than the rest", 6, {0xdb, 0xff, 0xff, 0xff, 0xff, 'a'}},
        {"bin 16 longer than the rest", 4, {0xc5, 0, 2, 'a'}},
        {"fixarray longer than the rest", 2, {0x92, 0}},
        {"array 32 of 4G", 5, {0xdd, 0xff, 0xff, 0xff, 0xff}},
        {"fixmap longer than the rest", 4, {0x82, 0, 0, 0}},
        {"map 16 longer than the rest", 4, {0xde, 0, 1, 0}},
        {"map 32 of 4G", 6, {0xdf, 0xff, 0xff, 0xff, 0xff, 0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_reader reader;
        struct msgpack_value value = {.kind = MSGPACK_BIN, .count = 77};
        msgpack_reader_init(&reader, cases[i].bytes, cases[i].len);
        const struct msgpack_reader before = reader;
        if (msgpack_read(&reader, &value) != -EPROTO || msgpack_skip(&reader) != -EPROTO) {
            fail_msg("\"%s\" was accepted", cases[i].name);
        }
        assert_memory_equal(&reader, &before, sizeof(reader));
        assert_int_equal(value.count, 77);
    }
}

static void expect_refuses_another_kind_without_consuming_it(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {0x05, 0xa1, 'x'};
    struct msgpack_reader reader;
    struct msgpack_value value;
    msgpack_reader_init(&reader, bytes, sizeof(bytes));
    assert_int_equal(msgpack_expect(&reader, MSGPACK_STR, &value), -EPROTO);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_FLOAT, &value), 0);
    assert_int_equal(value.kind, MSGPACK_FLOAT);
    assert_true(value.number == 5.0);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_INT, &value), -EPROTO);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_BIN, &value), -EPROTO);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_STR, &value), 0);
}

static void skip_passes_one_nested_value_and_stops_behind_it(void **state)
{
    (void)state;
    /* {"a": [1, {}, []], "b": nil} true */
    static const unsigned char bytes[] = {0x82, 0xa1, 'a', 0x93, 1,   0x80,
                                          0x90, 0xa1, 'b', 0xc0, 0xc3};
    struct msgpack_reader reader;
    struct msgpack_value value;
    msgpack_reader_init(&reader, bytes, sizeof(bytes));
    assert_int_equal(msgpack_skip(&reader), 0);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_BOOL, &value), 0);
    assert_ptr_equal(reader.at, reader.end);
    for (size_t len = 0; len < sizeof(bytes) - 1; len++) {
        msgpack_reader_init(&reader, bytes, len);
        assert_int_equal(msgpack_skip(&reader), -EPROTO);
        assert_ptr_equal(reader.at, bytes);
    }
}

static void skip_refuses_more_levels_than_the_limit(void **state)
{
    (void)state;
    unsigned char bytes[MSGPACK_DEPTH_MAX + 2];
    memset(bytes, 0x91, sizeof(bytes));
    bytes[MSGPACK_DEPTH_MAX] = 0x01;
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, bytes, MSGPACK_DEPTH_MAX + 1);
    assert_int_equal(msgpack_skip(&reader), 0);
    assert_ptr_equal(reader.at, reader.end);
    bytes[MSGPACK_DEPTH_MAX] = 0x91;
    bytes[MSGPACK_DEPTH_MAX + 1] = 0x01;
    msgpack_reader_init(&reader, bytes, sizeof(bytes));
    assert_int_equal(msgpack_skip(&reader), -EPROTO);
}

static void writer_keeps_its_first_failure_and_ignores_later_writes(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, 8);
    msgpack_write_text(&writer, "abcdefg");
    assert_int_equal(writer.error, 0);
    msgpack_write_nil(&writer);
    assert_int_equal(writer.error, -EMSGSIZE);
    assert_int_equal(writer.len, 8);
    unsigned char untouched[] = "untouched";
    unsigned char *data = untouched;
    size_t len = 77;
    assert_int_equal(msgpack_writer_take(&writer, &data, &len), -EMSGSIZE);
    assert_ptr_equal(data, untouched);
    assert_int_equal(len, 77);

    msgpack_write_nil(&writer); /* taken: empty and usable again, with the same limit */
    assert_written(&writer, "\xc0", 1);
    msgpack_write_raw(&writer, "123456789", 9);
    assert_int_equal(writer.error, -EMSGSIZE);
    msgpack_writer_fini(&writer);
    msgpack_writer_fini(&writer);
    msgpack_writer_fini(NULL);
}

static void writer_grows_to_exactly_its_maximum(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, 1000);
    for (int i = 0; i < 1000; i++) {
        msgpack_write_int(&writer, i % 128);
    }
    assert_int_equal(writer.error, 0);
    assert_int_equal(writer.len, 1000);
    assert_int_equal(writer.capacity, 1000);
    assert_int_equal(writer.data[999], 999 % 128);
    msgpack_write_int(&writer, 1);
    assert_int_equal(writer.error, -EMSGSIZE);
    msgpack_writer_fini(&writer);
}

static void lengths_beyond_32_bits_are_refused_before_anything_is_read(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, SIZE_MAX);
    msgpack_write_str(&writer, "x", (size_t)UINT32_MAX + 1);
    assert_int_equal(writer.error, -EMSGSIZE);
    msgpack_write_bin(&writer, "x", (size_t)UINT32_MAX + 1);
    assert_int_equal(writer.error, -EMSGSIZE);
    assert_int_equal(writer.len, 0);
    msgpack_writer_fini(&writer);
}

static void nothing_written_is_taken_as_no_bytes(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, ROOMY_BYTES);
    msgpack_write_raw(&writer, NULL, 0);
    unsigned char untouched[] = "untouched";
    unsigned char *data = untouched;
    size_t len = 77;
    assert_int_equal(msgpack_writer_take(&writer, &data, &len), 0);
    assert_null(data);
    assert_int_equal(len, 0);
}

static void an_ext_of_any_length_comes_back(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        size_t head;
    } lengths[] = {{0, 3},  {1, 2},  {2, 2},   {3, 3},   {4, 2},
                   {16, 2}, {17, 3}, {255, 3}, {256, 4}, {70000, 6}};
    static const unsigned char data[70000] = {1, 2, 3};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct msgpack_writer writer;
        struct msgpack_reader reader;
        struct msgpack_ext ext = {0};
        msgpack_writer_init(&writer, 100000);
        msgpack_write_ext(&writer, 42, data, lengths[i].len);
        assert_int_equal(writer.error, 0);
        assert_int_equal(writer.len, lengths[i].head + lengths[i].len);
        msgpack_reader_init(&reader, writer.data, writer.len);
        assert_true(msgpack_is_ext(&reader));
        assert_int_equal(msgpack_read_ext(&reader, &ext), 0);
        assert_int_equal(ext.type, 42);
        assert_int_equal(ext.len, lengths[i].len);
        assert_memory_equal(ext.data, data, ext.len);
        assert_ptr_equal(reader.at, reader.end);
        for (size_t len = 0; len < writer.len; len += 1 + len / 64) {
            msgpack_reader_init(&reader, writer.data, len);
            assert_int_equal(msgpack_read_ext(&reader, &ext), -EPROTO);
            assert_ptr_equal(reader.at, writer.data);
        }
        msgpack_writer_fini(&writer);
    }
}

static void an_ext_is_put_around_what_is_written(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    struct msgpack_reader reader;
    struct msgpack_ext ext = {0};
    msgpack_writer_init(&writer, 12);
    msgpack_write_nil(&writer);
    size_t position = msgpack_begin_ext(&writer, 7);
    msgpack_write_str(&writer, "four", 4);
    msgpack_end_ext(&writer, position);
    msgpack_reader_init(&reader, writer.data, writer.len);
    assert_int_equal(msgpack_read_ext(&reader, &ext), -EPROTO);
    reader.at++;
    assert_int_equal(msgpack_read_ext(&reader, &ext), 0);
    assert_int_equal(ext.type, 7);
    assert_int_equal(ext.len, 5);
    assert_memory_equal(ext.data,
                        "\xa4"
                        "four",
                        5);
    position = msgpack_begin_ext(&writer, 7);
    assert_int_equal(writer.error, -EMSGSIZE);
    msgpack_end_ext(&writer, position);
    assert_int_equal(writer.len, 12);
    msgpack_writer_fini(&writer);
}

static void an_ext_longer_than_32_bits_is_refused(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, SIZE_MAX);
    msgpack_write_ext(&writer, 1, "x", (size_t)UINT32_MAX + 1);
    assert_int_equal(writer.error, -EMSGSIZE);
    assert_int_equal(writer.len, 0);
    msgpack_writer_fini(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_take_the_shortest_form_and_come_back),
        cmocka_unit_test(heads_of_strings_and_containers_take_the_shortest_form),
        cmocka_unit_test(a_record_of_every_kind_comes_back),
        cmocka_unit_test(floats_of_both_widths_are_read),
        cmocka_unit_test(longer_forms_than_needed_are_read_too),
        cmocka_unit_test(malformed_bytes_are_refused_and_leave_the_reader_where_it_was),
        cmocka_unit_test(expect_refuses_another_kind_without_consuming_it),
        cmocka_unit_test(skip_passes_one_nested_value_and_stops_behind_it),
        cmocka_unit_test(skip_refuses_more_levels_than_the_limit),
        cmocka_unit_test(writer_keeps_its_first_failure_and_ignores_later_writes),
        cmocka_unit_test(writer_grows_to_exactly_its_maximum),
        cmocka_unit_test(lengths_beyond_32_bits_are_refused_before_anything_is_read),
        cmocka_unit_test(nothing_written_is_taken_as_no_bytes),
        cmocka_unit_test(an_ext_of_any_length_comes_back),
        cmocka_unit_test(an_ext_is_put_around_what_is_written),
        cmocka_unit_test(an_ext_longer_than_32_bits_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
