/* The control socket as a peer sees it: a real event loop, real sockets, everything in one thread. */
#include "daemon/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fd.h"

enum { TURNS_MAX = 2000, ANSWER_MAX = 8 * 1024 * 1024, PENDING_MAX = 80 };

struct fixture {
    char folder[32];
    char path[64];
    sd_event *loop;
    struct control *control;
    struct control_call *pending[PENDING_MAX]; /* calls of "later" */
    size_t pending_count;
    unsigned noted;
    char answer[ANSWER_MAX];
};

static void run_echo(void *owner, struct control_call *call, const json_t *params)
{
    (void)owner;
    control_answer(call, json_deep_copy(params));
}

static void run_later(void *owner, struct control_call *call, const json_t *params)
{
    (void)params;
    struct fixture *fixture = owner;
    assert_true(fixture->pending_count < PENDING_MAX);
    fixture->pending[fixture->pending_count++] = call;
}

static void run_note(void *owner, struct control_call *call, const json_t *params)
{
    (void)params;
    struct fixture *fixture = owner;
    fixture->noted++;
    control_answer(call, json_true());
}

static void run_fail(void *owner, struct control_call *call, const json_t *params)
{
    (void)owner;
    (void)params;
    control_fail(call, CONTROL_BUSY, "busy with \"\xff\"");
}

static void run_close(void *owner, struct control_call *call, const json_t *params)
{
    (void)params;
    struct fixture *fixture = owner;
    control_answer(call, json_true());
    control_close(fixture->control);
    fixture->control = NULL;
}

static void run_big(void *owner, struct control_call *call, const json_t *params)
{
    (void)owner;
    char *text = malloc((size_t)json_integer_value(json_object_get(params, "bytes")) + 1);
    size_t len = (size_t)json_integer_value(json_object_get(params, "bytes"));
    memset(text, 'x', len);
    control_answer(call, json_stringn(text, len));
    free(text);
}

static const struct control_method methods[] = {
    {"echo", "gives the parameters back", run_echo},
    {"later", "is answered later", run_later},
    {"note", "counts", run_note},
    {"fail", "fails", run_fail},
    {"close", "closes the control", run_close},
    {"big", "a long answer", run_big},
};

static int open_at(struct fixture *fixture, struct control **ret_control, int *ret_stale,
                   struct fsd_err *err)
{
    return control_open(ret_control, fixture->loop, fixture->path, methods,
                        sizeof(methods) / sizeof(methods[0]), fixture, ret_stale, err);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/fsd-control-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/c.sock", fixture->folder);
    assert_true(sd_event_new(&fixture->loop) >= 0);
    int stale = -1;
    assert_int_equal(open_at(fixture, &fixture->control, &stale, NULL), 0);
    assert_int_equal(stale, 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    control_close(fixture->control);
    (void)unlink(fixture->path); /* where a test left one */
    assert_int_equal(rmdir(fixture->folder), 0);
    sd_event_unref(fixture->loop);
    free(fixture);
    return 0;
}

/* Lets the daemon do all that it can do now. */
static void turn(struct fixture *fixture)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        if (sd_event_run(fixture->loop, 0) <= 0) {
            return;
        }
    }
    fail_msg("the loop never comes to rest");
}

static int connect_peer(const struct fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void say_bytes(struct fixture *fixture, int fd, const char *bytes, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            return; /* the daemon has hung up: what a test then reads tells */
        }
        sent += n > 0 ? (size_t)n : 0;
        turn(fixture);
    }
}

static void say(struct fixture *fixture, int fd, const char *line)
{
    say_bytes(fixture, fd, line, strlen(line));
}

/* All that has come; *ret_ended tells whether the daemon has hung up. */
static const char *hear(struct fixture *fixture, int fd, int *ret_ended)
{
    size_t len = 0;
    *ret_ended = 0;
    for (;;) {
        turn(fixture);
        ssize_t n = recv(fd, fixture->answer + len, sizeof(fixture->answer) - 1 - len, 0);
        if (n > 0) {
            len += (size_t)n;
            continue;
        }
        *ret_ended = n == 0 || errno != EAGAIN;
        fixture->answer[len] = '\0';
        return fixture->answer;
    }
}

static void expect(struct fixture *fixture, int fd, const char *answer)
{
    int ended = 0;
    assert_string_equal(hear(fixture, fd, &ended), answer);
    assert_false(ended);
}

static void expect_end(struct fixture *fixture, int fd, const char *answer)
{
    int ended = 0;
    assert_string_equal(hear(fixture, fd, &ended), answer);
    assert_true(ended);
}

#define ECHO_LINE   "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"echo\",\"params\":{\"a\":1}}\n"
#define ECHO_ANSWER "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"a\":1}}\n"
#define LATER_LINE  "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"later\"}\n"

static void a_request_is_answered(void **state)
{
    int fd = connect_peer(*state);
    say(*state, fd, ECHO_LINE);
    expect(*state, fd, ECHO_ANSWER);
    say(*state, fd, ECHO_LINE ECHO_LINE);
    expect(*state, fd, ECHO_ANSWER ECHO_ANSWER);
    fd_close(&fd);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    int fd = connect_peer(*state);
    for (const char *at = ECHO_LINE; *at != '\0'; at++) {
        expect(*state, fd, "");
        say_bytes(*state, fd, at, 1);
    }
    expect(*state, fd, ECHO_ANSWER);
    fd_close(&fd);
}

#define WRONG(id, code, message)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" message       \
    "\"}}\n"

static void each_mistake_has_its_answer_and_the_connection_goes_on(void **state)
{
    static const struct {
        const char *line;
        const char *answer;
    } cases[] = {
        {"[{}]\n", WRONG("null", "-32600", "batches are not supported: send one request a line")},
        {"{\"id\":1,\"method\":\"echo\"}\n",
         WRONG("1", "-32600",
               "not a JSON-RPC 2.0 request: \\\"jsonrpc\\\":\\\"2.0\\\" is missing")},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}\n",
         WRONG("1", "-32600",
               "not a JSON-RPC 2.0 request: \\\"jsonrpc\\\":\\\"2.0\\\" is missing")},
        {"{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"echo\"}\n",
         WRONG("null", "-32600", "\\\"id\\\" must be a string, a number or null")},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"q\"}\n",
         WRONG("\"q\"", "-32600", "\\\"method\\\" must be a string")},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[1]}\n",
         WRONG("1", "-32602", "\\\"params\\\" must be an object")},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ehco\"}\n",
         WRONG("1", "-32601", "unknown method \\\"ehco\\\"; did you mean \\\"echo\\\"?")},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"zzzzzzzz\"}\n",
         WRONG("1", "-32601", "unknown method \\\"zzzzzzzz\\\"")},
        {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"fail\"}\n",
         WRONG("1.5", "-32001", "busy with \\\"?\\\"")},
        {"\n \r\n", ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"echo\"}\n",
         "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n"},
    };
    int fd = connect_peer(*state);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        say(*state, fd, cases[i].line);
        expect(*state, fd, cases[i].answer);
    }
    fd_close(&fd);
}

static void a_line_that_is_not_json_is_a_parse_error(void **state)
{
    static const char *const lines[] = {"nonsense\n", "{\"a\":1,\"a\":2}\n", "\xff\n",
                                        "{\"a\":1\n"};
    static const char begin[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"
                                "\"message\":\"the line is not JSON: ";
    int fd = connect_peer(*state);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int ended = 0;
        say(*state, fd, lines[i]);
        assert_memory_equal(hear(*state, fd, &ended), begin, sizeof(begin) - 1);
        assert_false(ended);
    }
    fd_close(&fd);
}

static void a_notification_is_run_and_not_answered_whatever_comes_of_it(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    say(fixture, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"note\"}\n");
    say(fixture, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"fail\"}\n");
    say(fixture, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}\n");
    say(fixture, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"note\",\"params\":[]}\n");
    expect(fixture, fd, "");
    assert_int_equal(fixture->noted, 1);
    fd_close(&fd);
}

static void an_answer_may_come_later_and_out_of_order(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    say(fixture, fd, LATER_LINE ECHO_LINE);
    expect(fixture, fd, ECHO_ANSWER);
    control_answer(fixture->pending[0], json_integer(3));
    expect(fixture, fd, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":3}\n");
    fd_close(&fd);
}

static void an_answer_to_a_peer_that_is_gone_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    say(fixture, fd, LATER_LINE LATER_LINE);
    fd_close(&fd);
    turn(fixture);
    control_answer(fixture->pending[0], json_integer(3));
    control_fail(fixture->pending[1], CONTROL_FAILED, "no");
    turn(fixture);
}

static void an_answer_after_the_control_was_closed_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    say(fixture, fd, LATER_LINE);
    control_close(fixture->control);
    fixture->control = NULL;
    control_answer(fixture->pending[0], json_integer(3));
    expect_end(fixture, fd, "");
    fd_close(&fd);
}

static void a_peer_that_only_ended_its_side_still_gets_its_answers(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    say(fixture, fd, LATER_LINE ECHO_LINE);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    expect(fixture, fd, ECHO_ANSWER);
    control_answer(fixture->pending[0], json_integer(3));
    expect_end(fixture, fd, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":3}\n");
    fd_close(&fd);
}

static void a_method_may_close_the_control_that_called_it(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    say(fixture, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"close\"}\n" ECHO_LINE);
    expect_end(fixture, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\n");
    assert_int_equal(access(fixture->path, F_OK), -1);
    fd_close(&fd);
}

static void requests_that_wait_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    for (int i = 0; i < 64; i++) {
        say(fixture, fd, LATER_LINE);
    }
    expect(fixture, fd, "");
    say(fixture, fd, LATER_LINE);
    expect(fixture, fd,
           WRONG("\"x\"", "-32001", "too many requests of this connection wait for an answer"));
    assert_int_equal(fixture->pending_count, 64);
    for (size_t i = 0; i < fixture->pending_count; i++) {
        control_answer(fixture->pending[i], json_null());
    }
    fd_close(&fd);
}

static void the_65th_peer_is_told_and_closed_while_all_others_wait_for_answers(void **state)
{
    struct fixture *fixture = *state;
    int fds[64];
    for (size_t i = 0; i < 64; i++) {
        fds[i] = connect_peer(fixture);
        say(fixture, fds[i], LATER_LINE);
        expect(fixture, fds[i], "");
    }
    int gone = connect_peer(fixture);
    fd_close(&gone); /* turned away when it is not there any more */
    int late = connect_peer(fixture);
    expect_end(fixture, late,
               WRONG("null", "-32001", "too many connections to the control socket"));
    fd_close(&late);
    while (fixture->pending_count > 0) {
        control_answer(fixture->pending[--fixture->pending_count], json_true());
    }
    for (size_t i = 0; i < 64; i++) {
        fd_close(&fds[i]);
    }
}

static void of_64_peers_that_ask_nothing_the_oldest_makes_room_for_one_that_does(void **state)
{
    struct fixture *fixture = *state;
    int fds[64];
    for (size_t i = 0; i < 64; i++) {
        fds[i] = connect_peer(fixture);
        turn(fixture);
    }
    say(fixture, fds[0], LATER_LINE); /* the oldest of all waits for an answer: it stays */
    expect(fixture, fds[0], "");
    int late = connect_peer(fixture);
    say(fixture, late, ECHO_LINE);
    expect(fixture, late, ECHO_ANSWER);
    expect_end(fixture, fds[1], "");
    expect(fixture, fds[0], "");
    expect(fixture, fds[2], "");
    control_answer(fixture->pending[--fixture->pending_count], json_true());
    fd_close(&late);
    for (size_t i = 0; i < 64; i++) {
        fd_close(&fds[i]);
    }
}

static void a_peer_whose_request_has_not_been_read_yet_is_not_idle(void **state)
{
    struct fixture *fixture = *state;
    int fds[64];
    int late[8];
    for (size_t i = 0; i < 64; i++) {
        fds[i] = connect_peer(fixture);
        turn(fixture);
    }
    const ssize_t len = (ssize_t)strlen(ECHO_LINE);
    for (size_t i = 0; i < 8;
         i++) { /* all before the loop turns: whom it sees first is its affair */
        late[i] = connect_peer(fixture);
        assert_int_equal(send(late[i], ECHO_LINE, (size_t)len, MSG_NOSIGNAL), len);
        assert_int_equal(send(fds[i], ECHO_LINE, (size_t)len, MSG_NOSIGNAL), len);
    }
    for (size_t i = 0; i < 8; i++) {
        int ended = 0;
        assert_string_equal(hear(fixture, fds[i], &ended), ECHO_ANSWER); /* then it is idle */
        assert_string_equal(hear(fixture, late[i], &ended), ECHO_ANSWER);
        fd_close(&late[i]);
    }
    for (size_t i = 0; i < 64; i++) {
        fd_close(&fds[i]);
    }
}

static void peers_that_ask_nothing_leave_descriptors_free_for_others(void **state)
{
    enum { FREE = 40, PEERS = 12 };
    struct fixture *fixture = *state;
    struct rlimit before;
    int fds[PEERS];
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest = dup(STDIN_FILENO);
    struct rlimit low = {(rlim_t)lowest + FREE, before.rlim_max};
    fd_close(&lowest);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    for (size_t i = 0; i < PEERS; i++) { /* both ends are ours: each takes two */
        fds[i] = connect_peer(fixture);
        say(fixture, fds[i], ECHO_LINE);
        expect(fixture, fds[i], ECHO_ANSWER);
    }
    expect_end(fixture, fds[0], "");
    int next = dup(STDIN_FILENO);
    assert_in_range(next, 0, low.rlim_cur - FREE / 2);
    fd_close(&next);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < PEERS; i++) {
        fd_close(&fds[i]);
    }
}

static void a_request_above_1_mib_is_refused_and_one_below_is_not(void **state)
{
    struct fixture *fixture = *state;
    static char line[1100 * 1024];
    memset(line, ' ', sizeof(line));
    int fd = connect_peer(fixture);
    size_t echo_len = strlen(ECHO_LINE);
    memcpy(line + 1024 * 1024 + 1 - echo_len, ECHO_LINE, echo_len);
    say_bytes(fixture, fd, line, 1024 * 1024 + 1);
    expect(fixture, fd, ECHO_ANSWER);
    memset(line, ' ', sizeof(line));
    say_bytes(fixture, fd, line, sizeof(line));
    expect_end(fixture, fd, WRONG("null", "-32600", "the request is longer than 1 MiB"));
    fd_close(&fd);
}

static void a_long_answer_arrives_whole_and_a_peer_that_does_not_read_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    static const char big[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"big\",\"params\":{\"bytes\":3000000}}\n";
    int fd = connect_peer(fixture);
    say(fixture, fd, big);
    int ended = 0;
    size_t whole = strlen(hear(fixture, fd, &ended));
    assert_true(whole > 3000000 && whole < 3000100);
    assert_false(ended);

    say(fixture, fd, big);
    say(fixture, fd, big);
    (void)hear(fixture, fd, &ended);
    assert_true(ended);
    fd_close(&fd);
}

static void what_is_written_at_the_end_reaches_the_peer(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    say(fixture, fd, LATER_LINE);
    control_answer(fixture->pending[0], json_integer(3));
    control_close(fixture->control);
    fixture->control = NULL;
    expect_end(fixture, fd, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":3}\n");
    fd_close(&fd);
}

static void count_refused(void *owner, const char *why, uint64_t count)
{
    struct fixture *fixture = owner;
    assert_non_null(strstr(why, "was started by a worker of this fsd"));
    fixture->noted += (unsigned)count;
}

/* A child of ours, as a worker is; what it hears. */
static pid_t start_child(const struct fixture *fixture)
{
    pid_t pid = fork();
    if (pid == 0) {
        char text[512] = "";
        int fd = connect_peer(fixture);
        (void)fcntl(fd, F_SETFL, 0);
        ssize_t got = read(fd, text, sizeof(text) - 1);
        _exit(got > 0 && strstr(text, "\"code\":-32003") != NULL && read(fd, text, 1) == 0 ? 0 : 1);
    }
    return pid;
}

static void who_tries_in_a_loop_is_refused_each_time_and_told_of_once(void **state)
{
    struct fixture *fixture = *state;
    control_guard(fixture->control, 0, count_refused);
    for (int i = 0; i < 3; i++) {
        int status = -1;
        pid_t pid = start_child(fixture);
        while (waitpid(pid, &status, WNOHANG) == 0) {
            (void)sd_event_run(fixture->loop, 1000);
        }
        assert_int_equal(status, 0);
        assert_int_equal(fixture->noted, 1);
    }
    int fd = connect_peer(fixture); /* not one of those: it is who runs the daemon */
    say(fixture, fd, ECHO_LINE);
    expect(fixture, fd, ECHO_ANSWER);
    fd_close(&fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered),
        TEST(a_request_may_come_byte_by_byte),
        TEST(each_mistake_has_its_answer_and_the_connection_goes_on),
        TEST(a_line_that_is_not_json_is_a_parse_error),
        TEST(a_notification_is_run_and_not_answered_whatever_comes_of_it),
        TEST(an_answer_may_come_later_and_out_of_order),
        TEST(an_answer_to_a_peer_that_is_gone_is_dropped),
        TEST(an_answer_after_the_control_was_closed_is_dropped),
        TEST(a_peer_that_only_ended_its_side_still_gets_its_answers),
        TEST(a_method_may_close_the_control_that_called_it),
        TEST(requests_that_wait_are_bounded),
        TEST(the_65th_peer_is_told_and_closed_while_all_others_wait_for_answers),
        TEST(of_64_peers_that_ask_nothing_the_oldest_makes_room_for_one_that_does),
        TEST(a_peer_whose_request_has_not_been_read_yet_is_not_idle),
        TEST(peers_that_ask_nothing_leave_descriptors_free_for_others),
        TEST(a_request_above_1_mib_is_refused_and_one_below_is_not),
        TEST(a_long_answer_arrives_whole_and_a_peer_that_does_not_read_is_dropped),
        TEST(what_is_written_at_the_end_reaches_the_peer),
        TEST(who_tries_in_a_loop_is_refused_each_time_and_told_of_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
