/* A control socket that goes on in another program, and a call that this one answers. */
#include "daemon/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fd.h"

enum { TURNS_MAX = 100, ANSWER_MAX = 4096 };

struct fixture {
    char folder[32];
    char path[64];
    sd_event *loop;
    struct control *control;
    struct control_call *waiting;
};

static void run_wait(void *owner, struct control_call *call, const json_t *params)
{
    (void)params;
    struct fixture *fixture = owner;
    fixture->waiting = call;
}

static const struct control_method methods[] = {{"wait", "is answered later", run_wait}};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    int stale = 0;
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/fsd-inherit-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/c.sock", fixture->folder);
    assert_true(sd_event_new(&fixture->loop) >= 0);
    assert_int_equal(control_open(&fixture->control, fixture->loop, fixture->path, methods, 1,
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

static void turn(const struct fixture *fixture)
{
    for (int i = 0; i < TURNS_MAX && sd_event_run(fixture->loop, 0) > 0; i++) {
    }
}

static int connect_peer(const struct fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void ask(const struct fixture *fixture, int fd, const char *line)
{
    assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
    turn(fixture);
}

static void expect(const struct fixture *fixture, int fd, const char *answer)
{
    char heard[ANSWER_MAX];
    turn(fixture);
    ssize_t len = recv(fd, heard, sizeof(heard) - 1, 0);
    heard[len > 0 ? len : 0] = '\0';
    assert_string_equal(heard, answer);
}

static void the_call_is_answered_by_the_heir_and_the_connection_goes_on(void **state)
{
    struct fixture *fixture = *state;
    int peer = connect_peer(fixture);
    int fd = -1;
    char *id = NULL;
    ask(fixture, peer, "{\"jsonrpc\":\"2.0\",\"id\":\"x \\\"1\",\"method\":\"wait\"}\n");
    assert_int_equal(control_call_leave(fixture->waiting, &fd, &id), 0);
    assert_string_equal(id, "\"x \\\"1\"");

    /* what is left of the program before is cut off from the socket and the connection */
    struct control_legacy legacy = control_get_legacy(fixture->control);
    legacy.fd = fcntl(legacy.fd, F_DUPFD_CLOEXEC, 0);
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    struct control *before = fixture->control;
    struct control_call *call_before = fixture->waiting;
    char aside[96];
    (void)snprintf(aside, sizeof(aside), "%s.aside", fixture->path);
    assert_int_equal(rename(fixture->path, aside), 0); /* it would remove the file */
    control_close(before);
    control_fail(call_before, CONTROL_FAILED, "is not heard any more");
    assert_int_equal(rename(aside, fixture->path), 0);

    struct control_call *call = NULL;
    assert_int_equal(control_inherit(&fixture->control, fixture->loop, fixture->path, &legacy,
                                     methods, 1, fixture),
                     0);
    assert_int_equal(control_call_inherit(fixture->control, fd, id, &call), 0);
    control_answer(call, json_true());
    expect(fixture, peer, "{\"jsonrpc\":\"2.0\",\"id\":\"x \\\"1\",\"result\":true}\n");
    ask(fixture, peer, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"wait\"}\n");
    control_answer(fixture->waiting, json_false());
    expect(fixture, peer, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":false}\n");
    int other = connect_peer(fixture);
    ask(fixture, other, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"wait\"}\n");
    control_answer(fixture->waiting, json_null());
    expect(fixture, other, "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":null}\n");
    fd_close(&peer);
    fd_close(&other);
    free(id);
}

static void who_wants_no_answer_is_left_behind(void **state)
{
    struct fixture *fixture = *state;
    int peer = connect_peer(fixture);
    int fd = -1;
    char *id = NULL;
    ask(fixture, peer, "{\"jsonrpc\":\"2.0\",\"method\":\"wait\"}\n");
    assert_int_equal(control_call_leave(fixture->waiting, &fd, &id), -ENOTCONN);
    control_answer(fixture->waiting, json_true());
    fd_close(&peer);
}

static void who_has_gone_is_left_behind(void **state)
{
    struct fixture *fixture = *state;
    int peer = connect_peer(fixture);
    int fd = -1;
    char *id = NULL;
    ask(fixture, peer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"wait\"}\n");
    (void)shutdown(peer, SHUT_RDWR);
    fd_close(&peer);
    turn(fixture);
    assert_int_equal(control_call_leave(fixture->waiting, &fd, &id), -ENOTCONN);
    control_answer(fixture->waiting, json_true());
}

static void an_id_that_is_no_json_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct control_call *call = NULL;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(control_call_inherit(fixture->control, pair[0], "{", &call), -EPROTO);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

static void a_socket_that_cannot_be_watched_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    struct control_legacy legacy = control_get_legacy(fixture->control);
    struct control *heir = NULL;
    legacy.fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* nothing that epoll takes */
    assert_true(control_inherit(&heir, fixture->loop, fixture->path, &legacy, methods, 1, fixture) <
                0);
    assert_null(heir);
    assert_int_equal(fcntl(legacy.fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(stat(fixture->path, &info), 0);
    fd_close(&legacy.fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_call_is_answered_by_the_heir_and_the_connection_goes_on),
        TEST(who_wants_no_answer_is_left_behind),
        TEST(who_has_gone_is_left_behind),
        TEST(an_id_that_is_no_json_is_refused),
        TEST(a_socket_that_cannot_be_watched_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
