#include "worker/life.h"

#include <errno.h>
#include <netinet/in.h>
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

#include "common/err.h"
#include "common/fd.h"
#include "common/page.h"
#include "test/support/lua_bundle.h"
#include "worker/modules.h"

enum { WAIT_S = 10 };

/* A child process that lives, and the master's end of its channel. */
static pid_t worker;
static int master;
static struct wire_message message;

static void work(int channel)
{
    static struct life life;
    if (dup2(channel, PROTO_FD_CONTROL) < 0) {
        _exit(FSD_EXIT_USAGE);
    }
    runtime_init(&life.runtime);
    modules_register(life.runtime.L, "lua"); /* tests are run from the root of the tree */
    int fd = page_create();
    life.runtime.page = page_map(fd, 1);
    (void)close(fd);
    exit(life_run(&life));
}

static int set_up(void **state)
{
    (void)state;
    int pair[2];
    struct timeval limit = {.tv_sec = WAIT_S};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0 ||
        setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0) {
        return -1;
    }
    worker = fork();
    if (worker == 0) {
        (void)close(pair[0]);
        work(pair[1]);
    }
    (void)close(pair[1]);
    master = pair[0];
    return worker < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    fd_close(&master);
    if (worker > 0) {
        (void)kill(worker, SIGKILL);
        (void)waitpid(worker, NULL, 0);
    }
    return 0;
}

static void expect(enum proto_kind kind)
{
    struct fsd_err err = {""};
    char peeked;
    assert_true(recv(master, &peeked, 1, MSG_PEEK) >= 0); /* waits; wire_recv does not */
    if (wire_recv(master, PROTO_TO_MASTER, &message, &err) != 1) {
        fail_msg("no message came: %s", err.text);
    }
    assert_int_equal(message.head.kind, kind);
}

static void assert_exit(int code)
{
    int status = 0;
    char rest[64];
    while (recv(master, rest, sizeof(rest), 0) > 0) { /* until the worker's end is closed */
    }
    assert_int_equal(waitpid(worker, &status, 0), worker);
    worker = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

static void tell_fd(enum proto_kind kind, const void *payload, size_t size, int fd)
{
    assert_true(fd >= 0);
    assert_int_equal(wire_send(master, kind, payload, size, fd), 0);
    fd_close(&fd);
}

static void tell_config(void)
{
    static const unsigned char limits[] = "\x81\xa6limits\x83\xb2request_timeout_ms\xcd\x10\x00"
                                          "\xackeepalive_ms\xcd\x10\x00\xaa"
                                          "body_bytes\xcd\x10\x00";
    tell_fd(PROTO_CONFIG, NULL, 0, fd_sealed_from("config", limits, sizeof(limits) - 1));
}

static void tell_load(uint64_t number, const char *source)
{
    const struct lua_file files[] = {{"app.lua", source}, {NULL, NULL}};
    struct proto_generation body = {.generation = number};
    tell_fd(PROTO_LOAD, &body, sizeof(body), lua_bundle_make("app.lua", files));
}

static void tell_activate(uint64_t number)
{
    struct proto_activate body = {.generation = number, .slot = 0};
    assert_int_equal(wire_send(master, PROTO_ACTIVATE, &body, sizeof(body), -1), 0);
}

static void tell_drain(uint64_t idle_ms)
{
    struct proto_drain body = {.idle_ms = idle_ms};
    assert_int_equal(wire_send(master, PROTO_DRAIN, &body, sizeof(body), -1), 0);
}

/* A listener of the worker; returns its address. */
static struct sockaddr_in tell_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    struct proto_listener body = {.name = "web"};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    tell_fd(PROTO_LISTENER, &body, sizeof(body), fd);
    return address;
}

static int connect_to(struct sockaddr_in address)
{
    struct timeval limit = {.tv_sec = WAIT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void assert_asked(int fd, const char *path, const char *wanted)
{
    char text[1024];
    int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
    ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
    assert_true(got > 0);
    text[got] = '\0';
    assert_non_null(strstr(text, wanted));
}

static const char application[] =
    "local fsd = require 'fsd' local app = fsd.app()\n"
    "app:get('/', function() return 'hello' end)\n"
    "app:get('/wait', function() fsd.task.sleep(100) end)\n"
    "keep = setmetatable({}, {__gc = function() require 'fsd.worker'.self() end})\n"
    "return app";

static struct sockaddr_in serve(void)
{
    expect(PROTO_HELLO);
    tell_config();
    struct sockaddr_in address = tell_listener();
    tell_load(3, application);
    expect(PROTO_LOADED);
    tell_activate(3);
    expect(PROTO_ACTIVE);
    return address;
}

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
    (void)tell_listener();
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

static void messages_out_of_order_end_it(void **state)
{
    static void (*const rows[])(void) = {activate_first, load_first, listener_first, config_twice,
                                         activate_another};
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
        TEST(messages_out_of_order_end_it),
        TEST(one_that_must_leave_in_a_hurry_leaves_open_connections),
        TEST(without_a_master_it_leaves_at_once),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
