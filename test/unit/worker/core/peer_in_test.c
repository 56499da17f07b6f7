#include "worker/core/peer_in.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/core/peer_out.h"

enum { STREAM_BYTES = 6 << 20 };

static struct peer_in in;
static struct peer_out out;

static int set_up(void **state)
{
    (void)state;
    peer_in_init(&in);
    peer_out_init(&out);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    peer_in_fini(&in);
    peer_out_fini(&out);
    return 0;
}

static void feed(const void *data, size_t len)
{
    size_t room = 0;
    unsigned char *at = peer_in_room(&in, &room);
    assert_non_null(at);
    assert_in_range(len, 0, room);
    memcpy(at, data, len);
    peer_in_fill(&in, len);
}

/* Each frame is filled with the low byte of its length. */
static void write_frame(size_t len)
{
    struct msgpack_writer *writer = peer_out_begin(&out);
    unsigned char byte = (unsigned char)len;
    for (size_t i = 0; i < len; i++) {
        msgpack_write_raw(writer, &byte, 1);
    }
    assert_int_equal(peer_out_end(&out), 0);
}

static void frames_come_out_as_they_were_written_whatever_the_pieces(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 100, 65531, 65532, 65533, 65536, 200000, 3, 1 << 20, 7};
    static const size_t pieces[] = {1, 5, 4096, 65536, STREAM_BYTES};
    enum { COUNT = sizeof(lengths) / sizeof(lengths[0]) };
    for (size_t i = 0; i < COUNT; i++) {
        write_frame(lengths[i]);
    }
    for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
        const unsigned char *data = NULL;
        size_t left = peer_out_waiting(&out, &data);
        size_t frames = 0;
        while (left > 0) {
            const unsigned char *frame = NULL;
            size_t room = 0;
            size_t len = 0;
            (void)peer_in_room(&in, &room);
            size_t piece = left < pieces[p] ? left : pieces[p];
            piece = piece < room ? piece : room;
            feed(data, piece);
            data += piece;
            left -= piece;
            while (peer_in_next(&in, &frame, &len) == 1) {
                assert_in_range(frames, 0, COUNT - 1);
                assert_int_equal(len, lengths[frames++]);
                assert_int_equal(frame[0], (unsigned char)len);
                assert_int_equal(frame[len - 1], (unsigned char)len);
            }
        }
        assert_int_equal(frames, COUNT);
    }
}

static void the_room_is_small_again_behind_a_long_frame(void **state)
{
    (void)state;
    static const unsigned char zeros[PEER_IN_BYTES];
    const unsigned char *frame = NULL;
    size_t len = 0;
    size_t room = 0;
    uint32_t length = 2 * PEER_IN_BYTES;
    feed(&length, sizeof(length));
    assert_int_equal(peer_in_next(&in, &frame, &len), 0);
    (void)peer_in_room(&in, &room);
    assert_int_equal(room, length);
    feed(zeros, sizeof(zeros));
    feed(zeros, sizeof(zeros));
    assert_int_equal(peer_in_next(&in, &frame, &len), 1);
    assert_int_equal(len, length);
    (void)peer_in_room(&in, &room);
    assert_int_equal(room, PEER_IN_BYTES);
    assert_int_equal(in.capacity, PEER_IN_BYTES);
}

static void a_length_that_no_frame_has_is_refused(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, PEER_FRAME_MAX + 1, UINT32_MAX - 3, UINT32_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const unsigned char *frame = NULL;
        size_t len = 0;
        feed(&lengths[i], sizeof(lengths[i]));
        assert_int_equal(peer_in_next(&in, &frame, &len), -EPROTO);
        peer_in_fini(&in);
    }
}

static void the_longest_frame_is_awaited(void **state)
{
    (void)state;
    uint32_t length = PEER_FRAME_MAX;
    const unsigned char *frame = NULL;
    size_t len = 0;
    feed(&length, sizeof(length));
    assert_int_equal(peer_in_next(&in, &frame, &len), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames_come_out_as_they_were_written_whatever_the_pieces,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_room_is_small_again_behind_a_long_frame, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_length_that_no_frame_has_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_longest_frame_is_awaited, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
