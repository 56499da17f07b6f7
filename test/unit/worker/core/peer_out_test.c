#include "worker/core/peer_out.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct peer_out out;
static unsigned char bytes[PEER_FRAME_MAX + 1];

static int set_up(void **state)
{
    (void)state;
    peer_out_init(&out);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    peer_out_fini(&out);
    return 0;
}

static int write_frame(size_t len)
{
    msgpack_write_raw(peer_out_begin(&out), bytes, len);
    return peer_out_end(&out);
}

static size_t waiting(void)
{
    const unsigned char *data = NULL;
    return peer_out_waiting(&out, &data);
}

static void nothing_waits_at_first(void **state)
{
    (void)state;
    const unsigned char *data = bytes;
    assert_int_equal(peer_out_waiting(&out, &data), 0);
    assert_null(data);
    assert_false(peer_out_advance(&out, 0));
}

static void frames_stand_one_behind_the_other_with_their_lengths(void **state)
{
    (void)state;
    const unsigned char *data = NULL;
    uint32_t length = 0;
    msgpack_write_raw(peer_out_begin(&out), "first", 5);
    assert_int_equal(peer_out_end(&out), 0);
    msgpack_write_raw(peer_out_begin(&out), "forgotten", 9);
    peer_out_cancel(&out);
    msgpack_write_raw(peer_out_begin(&out), "second", 6);
    assert_int_equal(peer_out_end(&out), 0);
    assert_int_equal(peer_out_waiting(&out, &data), 19);
    memcpy(&length, data, sizeof(length));
    assert_int_equal(length, 5);
    assert_memory_equal(data + 4, "first", 5);
    memcpy(&length, data + 9, sizeof(length));
    assert_int_equal(length, 6);
    assert_memory_equal(data + 13, "second", 6);
}

static void what_was_sent_waits_no_more(void **state)
{
    (void)state;
    const unsigned char *data = NULL;
    for (unsigned i = 0; i < 100; i++) {
        bytes[0] = (unsigned char)i;
        assert_int_equal(write_frame(96), 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(peer_out_waiting(&out, &data), (100 - i) * 100);
        assert_int_equal(data[4], i);
        assert_false(peer_out_advance(&out, 3));
        assert_false(peer_out_advance(&out, 97));
    }
    assert_int_equal(waiting(), 0);
    assert_int_equal(out.writer.len, 0);
}

static void it_is_busy_from_the_high_mark_down_to_the_low_one(void **state)
{
    (void)state;
    enum { HALF = PEER_HIGH_BYTES / 2 - PEER_LENGTH_BYTES };
    assert_int_equal(write_frame(HALF), 0);
    assert_int_equal(write_frame(HALF - 1), 0);
    assert_false(out.is_busy);
    assert_false(peer_out_advance(&out, 1));
    assert_int_equal(write_frame(1), 0);
    assert_true(out.is_busy);
    assert_false(peer_out_advance(&out, waiting() - PEER_LOW_BYTES - 1));
    assert_true(out.is_busy);
    assert_true(peer_out_advance(&out, 1));
    assert_false(out.is_busy);
    assert_false(peer_out_advance(&out, 1));
}

static void a_busy_one_takes_more_until_there_is_no_sense_in_it(void **state)
{
    (void)state;
    unsigned frames = 0;
    int error = 0;
    while ((error = write_frame(PEER_FRAME_MAX)) == 0) {
        frames++;
    }
    assert_int_equal(error, -ENOBUFS);
    assert_int_equal(frames, PEER_OUT_MAX / (PEER_FRAME_MAX + PEER_LENGTH_BYTES));
    assert_int_equal(waiting(), frames * (PEER_FRAME_MAX + PEER_LENGTH_BYTES));
    assert_int_equal(write_frame(10), 0);
    assert_true(peer_out_advance(&out, waiting()));
    assert_int_equal(out.writer.capacity, 0);
    assert_int_equal(write_frame(10), 0);
}

static void a_frame_that_is_too_long_is_forgotten(void **state)
{
    (void)state;
    assert_int_equal(write_frame(1), 0);
    assert_int_equal(write_frame(sizeof(bytes)), -EMSGSIZE);
    assert_int_equal(waiting(), 5);
    assert_int_equal(write_frame(1), 0);
    assert_int_equal(waiting(), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_waits_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frames_stand_one_behind_the_other_with_their_lengths,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_sent_waits_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_busy_from_the_high_mark_down_to_the_low_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_busy_one_takes_more_until_there_is_no_sense_in_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_frame_that_is_too_long_is_forgotten, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
