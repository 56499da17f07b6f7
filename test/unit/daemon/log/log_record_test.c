/* Records of workers: what is read, what is refused. */
#include "daemon/log/log_record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/msgpack.h"

/* A record as a worker writes it, with count fields "kN" = N. */
static struct msgpack_writer write_record(int64_t level, int64_t wall_us, int64_t dropped,
                                          uint32_t count)
{
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, 65536);
    msgpack_write_array(&writer, 5);
    msgpack_write_int(&writer, level);
    msgpack_write_int(&writer, wall_us);
    msgpack_write_int(&writer, dropped);
    msgpack_write_text(&writer, "hello");
    msgpack_write_map(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        msgpack_write_text(&writer, "key");
        msgpack_write_int(&writer, i);
    }
    return writer;
}

static int decode(const struct msgpack_writer *writer, struct log_record *record, uint64_t *dropped)
{
    struct fsd_err err = {""};
    int error = log_record_decode(writer->data, writer->len, record, dropped, &err);
    assert_int_equal(error < 0, err.text[0] != '\0');
    return error;
}

static void a_record_is_read_with_every_kind_of_value(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, 4096);
    msgpack_write_array(&writer, 5);
    msgpack_write_int(&writer, LOG_LEVEL_WARNING);
    msgpack_write_int(&writer, 123456);
    msgpack_write_int(&writer, 7);
    msgpack_write_text(&writer, "it happened");
    msgpack_write_map(&writer, 5);
    msgpack_write_text(&writer, "n");
    msgpack_write_nil(&writer);
    msgpack_write_text(&writer, "b");
    msgpack_write_bool(&writer, true);
    msgpack_write_text(&writer, "i");
    msgpack_write_int(&writer, -5);
    msgpack_write_text(&writer, "f");
    msgpack_write_float(&writer, 0.5);
    msgpack_write_text(&writer, "t");
    msgpack_write_text(&writer, "word");
    struct log_record record;
    uint64_t dropped = 0;
    assert_int_equal(decode(&writer, &record, &dropped), 0);
    assert_int_equal(record.level, LOG_LEVEL_WARNING);
    assert_int_equal(record.wall_us, 123456);
    assert_int_equal(dropped, 7);
    assert_int_equal(record.message_len, 11);
    assert_memory_equal(record.message, "it happened", 11);
    assert_int_equal(record.field_count, 5);
    assert_int_equal(record.fields[0].kind, LOG_VALUE_NIL);
    assert_int_equal(record.fields[1].integer, 1);
    assert_int_equal(record.fields[2].integer, -5);
    assert_true(record.fields[3].number == 0.5);
    assert_memory_equal(record.fields[4].text, "word", 4);
    msgpack_writer_fini(&writer);
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    static const int64_t cases[][3] = {
        {2, 1, 0}, {8, 1, 0}, {-1, 1, 0}, {INT64_MAX, 1, 0}, {6, -1, 0}, {6, 1, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_writer writer = write_record(cases[i][0], cases[i][1], cases[i][2], 0);
        struct log_record record;
        uint64_t dropped;
        assert_true(decode(&writer, &record, &dropped) < 0);
        msgpack_writer_fini(&writer);
    }
}

/* A record whose item at wrong (0 to 4; 5: the array itself, 6: a field's key) is of another kind than it should be. */
static struct msgpack_writer write_wrong(int wrong)
{
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, 4096);
    if (wrong == 5) {
        msgpack_write_map(&writer, 5);
        return writer;
    }
    msgpack_write_array(&writer, 5);
    for (int item = 0; item < 3; item++) {
        if (item == wrong) {
            msgpack_write_text(&writer, "5");
        } else {
            msgpack_write_int(&writer, LOG_LEVEL_INFO);
        }
    }
    if (wrong == 3) {
        msgpack_write_int(&writer, 1);
    } else {
        msgpack_write_text(&writer, "message");
    }
    if (wrong == 4) {
        msgpack_write_array(&writer, 0);
        return writer;
    }
    msgpack_write_map(&writer, 1);
    if (wrong == 6) {
        msgpack_write_int(&writer, 1);
    } else {
        msgpack_write_text(&writer, "key");
    }
    msgpack_write_int(&writer, 1);
    return writer;
}

static void an_item_of_another_kind_is_refused(void **state)
{
    (void)state;
    struct log_record record;
    uint64_t dropped;
    for (int wrong = 0; wrong <= 7; wrong++) {
        struct msgpack_writer writer = write_wrong(wrong);
        assert_int_equal(decode(&writer, &record, &dropped), wrong == 7 ? 0 : -EPROTO);
        msgpack_writer_fini(&writer);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct msgpack_writer writer = write_record(6, 1, 0, 3);
    for (size_t len = 0; len < writer.len; len++) {
        struct log_record record;
        uint64_t dropped;
        assert_true(log_record_decode(writer.data, len, &record, &dropped, NULL) < 0);
    }
    msgpack_writer_fini(&writer);
}

static void bytes_behind_the_record_are_refused(void **state)
{
    (void)state;
    struct msgpack_writer writer = write_record(6, 1, 0, 0);
    msgpack_write_nil(&writer);
    struct log_record record;
    uint64_t dropped;
    assert_true(decode(&writer, &record, &dropped) < 0);
    msgpack_writer_fini(&writer);
}

static void a_nested_value_is_refused(void **state)
{
    (void)state;
    struct msgpack_writer writer = write_record(6, 1, 0, 0);
    writer.len--; /* the empty map */
    msgpack_write_map(&writer, 1);
    msgpack_write_text(&writer, "key");
    msgpack_write_array(&writer, 0);
    struct log_record record;
    uint64_t dropped;
    assert_true(decode(&writer, &record, &dropped) < 0);
    msgpack_writer_fini(&writer);
}

static void fields_beyond_the_limit_are_left_out(void **state)
{
    (void)state;
    struct msgpack_writer writer = write_record(6, 1, 0, LOG_FIELDS_MAX + 5);
    struct log_record record;
    uint64_t dropped;
    assert_int_equal(decode(&writer, &record, &dropped), 0);
    assert_int_equal(record.field_count, LOG_FIELDS_MAX);
    assert_int_equal(record.fields[LOG_FIELDS_MAX - 1].integer, LOG_FIELDS_MAX - 1);
    msgpack_writer_fini(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_with_every_kind_of_value),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(an_item_of_another_kind_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(bytes_behind_the_record_are_refused),
        cmocka_unit_test(a_nested_value_is_refused),
        cmocka_unit_test(fields_beyond_the_limit_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
