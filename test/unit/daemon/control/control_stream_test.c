/* Streams over the control socket as a peer sees them: real sockets, a real event loop, everything in one thread. */
#include "daemon/control/control_stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fd.h"
#include "test/support/control_client.h"

enum { HEARD_MAX = 1024 * 1024 };

struct fixture {
    char folder[32];
    char path[64];
    sd_event *loop;
    struct control *control;
    struct control_stream *streams[CONTROL_STREAMS_MAX + 1]; /* in the order of their opening */
    size_t count;
    unsigned rooms;
    unsigned ends;
    char heard[HEARD_MAX];
};

static void on_room(void *owner)
{
    struct fixture *fixture = owner;
    fixture->rooms++;
}

static void on_end(void *owner)
{
    struct fixture *fixture = owner;
    fixture->ends++;
}

static const struct control_stream_events events = {on_room, on_end};

static void run_follow(void *owner, struct control_call *call, const json_t *params)
{
    (void)params;
    struct fixture *fixture = owner;
    int error = control_stream_open(&fixture->streams[fixture->count], call, &events, fixture);
    if (error < 0) {
        control_fail(call, CONTROL_BUSY, strerrorname_np(-error));
        return;
    }
    fixture->count++;
    control_answer_text(call, "{\"a\":[1]}", 9);
}

static void run_echo(void *owner, struct control_call *call, const json_t *params)
{
    (void)owner;
    (void)params;
    control_answer_text(call, "7", 1);
}

static const struct control_method methods[] = {
    {"follow", "becomes a stream", run_follow},
    {"echo", "answers", run_echo},
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    int stale = 0;
    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/fsd-stream-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/c.sock", fixture->folder);
    assert_true(sd_event_new(&fixture->loop) >= 0);
    assert_int_equal(control_open(&fixture->control, fixture->loop, fixture->path, methods, 2,
                                  fixture, &stale, NULL),
                     0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    control_close(fixture->control);
    assert_int_equal(rmdir(fixture->folder), 0);
    sd_event_unref(fixture->loop);
    free(fixture);
    return 0;
}

static void turn(struct fixture *fixture)
{
    control_client_turn(fixture->loop);
}

static int connect_peer(struct fixture *fixture)
{
    return control_client_connect(fixture->loop, fixture->path);
}

/* All that has come; NULL: the daemon has hung up. */
static const char *hear(struct fixture *fixture, int fd)
{
    turn(fixture);
    ssize_t n = recv(fd, fixture->heard, sizeof(fixture->heard) - 1, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        return NULL;
    }
    fixture->heard[n < 0 ? 0 : n] = '\0';
    return fixture->heard;
}

static const char *ask(struct fixture *fixture, int fd, const char *request)
{
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    return hear(fixture, fd);
}

#define FOLLOW   "{\"jsonrpc\":\"2.0\",\"id\":\"f\",\"method\":\"follow\"}\n"
#define FOLLOWED "{\"jsonrpc\":\"2.0\",\"id\":\"f\",\"result\":{\"a\":[1]}}\n"
#define ECHO     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n"
#define ECHOED   "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":7}\n"

static int open_stream(struct fixture *fixture)
{
    int fd = connect_peer(fixture);
    assert_string_equal(ask(fixture, fd, FOLLOW), FOLLOWED);
    return fd;
}

static void a_call_is_answered_and_then_carries_lines(void **state)
{
    struct fixture *fixture = *state;
    int fd = open_stream(fixture);
    control_stream_send(fixture->streams[0], "one\n", 4);
    assert_string_equal(hear(fixture, fd), "one\n");
    assert_string_equal(ask(fixture, fd, ECHO), ECHOED); /* and goes on to take requests */
    assert_int_equal(shutdown(fd, SHUT_WR), 0);          /* or says that there will be none */
    turn(fixture);
    control_stream_send(fixture->streams[0], "two\n", 4);
    assert_string_equal(hear(fixture, fd), "two\n");
    assert_int_equal(fixture->ends, 0);
    fd_close(&fd);
    turn(fixture);
    assert_int_equal(fixture->ends, 1);
}

static void a_peer_that_goes_ends_its_stream_and_the_place_is_free(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 3 * CONTROL_STREAMS_MAX; i++) {
        fixture->count = 0;
        int fd = open_stream(fixture);
        fd_close(&fd);
        turn(fixture);
        assert_int_equal(fixture->ends, i + 1);
    }
}

static void streams_are_few_and_one_a_connection(void **state)
{
    struct fixture *fixture = *state;
    int fds[CONTROL_STREAMS_MAX + 1];
    for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++) {
        fds[i] = open_stream(fixture);
    }
    assert_non_null(strstr(ask(fixture, fds[0], FOLLOW), "EEXIST"));
    fds[CONTROL_STREAMS_MAX] = connect_peer(fixture);
    assert_non_null(strstr(ask(fixture, fds[CONTROL_STREAMS_MAX], FOLLOW), "EBUSY"));
    fd_close(&fds[3]);
    turn(fixture);
    assert_string_equal(ask(fixture, fds[CONTROL_STREAMS_MAX], FOLLOW), FOLLOWED);
    for (size_t i = 0; i <= CONTROL_STREAMS_MAX; i++) {
        fd_close(&fds[i]);
    }
}

static void a_call_without_an_answer_is_no_stream(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    assert_string_equal(ask(fixture, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"follow\"}\n" ECHO),
                        ECHOED);
    assert_int_equal(fixture->count, 0);
    fd_close(&fd);
}

static void streams_with_nothing_to_say_are_not_taken_for_idle_connections(void **state)
{
    struct fixture *fixture = *state;
    int streams[CONTROL_STREAMS_MAX];
    int others[500];
    for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++) {
        streams[i] = open_stream(fixture);
    }
    for (size_t i = 0; i < 500; i++) {
        others[i] = connect_peer(fixture);
    }
    assert_string_equal(ask(fixture, others[499], ECHO), ECHOED);
    assert_null(hear(fixture, others[0]));
    assert_int_equal(fixture->ends, 0);
    for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++) {
        control_stream_send(fixture->streams[i], "still here\n", 11);
        assert_string_equal(hear(fixture, streams[i]), "still here\n");
        fd_close(&streams[i]);
    }
    for (size_t i = 0; i < 500; i++) {
        fd_close(&others[i]);
    }
}

static void a_slow_reader_is_given_as_much_as_there_is_room_for(void **state)
{
    struct fixture *fixture = *state;
    static char line[1000];
    int fd = open_stream(fixture);
    struct control_stream *stream = fixture->streams[0];
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    size_t sent = 0;
    while (control_stream_has_room(stream, sizeof(line))) {
        control_stream_send(stream, line, sizeof(line));
        sent += sizeof(line);
        assert_true(sent < HEARD_MAX);
    }
    assert_true(sent > CONTROL_STREAM_BYTES);
    assert_int_equal(fixture->rooms, 0);
    size_t heard = 0;
    while (fixture->rooms == 0) {
        heard += strlen(hear(fixture, fd));
    }
    heard += strlen(hear(fixture, fd));
    assert_int_equal(heard, sent);
    assert_true(control_stream_has_room(stream, 100 * CONTROL_STREAM_BYTES)); /* nothing waits */
    fd_close(&fd);
}

static void a_stream_closed_from_this_side_leaves_the_connection(void **state)
{
    struct fixture *fixture = *state;
    int fd = open_stream(fixture);
    control_stream_close(fixture->streams[0]);
    assert_string_equal(ask(fixture, fd, ECHO), ECHOED);
    fd_close(&fd);
    turn(fixture);
    assert_int_equal(fixture->ends, 0);
}

static void closing_the_control_ends_its_streams(void **state)
{
    struct fixture *fixture = *state;
    int fd = open_stream(fixture);
    control_stream_send(fixture->streams[0], "last\n", 5);
    control_close(fixture->control);
    fixture->control = NULL;
    assert_int_equal(fixture->ends, 1);
    assert_string_equal(hear(fixture, fd), "last\n");
    assert_null(hear(fixture, fd));
    fd_close(&fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_call_is_answered_and_then_carries_lines),
        TEST(a_peer_that_goes_ends_its_stream_and_the_place_is_free),
        TEST(streams_are_few_and_one_a_connection),
        TEST(a_call_without_an_answer_is_no_stream),
        TEST(streams_with_nothing_to_say_are_not_taken_for_idle_connections),
        TEST(a_slow_reader_is_given_as_much_as_there_is_room_for),
        TEST(a_stream_closed_from_this_side_leaves_the_connection),
        TEST(closing_the_control_ends_its_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
