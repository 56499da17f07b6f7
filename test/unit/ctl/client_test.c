/* The client against a server that says what a test wants.  It lives in the same thread: the client connects through the
 * backlog, the answer is written before the client asks. */
#include "ctl/client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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
#include "common/proto.h"

enum { TIMEOUT_MS = 30000, SHORT_MS = 30 };

struct fixture {
    char folder[32];
    char path[64];
    int listening;
    int server; /* the accepted end */
    struct client client;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/fsd-client-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/c.sock", fixture->folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->path);
    fixture->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fixture->listening, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fixture->listening, 1), 0);
    fixture->server = -1;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fd_close(&fixture->listening);
    fd_close(&fixture->server);
    (void)unlink(fixture->path); /* where a test has not */
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

static void connect_client(struct fixture *fixture, uint64_t timeout_ms)
{
    assert_int_equal(client_open(&fixture->client, fixture->path, timeout_ms, NULL), 0);
    fixture->server = accept(fixture->listening, NULL, NULL);
    assert_true(fixture->server >= 0);
}

/* One whole call to which the server says this and, perhaps, hangs up. */
static int call(struct fixture *fixture, const char *answer, bool hangs_up, json_t **ret_result,
                struct fsd_err *err)
{
    connect_client(fixture, hangs_up ? TIMEOUT_MS : SHORT_MS);
    assert_int_equal(send(fixture->server, answer, strlen(answer), MSG_NOSIGNAL), strlen(answer));
    if (hangs_up) {
        fd_close(&fixture->server);
    }
    int r = client_call(&fixture->client, "status", json_object(), ret_result, err);
    client_close(&fixture->client);
    return r;
}

#define ANSWER(rest) "{\"jsonrpc\":\"2.0\",\"id\":1," rest "}\n"

static void the_request_is_one_line_and_the_result_is_the_callers(void **state)
{
    struct fixture *fixture = *state;
    json_t *result = NULL;
    connect_client(fixture, TIMEOUT_MS);
    static const char answer[] = ANSWER("\"result\":[1,2]");
    assert_int_equal(send(fixture->server, answer, sizeof(answer) - 1, 0), sizeof(answer) - 1);
    assert_int_equal(
        client_call(&fixture->client, "reload", json_pack("{s:b}", "restart", 1), &result, NULL),
        0);
    assert_int_equal(json_array_size(result), 2);
    json_decref(result);

    char heard[256] = "";
    static const char expected[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"reload\","
                                   "\"params\":{\"restart\":true}}\n";
    assert_int_equal(recv(fixture->server, heard, sizeof(heard), 0), sizeof(expected) - 1);
    assert_string_equal(heard, expected);
    client_close(&fixture->client);
}

struct watcher {
    struct fixture *fixture;
    const char
        *says; /* what the server says when the time is over for the second time; NULL: nothing */
    unsigned late;
    unsigned heard;
};

static bool on_late(void *owner)
{
    struct watcher *watcher = owner;
    if (++watcher->late == 2 && watcher->says != NULL) {
        assert_true(
            send(watcher->fixture->server, watcher->says, strlen(watcher->says), MSG_NOSIGNAL) > 0);
    }
    return watcher->late < 3 || watcher->says != NULL;
}

static void on_notification(void *owner, const json_t *notification)
{
    struct watcher *watcher = owner;
    assert_string_equal(json_string_value(json_object_get(notification, "method")), "x");
    watcher->heard++;
}

static void who_watches_a_call_hears_notifications_and_may_give_it_more_time(void **state)
{
    static const struct client_watch watch = {on_notification, on_late};
    struct watcher watcher = {
        .fixture = *state,
        .says = "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n" ANSWER("\"result\":7")};
    struct fixture *fixture = *state;
    json_t *result = NULL;
    connect_client(fixture, SHORT_MS);
    fixture->client.watch = &watch;
    fixture->client.owner = &watcher;
    assert_int_equal(client_call(&fixture->client, "reload", json_object(), &result, NULL), 0);
    assert_int_equal(json_integer_value(result), 7);
    assert_in_range(watcher.late, 2, UINT32_MAX);
    assert_int_equal(watcher.heard, 1);
    json_decref(result);
    watcher = (struct watcher){.fixture = fixture};
    assert_int_equal(client_call(&fixture->client, "reload", json_object(), &result, NULL),
                     -ETIMEDOUT);
    assert_int_equal(watcher.late, 3);
    client_close(&fixture->client);
}

static void each_answer_has_its_outcome_sentence_and_exit_code(void **state)
{
    static const struct {
        const char *answer;
        bool hangs_up;
        int result;
        int code;
        const char *sentence;
    } cases[] = {
        {ANSWER("\"result\":null"), true, 0, FSD_EXIT_OK, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}\n{\"jsonrpc\":\"2.0\",\"method\":\"x\"}"
         "\n" ANSWER("\"result\":{}"),
         true, 0, FSD_EXIT_OK, ""},
        {ANSWER("\"error\":{\"code\":-32000,\"message\":\"app.lua:3: no\"}"), true, -EREMOTEIO,
         FSD_EXIT_FAILED, "app.lua:3: no"},
        {ANSWER("\"error\":{\"code\":-32601,\"message\":\"unknown method\"}"), true, -ENOTSUP,
         FSD_EXIT_UNAVAILABLE, "unknown method"},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32003,\"message\":\"not you\"}}\n",
         true, -EACCES, 4, "not you"},
        {ANSWER("\"error\":{\"code\":\"x\"}"), true, -EPROTO, FSD_EXIT_UNAVAILABLE,
         "the answer of fsd makes no sense: an error without reason"},
        {ANSWER("\"error\":7"), true, -EPROTO, FSD_EXIT_UNAVAILABLE,
         "the answer of fsd makes no sense: an error without reason"},
        {ANSWER("\"x\":7"), true, -EPROTO, FSD_EXIT_UNAVAILABLE,
         "the answer of fsd makes no sense: it has no result"},
        {"[]\n", true, -EPROTO, FSD_EXIT_UNAVAILABLE,
         "the answer of fsd makes no sense: it is not an object"},
        {"", true, -ECONNRESET, FSD_EXIT_UNAVAILABLE, "fsd hung up before it answered"},
        {"{\"jsonrpc\"", true, -ECONNRESET, FSD_EXIT_UNAVAILABLE, "fsd hung up before it answered"},
        {"{\"jsonrpc\"", false, -ETIMEDOUT, FSD_EXIT_TIMEOUT, "fsd did not answer within 0.03 s"},
        {"", false, -ETIMEDOUT, FSD_EXIT_TIMEOUT, "fsd did not answer within 0.03 s"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture *fixture = *state;
        struct fsd_err err = {""};
        json_t *result = NULL;
        int r = call(fixture, cases[i].answer, cases[i].hangs_up, &result, &err);
        assert_int_equal(r, cases[i].result);
        assert_int_equal(client_exit_code(r), cases[i].code);
        assert_string_equal(err.text, cases[i].sentence);
        assert_true((r == 0) == (result != NULL));
        json_decref(result);
        fd_close(&fixture->server);
    }
}

static void what_the_daemon_refused_with_is_kept_whole(void **state)
{
    struct fixture *fixture = *state;
    char answer[4096];
    char problems[3000];
    struct fsd_err err = {""};
    json_t *result = NULL;
    memset(problems, 'x', sizeof(problems) - 1);
    problems[sizeof(problems) - 1] = '\0';
    (void)snprintf(answer, sizeof(answer),
                   "{\"id\":1,\"error\":{\"code\":-32002,\"message\":\"%s\"}}\n", problems);
    connect_client(fixture, TIMEOUT_MS);
    assert_int_equal(send(fixture->server, answer, strlen(answer), 0), strlen(answer));
    int r = client_call(&fixture->client, "config.plan", json_object(), &result, &err);
    assert_int_equal(r, -EBADMSG);
    assert_int_equal(client_exit_code(r), FSD_EXIT_CONFIG);
    assert_string_equal(client_get_refusal(&fixture->client), problems);

    static const char good[] = ANSWER("\"result\":1");
    assert_int_equal(send(fixture->server, good, sizeof(good) - 1, 0), sizeof(good) - 1);
    assert_int_equal(client_call(&fixture->client, "x", json_object(), &result, &err), 0);
    assert_null(client_get_refusal(&fixture->client));
    json_decref(result);
    client_close(&fixture->client);
}

static void notifications_come_after_the_answer_however_long_it_takes(void **state)
{
    struct fixture *fixture = *state;
    struct fsd_err err = {""};
    json_t *result = NULL;
    static const char said[] = ANSWER("\"result\":1") "{\"id\":9}\n"
                                                      "{\"method\":\"log\",\"params\":{}}\n";
    assert_int_equal(client_open(&fixture->client, fixture->path, SHORT_MS, &err), 0);
    fixture->server = accept(fixture->listening, NULL, NULL);
    assert_int_equal(send(fixture->server, said, sizeof(said) - 1, 0), sizeof(said) - 1);
    fixture->client.deadline_ms =
        UINT64_MAX; /* the answer is there; only what follows has no end */
    assert_int_equal(client_call(&fixture->client, "logs", json_object(), &result, &err), 0);
    json_decref(result);
    fixture->client.deadline_ms = 0;
    assert_int_equal(client_next(&fixture->client, &result, &err), 0);
    assert_string_equal(json_string_value(json_object_get(result, "method")), "log");
    json_decref(result);
    fd_close(&fixture->server);
    assert_int_equal(client_next(&fixture->client, &result, &err), -ECONNRESET);
    client_close(&fixture->client);
}

static void an_answer_that_is_not_json_says_so(void **state)
{
    struct fsd_err err = {""};
    json_t *result = NULL;
    assert_int_equal(call(*state, "hello\n", true, &result, &err), -EPROTO);
    assert_non_null(strstr(err.text, "the answer of fsd is not JSON: "));
}

static void a_daemon_that_is_not_there_is_not_running(void **state)
{
    struct fixture *fixture = *state;
    struct client client;
    struct fsd_err err = {""};
    char expected[256];
    fd_close(&fixture->listening);
    int r = client_open(&client, fixture->path, TIMEOUT_MS, &err);
    assert_int_equal(client_exit_code(r), FSD_EXIT_NOT_RUNNING);
    (void)snprintf(expected, sizeof(expected),
                   "fsd is not running (no answer at \"%s\": Connection refused)", fixture->path);
    assert_string_equal(err.text, expected);

    r = client_open(&client, "/nowhere/c.sock", TIMEOUT_MS, &err);
    assert_int_equal(client_exit_code(r), FSD_EXIT_NOT_RUNNING);
    assert_string_equal(err.text, "fsd is not running (no answer at \"/nowhere/c.sock\": No such "
                                  "file or directory)");
}

static void a_path_that_is_too_long_is_a_usage_error(void **state)
{
    (void)state;
    struct client client;
    char path[200];
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(client_exit_code(client_open(&client, path, TIMEOUT_MS, NULL)),
                     FSD_EXIT_USAGE);
}

static void a_daemon_whose_backlog_is_full_times_out(void **state)
{
    struct fixture *fixture = *state;
    struct client clients[8];
    int r = 0;
    size_t count = 0;
    struct fsd_err err = {""};
    while (count < 8 && (r = client_open(&clients[count], fixture->path, SHORT_MS, &err)) == 0) {
        count++;
    }
    assert_int_equal(client_exit_code(r), FSD_EXIT_TIMEOUT);
    while (count > 0) {
        client_close(&clients[--count]);
    }
}

static void the_end_of_the_daemon_is_waited_for_whatever_it_still_says(void **state)
{
    struct fixture *fixture = *state;
    connect_client(fixture, TIMEOUT_MS);
    assert_int_equal(send(fixture->server, "last\nwords", 10, 0), 10);
    fd_close(&fixture->server);
    assert_int_equal(client_wait_end(&fixture->client, NULL), 0);
    client_close(&fixture->client);

    connect_client(fixture, SHORT_MS);
    assert_int_equal(client_wait_end(&fixture->client, NULL), -ETIMEDOUT);
    client_close(&fixture->client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_request_is_one_line_and_the_result_is_the_callers),
        TEST(who_watches_a_call_hears_notifications_and_may_give_it_more_time),
        TEST(each_answer_has_its_outcome_sentence_and_exit_code),
        TEST(what_the_daemon_refused_with_is_kept_whole),
        TEST(notifications_come_after_the_answer_however_long_it_takes),
        TEST(an_answer_that_is_not_json_says_so),
        TEST(a_daemon_that_is_not_there_is_not_running),
        TEST(a_path_that_is_too_long_is_a_usage_error),
        TEST(a_daemon_whose_backlog_is_full_times_out),
        TEST(the_end_of_the_daemon_is_waited_for_whatever_it_still_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
