/* One connection with small limits: how it ends and who is told. */
#include "daemon/control/control_peer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/fd.h"

enum { LINE_BYTES = 100, OUTPUT_BYTES = 1000, SILENT_MS = 20, STUCK_MS = 50, TURNS_MAX = 1000 };
#define WAIT_US (5 * 1000 * 1000ULL)

static const struct control_peer_limits limits = {LINE_BYTES, OUTPUT_BYTES, SILENT_MS, STUCK_MS};

struct fixture {
    sd_event *loop;
    int fd; /* the other end */
    struct control_peer *peer;
    unsigned lines;
    unsigned ends;
    unsigned drained;
    int reason;
    const char *last_word;
};

static void on_line(void *owner, struct control_peer *peer, char *text, size_t len)
{
    struct fixture *fixture = owner;
    assert_int_equal(strlen(text), len);
    fixture->lines++;
    if (strcmp(text, "close") == 0) {
        control_peer_close(peer);
        fixture->peer = NULL;
    }
}

static void on_end(void *owner, struct control_peer *peer, int reason)
{
    struct fixture *fixture = owner;
    fixture->ends++;
    fixture->reason = reason;
    if (fixture->last_word != NULL) {
        control_peer_send(peer, fixture->last_word, strlen(fixture->last_word));
    }
    control_peer_close(peer);
    fixture->peer = NULL;
}

static void on_drained(void *owner, struct control_peer *peer)
{
    struct fixture *fixture = owner;
    assert_int_equal(control_peer_waiting(peer), 0);
    fixture->drained++;
}

static const struct control_peer_events events = {on_line, on_end, on_drained};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    assert_true(sd_event_new(&fixture->loop) >= 0);
    fixture->fd = pair[0];
    assert_int_equal(
        control_peer_open(&fixture->peer, fixture->loop, pair[1], &limits, &events, fixture), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->peer != NULL) {
        control_peer_close(fixture->peer);
    }
    fd_close(&fixture->fd);
    sd_event_unref(fixture->loop);
    free(fixture);
    return 0;
}

static void turn(struct fixture *fixture)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        if (sd_event_run(fixture->loop, 0) <= 0) {
            return;
        }
    }
    fail_msg("the loop never comes to rest");
}

static void say(struct fixture *fixture, const char *text)
{
    assert_int_equal(send(fixture->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    turn(fixture);
}

static void a_peer_that_is_silent_amid_a_line_is_ended(void **state)
{
    struct fixture *fixture = *state;
    fixture->last_word = "bye\n";
    say(fixture, "whole\nbegun");
    assert_int_equal(fixture->lines, 1);
    while (fixture->ends == 0) {
        assert_true(sd_event_run(fixture->loop, WAIT_US) > 0);
    }
    assert_int_equal(fixture->reason, -ETIMEDOUT);
    char answer[8] = "";
    assert_int_equal(recv(fixture->fd, answer, sizeof(answer), 0), 4);
    assert_int_equal(recv(fixture->fd, answer, sizeof(answer), 0), 0);
}

static int on_later(sd_event_source *source, uint64_t now_us, void *userdata)
{
    (void)source;
    (void)now_us;
    *(int *)userdata = 1;
    return 0;
}

static void a_peer_that_is_silent_between_lines_stays(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, "be");
    say(fixture, "gun\n");
    int later = 0;
    assert_true(sd_event_add_time_relative(fixture->loop, NULL, CLOCK_MONOTONIC,
                                           3000 * (uint64_t)SILENT_MS, 0, on_later, &later) >= 0);
    while (!later) {
        assert_true(sd_event_run(fixture->loop, WAIT_US) > 0);
    }
    assert_int_equal(fixture->lines, 1);
    assert_int_equal(fixture->ends, 0);
}

static void a_peer_that_hangs_up_is_ended_once(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, "one\nbegun");
    fd_close(&fixture->fd);
    turn(fixture);
    assert_int_equal(fixture->ends, 1);
    assert_int_equal(fixture->lines, 1);
}

static void a_line_that_is_too_long_ends_the_peer_after_the_lines_before_it(void **state)
{
    struct fixture *fixture = *state;
    char text[LINE_BYTES + 16];
    memset(text, 'x', sizeof(text));
    memcpy(text, "one\n", 4);
    text[sizeof(text) - 1] = '\0';
    say(fixture, text);
    assert_int_equal(fixture->lines, 1);
    assert_int_equal(fixture->reason, -EMSGSIZE);
}

static void lines_behind_the_one_that_closed_are_not_run(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, "one\nclose\nthree\n");
    assert_int_equal(fixture->lines, 2);
    assert_int_equal(fixture->ends, 0);
    assert_null(fixture->peer);
}

static void output_waits_for_the_reader_in_order_up_to_the_limit(void **state)
{
    struct fixture *fixture = *state;
    fixture->last_word = "lost";
    static char sent[4 * 1024 * 1024];
    size_t len = 0;
    while (fixture->ends == 0) { /* fill the socket, then the queue */
        assert_true(len < sizeof(sent) - 100);
        for (size_t i = 0; i < 100; i++) {
            sent[len + i] = (char)('a' + (len / 100 + i) % 26);
        }
        control_peer_send(fixture->peer, sent + len, 100);
        len += 100;
    }
    assert_int_equal(fixture->reason, -ENOBUFS);

    static char heard[sizeof(sent)];
    size_t heard_len = 0;
    ssize_t n = 0;
    while ((n = recv(fixture->fd, heard + heard_len, sizeof(heard) - heard_len, 0)) > 0) {
        heard_len += (size_t)n;
    }
    assert_int_equal(n, 0);
    assert_true(heard_len > 0 && heard_len < len);
    assert_memory_equal(heard, sent, heard_len);
}

static void what_waited_is_sent_when_the_peer_reads_again(void **state)
{
    struct fixture *fixture = *state;
    static char block[100];
    size_t len = 0;
    size_t heard_len = 0;
    char heard[4096];
    for (int round = 0; round < 20; round++) {
        /* A little more than the socket takes, never as much as the limit. */
        for (int i = 0; i < 9; i++) {
            memset(block, 'a' + round, sizeof(block));
            control_peer_send(fixture->peer, block, sizeof(block));
            len += sizeof(block);
        }
        ssize_t n = 0;
        while ((n = recv(fixture->fd, heard, sizeof(heard), 0)) > 0) {
            assert_int_equal(heard[n - 1], 'a' + round);
            heard_len += (size_t)n;
            turn(fixture);
        }
    }
    assert_int_equal(heard_len, len);
    assert_int_equal(fixture->ends, 0);
}

/* Until a part of it has to wait. */
static void fill(struct fixture *fixture)
{
    static const char block[100];
    while (control_peer_waiting(fixture->peer) == 0) {
        control_peer_send(fixture->peer, block, sizeof(block));
    }
}

static void a_peer_that_reads_nothing_for_long_is_ended_even_when_it_is_held(void **state)
{
    struct fixture *fixture = *state;
    struct control_peer *peer = fixture->peer;
    control_peer_hold(peer);
    fill(fixture);
    while (fixture->ends == 0) {
        assert_true(sd_event_run(fixture->loop, WAIT_US) > 0);
    }
    assert_int_equal(fixture->reason, -ENOBUFS);
    assert_false(control_peer_is_open(peer));
    control_peer_release(peer);
}

static void a_peer_that_reads_everything_is_told_of_and_stays(void **state)
{
    struct fixture *fixture = *state;
    static char heard[1024 * 1024];
    fill(fixture);
    turn(fixture);
    assert_int_equal(fixture->drained, 0);
    while (control_peer_waiting(fixture->peer) > 0) {
        assert_true(recv(fixture->fd, heard, sizeof(heard), 0) > 0);
        turn(fixture);
    }
    assert_int_equal(fixture->drained, 1);
    int later = 0;
    assert_true(sd_event_add_time_relative(fixture->loop, NULL, CLOCK_MONOTONIC,
                                           3000 * (uint64_t)STUCK_MS, 0, on_later, &later) >= 0);
    while (!later) {
        assert_true(sd_event_run(fixture->loop, WAIT_US) > 0);
    }
    assert_int_equal(fixture->ends, 0);
}

static void a_held_peer_outlives_its_connection(void **state)
{
    struct fixture *fixture = *state;
    struct control_peer *peer = fixture->peer;
    control_peer_hold(peer);
    assert_int_equal(control_peer_holds(peer), 1);
    fd_close(&fixture->fd);
    turn(fixture);
    assert_int_equal(fixture->ends, 1);
    control_peer_send(peer, "dropped\n", 8);
    control_peer_release(peer);
    assert_int_equal(fixture->ends, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_peer_that_is_silent_amid_a_line_is_ended),
        TEST(a_peer_that_is_silent_between_lines_stays),
        TEST(a_peer_that_hangs_up_is_ended_once),
        TEST(a_line_that_is_too_long_ends_the_peer_after_the_lines_before_it),
        TEST(lines_behind_the_one_that_closed_are_not_run),
        TEST(output_waits_for_the_reader_in_order_up_to_the_limit),
        TEST(what_waited_is_sent_when_the_peer_reads_again),
        TEST(a_peer_that_reads_nothing_for_long_is_ended_even_when_it_is_held),
        TEST(a_peer_that_reads_everything_is_told_of_and_stays),
        TEST(a_held_peer_outlives_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
