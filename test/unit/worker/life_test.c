#include "worker/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>

#include "test/support/worker_child.h"

static void a_worker_serves_and_leaves_when_it_is_drained(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    int client = connect_to(address);
    assert_asked(client, "/", "hello");
    tell_drain(5000);
    assert_asked(client, "/", "Connection: close");
    fd_close(&client);
    assert_exit(FSD_EXIT_OK);
}

static void one_that_never_got_a_configuration_leaves_at_once(void **state)
{
    (void)state;
    expect(PROTO_HELLO);
    tell_drain(5000);
    assert_exit(FSD_EXIT_OK);
}

static void code_that_does_not_load_is_refused_and_may_be_followed_by_better(void **state)
{
    (void)state;
    expect(PROTO_HELLO);
    tell_config();
    tell_load(1, "\nerror 'boom'");
    expect(PROTO_REFUSED);
    assert_memory_equal(message.payload + sizeof(struct proto_generation), "app.lua:2: boom\n", 16);
    tell_load(2, "return 5");
    expect(PROTO_REFUSED);
    assert_memory_equal(message.payload + sizeof(struct proto_generation),
                        "app.lua must end with `return app`", 34);
    tell_load(3, application);
    expect(PROTO_LOADED);
    tell_drain(0);
    assert_exit(FSD_EXIT_OK);
}

static void tell_unavailable(uint64_t retry_after_s)
{
    struct proto_unavailable body = {.retry_after_s = retry_after_s};
    tell(PROTO_UNAVAILABLE, &body, sizeof(body));
}

/* Until everything is answered with 503. */
static struct sockaddr_in be_unavailable(void)
{
    struct proto_generation body;
    expect(PROTO_HELLO);
    tell_config();
    tell_unavailable(30);
    expect(PROTO_LOADED);
    memcpy(&body, message.payload, sizeof(body));
    assert_int_equal(body.generation, 0);
    struct sockaddr_in address = tell_listener(0);
    tell_activate(0);
    expect(PROTO_ACTIVE);
    return address;
}

/* The whole answer to these bytes, until the worker closes. */
static void read_answer(struct sockaddr_in address, const char *request, char answer[static 1024])
{
    size_t len = 0;
    ssize_t got;
    int client = connect_to(address);
    assert_int_equal(send(client, request, strlen(request), 0), strlen(request));
    while ((got = recv(client, answer + len, 1023 - len, 0)) > 0) {
        len += (size_t)got;
    }
    assert_int_equal(got, 0);
    answer[len] = '\0';
    fd_close(&client);
}

static void one_of_a_held_pool_refuses_every_request(void **state)
{
    static const struct {
        const char *request;
        const char *status;
        const char *body;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "503 Service Unavailable",
         "\r\n\r\n{\"error\":\"Service Unavailable\"}"},
        {"GET /x?y HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n", "503 Service Unavailable",
         "<h1>503 Service Unavailable</h1>"},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", "503 Service Unavailable",
         "{\"error\""},
        {"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "503 Service Unavailable", "\r\n\r\n"},
    };
    (void)state;
    struct sockaddr_in address = be_unavailable();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char answer[1024];
        read_answer(address, rows[i].request, answer);
        assert_non_null(strstr(answer, rows[i].status));
        assert_non_null(strstr(answer, rows[i].body));
        assert_non_null(strstr(answer, "retry-after: 30\r\n"));
        assert_non_null(strstr(answer, "Connection: close\r\n"));
    }
    tell_drain(0);
    assert_exit(FSD_EXIT_OK);
}

static void one_of_a_held_pool_still_judges_what_is_no_request(void **state)
{
    (void)state;
    char answer[1024];
    struct sockaddr_in address = be_unavailable();
    read_answer(address, "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", answer);
    assert_non_null(strstr(answer, "400 Bad Request"));
    tell_drain(0);
    assert_exit(FSD_EXIT_OK);
}

static void tell_change(enum proto_kind kind, uint64_t number)
{
    struct proto_transaction body = {.number = number};
    tell(kind, &body, sizeof(body));
}

static void tell_prepare(uint64_t number, uint64_t what, const struct config_text *text)
{
    struct proto_transaction body = {.number = number, .what = what};
    tell_fd(PROTO_PREPARE, &body, sizeof(body), config_memfd(text));
}

/* What it answers to a prepare or commit, and of which number. */
static void expect_change(enum proto_kind kind, uint64_t number)
{
    struct proto_transaction body;
    expect(kind);
    memcpy(&body, message.payload, sizeof(body));
    assert_int_equal(body.number, number);
    assert_int_equal(body.what, 0);
}

static void assert_post_gets(struct sockaddr_in address, const char *status)
{
    char answer[1024];
    read_answer(address,
                "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
                "20\r\n\r\n12345678901234567890",
                answer);
    assert_non_null(strstr(answer, status));
}

static void a_change_of_the_limits_takes_effect_at_its_commit(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    struct config_text text = config_usual;
    assert_post_gets(address, "405 Method Not Allowed");
    text.body_bytes = 10;
    tell_prepare(1, PROTO_CHANGE_CONFIG, &text);
    expect_change(PROTO_PREPARED, 1);
    assert_post_gets(address, "405 Method Not Allowed");
    tell_change(PROTO_COMMIT, 1);
    expect_change(PROTO_COMMITTED, 1);
    assert_post_gets(address, "413 Content Too Large");
    tell_prepare(2, PROTO_CHANGE_CONFIG, &config_usual);
    expect_change(PROTO_PREPARED, 2);
    tell_change(PROTO_COMMIT, 2);
    expect_change(PROTO_COMMITTED, 2);
    assert_post_gets(address, "405 Method Not Allowed");
    tell_drain(0);
    expect(PROTO_DRAINING);
    assert_exit(FSD_EXIT_OK);
}

static void a_shorter_keepalive_holds_for_connections_that_are_idle_already(void **state)
{
    (void)state;
    char none;
    int idle = connect_to(serve());
    struct config_text text = config_usual;
    text.keepalive_ms = 1;
    assert_asked(idle, "/", "hello");
    tell_prepare(1, PROTO_CHANGE_CONFIG, &text);
    expect_change(PROTO_PREPARED, 1);
    tell_change(PROTO_COMMIT, 1);
    expect_change(PROTO_COMMITTED, 1);
    assert_int_equal(recv(idle, &none, 1, 0), 0);
    fd_close(&idle);
    tell_drain(0);
    assert_exit(FSD_EXIT_OK);
}

static void a_shorter_timeout_holds_for_requests_that_come_later(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    int before = connect_to(address);
    int after = connect_to(address);
    struct config_text text = config_usual;
    text.request_timeout_ms = 1;
    ask(before, "/wait");
    assert_asked(after, "/", "hello"); /* the other one has been seen by now */
    tell_prepare(1, PROTO_CHANGE_CONFIG, &text);
    expect_change(PROTO_PREPARED, 1);
    tell_change(PROTO_COMMIT, 1);
    expect_change(PROTO_COMMITTED, 1);
    assert_asked(after, "/wait", "503 Service Unavailable");
    assert_int_equal(recv(before, &text, 1, MSG_DONTWAIT), -1);
    fd_close(&before);
    fd_close(&after);
    tell_drain(0);
    assert_exit(FSD_EXIT_OK);
}

static void a_new_log_level_holds_at_once(void **state)
{
    (void)state;
    char record[PROTO_LOG_MAX];
    int pair[2];
    struct config_text text = config_usual;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    struct sockaddr_in address = serve();
    tell_fd(PROTO_LOG, NULL, 0, pair[1]);
    text.log_level = LOG_LEVEL_WARNING;
    text.body_bytes = 10;
    tell_prepare(1, PROTO_CHANGE_CONFIG, &text);
    expect_change(PROTO_PREPARED, 1);
    tell_change(PROTO_COMMIT, 1);
    expect_change(PROTO_COMMITTED, 1);
    assert_post_gets(address, "413 Content Too Large"); /* logged at the level info */
    assert_int_equal(recv(pair[0], record, sizeof(record), MSG_DONTWAIT), -1);
    text.log_level = LOG_LEVEL_INFO;
    tell_prepare(2, PROTO_CHANGE_CONFIG, &text);
    expect_change(PROTO_PREPARED, 2);
    tell_change(PROTO_COMMIT, 2);
    expect_change(PROTO_COMMITTED, 2);
    assert_post_gets(address, "413 Content Too Large");
    struct pollfd told = {.fd = pair[0], .events = POLLIN};
    assert_int_equal(poll(&told, 1, 30000), 1); /* a second behind the first one, if not at once */
    assert_true(recv(pair[0], record, sizeof(record), MSG_DONTWAIT) > 0);
    fd_close(&pair[0]);
    tell_drain(0);
    assert_exit(FSD_EXIT_OK);
}

static void what_cannot_change_is_rejected_with_the_reason(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    struct config_text text = config_usual;
    text.setting = "blue";
    tell_prepare(1, PROTO_CHANGE_CONFIG, &text);
    expect_change(PROTO_REJECTED, 1);
    assert_memory_equal(message.payload + sizeof(struct proto_transaction),
                        "cannot change \"settings\" in place", 33);
    tell_prepare(2, PROTO_CHANGE_CODE, &text);
    expect_change(PROTO_REJECTED, 2);
    assert_memory_equal(message.payload + sizeof(struct proto_transaction),
                        "the generation is not newer", 27);
    tell_change(PROTO_COMMIT, 1); /* ignored, as is the next one */
    tell_change(PROTO_ABORT, 2);
    tell_prepare(3, PROTO_CHANGE_CONFIG, &config_usual);
    expect_change(PROTO_PREPARED, 3);
    tell_change(PROTO_ABORT, 3);
    tell_change(PROTO_COMMIT, 3);
    tell_prepare(4, PROTO_CHANGE_CONFIG, &config_usual); /* pending when it ends */
    expect_change(PROTO_PREPARED, 4);
    assert_post_gets(address, "405 Method Not Allowed");
    tell_drain(0);
    expect(PROTO_DRAINING);
    assert_exit(FSD_EXIT_OK);
}

static void a_standby_takes_changes_too(void **state)
{
    (void)state;
    boot();
    struct config_text text = config_usual;
    text.body_bytes = 10;
    tell_prepare(1, PROTO_CHANGE_CONFIG, &text);
    expect_change(PROTO_PREPARED, 1);
    tell_change(PROTO_COMMIT, 1);
    expect_change(PROTO_COMMITTED, 1);
    struct sockaddr_in address = tell_listener(0);
    tell_activate(3);
    expect(PROTO_ACTIVE);
    assert_post_gets(address, "413 Content Too Large");
    tell_drain(0);
    assert_exit(FSD_EXIT_OK);
}

static void prepare_first(void)
{
    tell_prepare(1, PROTO_CHANGE_CONFIG, &config_usual);
}

static void activate_first(void)
{
    tell_activate(1);
}

static void load_first(void)
{
    tell_load(1, application);
}

static void listener_first(void)
{
    (void)tell_listener(0);
}

static void config_twice(void)
{
    tell_config();
    tell_config();
}

static void activate_another(void)
{
    tell_config();
    tell_load(1, application);
    tell_activate(2);
}

static void unavailable_first(void)
{
    tell_unavailable(30);
}

static void unavailable_twice(void)
{
    tell_config();
    tell_unavailable(30);
    tell_unavailable(30);
}

static void load_behind_unavailable(void)
{
    tell_config();
    tell_unavailable(30);
    tell_load(1, application);
}

static void unavailable_behind_load(void)
{
    tell_config();
    tell_load(1, application);
    tell_unavailable(30);
}

static void activate_code_that_is_unavailable(void)
{
    tell_config();
    tell_unavailable(30);
    tell_activate(1);
}

static void messages_out_of_order_end_it(void **state)
{
    static void (*const rows[])(void) = {activate_first,
                                         load_first,
                                         listener_first,
                                         config_twice,
                                         activate_another,
                                         prepare_first,
                                         unavailable_first,
                                         unavailable_twice,
                                         load_behind_unavailable,
                                         unavailable_behind_load,
                                         activate_code_that_is_unavailable};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (i > 0) {
            assert_int_equal(set_up(state), 0);
        }
        rows[i]();
        assert_exit(FSD_EXIT_INTERNAL);
        fd_close(&master);
    }
}

static void one_that_must_leave_in_a_hurry_leaves_open_connections(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    int idle = connect_to(address);
    int waiting = connect_to(address);
    int half = connect_to(address);
    assert_asked(idle, "/", "hello");
    assert_int_equal(send(waiting, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n", 32, 0), 32);
    assert_int_equal(send(half, "GET / HT", 8, 0), 8);
    assert_asked(idle, "/", "hello"); /* the others have been seen by now */
    tell_activate(3);                 /* for the second time */
    assert_exit(FSD_EXIT_INTERNAL);
    fd_close(&idle);
    fd_close(&waiting);
    fd_close(&half);
}

static void without_a_master_it_leaves_at_once(void **state)
{
    (void)state;
    (void)serve();
    assert_int_equal(shutdown(master, SHUT_WR), 0);
    assert_exit(FSD_EXIT_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_worker_serves_and_leaves_when_it_is_drained),
        TEST(one_that_never_got_a_configuration_leaves_at_once),
        TEST(code_that_does_not_load_is_refused_and_may_be_followed_by_better),
        TEST(one_of_a_held_pool_refuses_every_request),
        TEST(one_of_a_held_pool_still_judges_what_is_no_request),
        TEST(a_change_of_the_limits_takes_effect_at_its_commit),
        TEST(a_shorter_keepalive_holds_for_connections_that_are_idle_already),
        TEST(a_shorter_timeout_holds_for_requests_that_come_later),
        TEST(a_new_log_level_holds_at_once),
        TEST(what_cannot_change_is_rejected_with_the_reason),
        TEST(a_standby_takes_changes_too),
        TEST(messages_out_of_order_end_it),
        TEST(one_that_must_leave_in_a_hurry_leaves_open_connections),
        TEST(without_a_master_it_leaves_at_once),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
