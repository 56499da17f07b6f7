#include "worker/core/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"

enum { RUN_MS = 30000, PAUSE_MS = 100, LONG_BYTES = 3 << 20, STUCK_BYTES = 100 << 20 };

/* One end of a link, and what it was told. */
struct end {
    struct peer *peer;
    unsigned frames;
    unsigned frames_awaited; /* the loop stops then */
    uint64_t next;           /* number that the next frame shall carry */
    size_t last_len;
    unsigned rooms;
    unsigned gone;
    char why[64];
    bool closes; /* in its first frame */
};

static struct loop loop;
static struct timer limit;
static struct end near_end;
static struct end far_end;
static unsigned char long_frame[LONG_BYTES];

static void on_frame(struct peer *peer, const unsigned char *frame, size_t len)
{
    struct end *end = peer->data;
    uint64_t number = 0;
    end->frames++;
    end->last_len = len;
    if (len >= sizeof(number)) {
        memcpy(&number, frame, sizeof(number));
        assert_int_equal(number, end->next);
    }
    end->next++;
    if (end->closes) {
        peer_close(peer);
        end->peer = NULL;
    }
    if (end->frames == end->frames_awaited) {
        loop_stop(&loop);
    }
}

static void on_room(struct peer *peer)
{
    struct end *end = peer->data;
    end->rooms++;
    loop_stop(&loop);
}

static void on_gone(struct peer *peer, const char *why)
{
    struct end *end = peer->data;
    end->gone++;
    (void)snprintf(end->why, sizeof(end->why), "%s", why);
    loop_stop(&loop);
}

static const struct peer_events events = {on_frame, on_room, on_gone};

static void on_limit(struct timer *timer)
{
    (void)timer;
    loop_stop(&loop);
}

/* Until something stops it, or no longer than that. */
static void run_loop(unsigned ms)
{
    loop.stopping = false;
    timer_set(&loop.timers, &limit, clock_monotonic_ms() + ms, on_limit);
    loop_run(&loop, NULL);
    timer_clear(&loop.timers, &limit);
}

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
}

static int set_up(void **state)
{
    (void)state;
    limit = (struct timer){0};
    near_end = (struct end){0};
    far_end = (struct end){0};
    return loop_init(&loop);
}

static int tear_down(void **state)
{
    (void)state;
    peer_close(near_end.peer);
    peer_close(far_end.peer);
    run_loop(2); /* frees them */
    loop_fini(&loop);
    return 0;
}

static void open_both(void)
{
    int pair[2];
    make_pair(pair);
    near_end.peer = peer_open(&loop, pair[0], &events, &near_end);
    far_end.peer = peer_open(&loop, pair[1], &events, &far_end);
    assert_non_null(near_end.peer);
    assert_non_null(far_end.peer);
}

/* The other end is this test's own descriptor. */
static int open_near(void)
{
    int pair[2];
    make_pair(pair);
    near_end.peer = peer_open(&loop, pair[0], &events, &near_end);
    assert_non_null(near_end.peer);
    return pair[1];
}

static int send_number(struct peer *peer, uint64_t number)
{
    msgpack_write_raw(peer_begin(peer), &number, sizeof(number));
    return peer_end(peer);
}

static int send_long(struct peer *peer, uint64_t number)
{
    memcpy(long_frame, &number, sizeof(number));
    msgpack_write_raw(peer_begin(peer), long_frame, LONG_BYTES);
    return peer_end(peer);
}

static void frames_come_in_the_order_in_which_they_were_sent(void **state)
{
    (void)state;
    open_both();
    for (uint64_t i = 0; i < 10000; i++) {
        assert_int_equal(send_number(near_end.peer, i), 0);
        assert_int_equal(send_number(far_end.peer, i), 0);
    }
    far_end.frames_awaited = 10000;
    while (near_end.frames < 10000 || far_end.frames < 10000) {
        unsigned before = near_end.frames + far_end.frames;
        run_loop(RUN_MS);
        near_end.frames_awaited = 10000;
        assert_true(near_end.frames + far_end.frames > before);
    }
    assert_int_equal(near_end.gone + far_end.gone, 0);
}

static void the_frames_of_one_turn_leave_together(void **state)
{
    (void)state;
    int fd = open_near();
    unsigned char bytes[64];
    assert_int_equal(send_number(near_end.peer, 0), 0);
    assert_int_equal(send_number(near_end.peer, 1), 0);
    msgpack_write_raw(peer_begin(near_end.peer), "forgotten", 9);
    peer_cancel(near_end.peer);
    assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), -1);
    run_loop(2);
    assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), 24);
    (void)close(fd);
}

static void many_bytes_leave_at_once(void **state)
{
    (void)state;
    static unsigned char bytes[PEER_FLUSH_BYTES];
    int fd = open_near();
    msgpack_write_raw(peer_begin(near_end.peer), bytes, sizeof(bytes));
    assert_int_equal(peer_end(near_end.peer), 0);
    assert_true(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0);
    (void)close(fd);
}

static void long_frames_come_in_pieces(void **state)
{
    (void)state;
    open_both();
    far_end.frames_awaited = 2;
    assert_int_equal(send_long(near_end.peer, 0), 0);
    assert_int_equal(send_long(near_end.peer, 1), 0);
    while (far_end.frames < 2) {
        run_loop(RUN_MS);
        assert_int_equal(far_end.gone, 0);
    }
    assert_int_equal(far_end.last_len, LONG_BYTES);
}

static void a_frame_that_is_too_long_changes_nothing(void **state)
{
    (void)state;
    open_both();
    far_end.frames_awaited = 1;
    msgpack_write_raw(peer_begin(near_end.peer), long_frame, LONG_BYTES);
    msgpack_write_raw(&near_end.peer->out.writer, long_frame, LONG_BYTES);
    assert_int_equal(peer_end(near_end.peer), -EMSGSIZE);
    assert_int_equal(send_number(near_end.peer, 0), 0);
    run_loop(RUN_MS);
    assert_int_equal(far_end.frames, 1);
}

static void it_is_busy_until_the_other_one_has_read(void **state)
{
    (void)state;
    static unsigned char bytes[LONG_BYTES];
    int fd = open_near();
    assert_int_equal(send_long(near_end.peer, 0), 0);
    assert_true(peer_is_busy(near_end.peer));
    run_loop(2);
    assert_int_equal(near_end.rooms, 0);
    while (near_end.rooms == 0) {
        assert_true(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0);
        run_loop(20);
    }
    assert_false(peer_is_busy(near_end.peer));
    assert_int_equal(near_end.rooms, 1);
    (void)close(fd);
}

static void what_came_before_a_hang_up_is_read_and_the_end_is_told_once(void **state)
{
    (void)state;
    int fd = open_near();
    static const unsigned char frame[] = {1, 0, 0, 0, 'x', 1, 0, 0, 0, 'y', 9, 0, 0, 0, 'z'};
    assert_int_equal(send(fd, frame, sizeof(frame), 0), sizeof(frame));
    assert_int_equal(close(fd), 0);
    assert_int_equal(send_long(near_end.peer, 0), 0);
    run_loop(RUN_MS);
    assert_int_equal(near_end.frames, 2);
    assert_int_equal(near_end.gone, 1);
    assert_string_equal(near_end.why, "it has hung up");
    assert_int_equal(send_number(near_end.peer, 1), -EPIPE);
    run_loop(2);
    assert_int_equal(near_end.gone, 1);
}

static void what_is_no_frame_ends_the_link(void **state)
{
    (void)state;
    int fd = open_near();
    assert_int_equal(send(fd, "\0\0\0\0", 4, 0), 4);
    run_loop(RUN_MS);
    assert_int_equal(near_end.gone, 1);
    assert_string_equal(near_end.why, "it has sent what is no frame");
    (void)close(fd);
}

static void one_that_never_reads_is_given_up(void **state)
{
    (void)state;
    int fd = open_near();
    int error = 0;
    uint64_t count = 0;
    while (error == 0 && near_end.peer->out.writer.len < STUCK_BYTES) {
        error = send_long(near_end.peer, count++);
    }
    /* on a slow machine its patience may have ended by now, else it has some left */
    for (int i = 0; i < RUN_MS / PAUSE_MS && error == 0; i++) {
        (void)poll(NULL, 0, PAUSE_MS);
        error = send_number(near_end.peer, count++);
    }
    assert_int_equal(error, -EPIPE);
    assert_int_equal(near_end.gone, 0);
    run_loop(RUN_MS);
    assert_int_equal(near_end.gone, 1);
    assert_string_equal(near_end.why, "it does not read");
    (void)close(fd);
}

static void one_that_reads_gets_however_much_is_said_at_once(void **state)
{
    (void)state;
    open_both();
    uint64_t count = 0;
    while (near_end.peer->out.writer.len < STUCK_BYTES) {
        assert_int_equal(send_long(near_end.peer, count++), 0);
    }
    far_end.frames_awaited = (unsigned)count;
    run_loop(RUN_MS); /* until there is room again */
    run_loop(RUN_MS);
    assert_int_equal(far_end.frames, count);
    assert_int_equal(near_end.gone, 0);
}

/* A socket of messages refuses one that is too long: nothing like it happens to a stream, but for lack of memory. */
static void a_socket_that_takes_nothing_ends_the_link(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    near_end.peer = peer_open(&loop, pair[0], &events, &near_end);
    assert_int_equal(send_long(near_end.peer, 0), 0);
    run_loop(RUN_MS);
    assert_int_equal(near_end.gone, 1);
    assert_string_equal(near_end.why, "its socket takes nothing");
    (void)close(pair[1]);
}

static void a_link_may_be_closed_out_of_a_frame(void **state)
{
    (void)state;
    open_both();
    far_end.closes = true;
    assert_int_equal(send_number(near_end.peer, 0), 0);
    assert_int_equal(send_number(near_end.peer, 1), 0);
    run_loop(RUN_MS);
    assert_int_equal(far_end.frames, 1);
    assert_int_equal(far_end.gone, 0);
    assert_int_equal(near_end.gone, 1);
}

/* The other process: sends numbers as fast as they are taken, until it is killed. */
static _Noreturn void send_for_ever(int fd)
{
    struct end end = {0};
    uint64_t number = 0;
    if (loop_init(&loop) != 0) {
        _exit(1);
    }
    struct peer *peer = peer_open(&loop, fd, &events, &end);
    for (;;) {
        while (!peer_is_busy(peer)) {
            (void)send_number(peer, number++);
        }
        run_loop(RUN_MS);
    }
}

static void nothing_is_missing_before_the_death_of_the_other_process(void **state)
{
    (void)state;
    int pair[2];
    make_pair(pair);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(pair[0]);
        send_for_ever(pair[1]);
    }
    assert_int_equal(close(pair[1]), 0);
    near_end.peer = peer_open(&loop, pair[0], &events, &near_end);
    near_end.frames_awaited = 1000000;
    uint64_t start_us = clock_monotonic_us();
    while (near_end.frames < near_end.frames_awaited && near_end.gone == 0) {
        run_loop(RUN_MS);
    }
    print_message("%.1f million frames a second\n",
                  (double)near_end.frames / (double)(clock_monotonic_us() - start_us));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (near_end.gone == 0) {
        run_loop(RUN_MS);
    }
    assert_int_equal(near_end.gone, 1);
    assert_true(near_end.frames >= near_end.frames_awaited);
    assert_int_equal(near_end.next, near_end.frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames_come_in_the_order_in_which_they_were_sent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_frames_of_one_turn_leave_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_bytes_leave_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_frames_come_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_frame_that_is_too_long_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_is_busy_until_the_other_one_has_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_came_before_a_hang_up_is_read_and_the_end_is_told_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_frame_ends_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_never_reads_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_reads_gets_however_much_is_said_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_socket_that_takes_nothing_ends_the_link, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_link_may_be_closed_out_of_a_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_missing_before_the_death_of_the_other_process,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
