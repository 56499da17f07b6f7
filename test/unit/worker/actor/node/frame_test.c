#include "worker/actor/node/frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/msgpack.h"

static const struct row {
    enum frame_kind kind;
    size_t head;
    int has_to, has_from, has_ref, has_payload;
} rows[] = {
    {FRAME_SEND, 13, 1, 0, 0, 1},      {FRAME_CAST, 13, 1, 0, 0, 1},
    {FRAME_CALL, 21, 1, 0, 1, 1},      {FRAME_ANSWER, 9, 0, 0, 1, 1},
    {FRAME_FAIL, 9, 0, 0, 1, 1},       {FRAME_EXIT, 25, 1, 1, 0, 1},
    {FRAME_LINK, 25, 1, 1, 0, 0},      {FRAME_UNLINK, 33, 1, 1, 1, 0},
    {FRAME_LINK_EXIT, 25, 1, 1, 0, 1}, {FRAME_MONITOR, 33, 1, 1, 1, 0},
    {FRAME_DEMONITOR, 33, 1, 1, 1, 0}, {FRAME_DOWN, 33, 1, 1, 1, 1},
    {FRAME_FORGET, 21, 1, 0, 1, 0},    {FRAME_CREDIT, 21, 0, 1, 1, 0},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

static const struct frame full = {
    .to = {UINT32_MAX, UINT64_MAX}, .from = {7, 1ULL << 40}, .ref = UINT64_MAX - 1};

static struct msgpack_writer writer;

static int set_up(void **state)
{
    (void)state;
    msgpack_writer_init(&writer, 1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    msgpack_writer_fini(&writer);
    return 0;
}

static void write_frame(const struct row *row)
{
    struct frame frame = full;
    frame.kind = row->kind;
    writer.len = 0;
    frame_write(&writer, &frame);
    assert_int_equal(writer.len, row->head);
    if (row->has_payload) {
        msgpack_write_str(&writer, "hello", 5);
    }
}

static void what_a_kind_has_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct row *row = &rows[i];
        struct frame frame;
        write_frame(row);
        assert_int_equal(frame_read(writer.data, writer.len, &frame), 0);
        assert_int_equal(frame.kind, row->kind);
        assert_int_equal(frame.to.index, row->has_to ? full.to.index : 0);
        assert_int_equal(frame.to.serial, row->has_to ? full.to.serial : 0);
        assert_int_equal(frame.from.index, row->has_from ? full.from.index : 0);
        assert_int_equal(frame.from.serial, row->has_from ? full.from.serial : 0);
        assert_int_equal(frame.ref, row->has_ref ? full.ref : 0);
        assert_int_equal(frame.len, row->has_payload ? 6 : 0);
        if (row->has_payload) {
            assert_memory_equal(frame.payload, "\xa5hello", 6);
        } else {
            assert_null(frame.payload);
        }
    }
}

static void a_frame_that_is_cut_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct frame frame = {.ref = 77};
        write_frame(&rows[i]);
        size_t least = rows[i].head + (size_t)rows[i].has_payload;
        for (size_t len = 0; len < least; len++) {
            assert_int_equal(frame_read(writer.data, len, &frame), -EPROTO);
        }
        assert_int_equal(frame.ref, 77);
    }
}

static void a_payload_where_none_belongs_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct frame frame;
        if (!rows[i].has_payload) {
            write_frame(&rows[i]);
            msgpack_write_nil(&writer);
            assert_int_equal(frame_read(writer.data, writer.len, &frame), -EPROTO);
        }
    }
}

static void an_unknown_kind_is_refused(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind <= UINT8_MAX; kind++) {
        unsigned char bytes[100] = {(unsigned char)kind};
        struct frame frame;
        if (kind < FRAME_SEND || kind > FRAME_CREDIT) {
            assert_int_equal(frame_read(bytes, sizeof(bytes), &frame), -EPROTO);
        }
    }
}

static void a_credit_fits_into_a_ref(void **state)
{
    (void)state;
    const struct frame_credit all[] = {{0, 0}, {1, 5}, {UINT16_MAX, (1ULL << 48) - 1}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct frame_credit credit = frame_unpack_credit(frame_pack_credit(&all[i]));
        assert_int_equal(credit.count, all[i].count);
        assert_int_equal(credit.bytes, all[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_kind_has_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_frame_that_is_cut_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_payload_where_none_belongs_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_kind_is_refused, set_up, tear_down),
        cmocka_unit_test(a_credit_fits_into_a_ref),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
