#ifndef FSD_TEST_SUPPORT_WORKER_CHILD_H
#define FSD_TEST_SUPPORT_WORKER_CHILD_H

/* A worker that lives in a child process, and the master's end of its channel.  To be included behind cmocka.h. */

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/page.h"
#include "common/wire.h"
#include "test/support/config_memfd.h"
#include "test/support/lua_bundle.h"
#include "worker/life.h"
#include "worker/modules.h"

enum { WAIT_S = 10, QUEUE = 512 };

static pid_t worker;
static int master;
static struct wire_message message; /* the last one that was expected */

/* What a test has the child do before it lives; may be NULL. */
static void (*prepare_child)(struct runtime *runtime);

static inline void worker_child_work(int channel)
{
    static struct life life;
    if (dup2(channel, PROTO_FD_CONTROL) < 0) {
        _exit(FSD_EXIT_USAGE);
    }
    if (channel != PROTO_FD_CONTROL) {
        (void)close(channel);
    }
    (void)signal(SIGPIPE, SIG_IGN); /* as main.c does */
    runtime_init(&life.runtime);
    if (prepare_child != NULL) {
        prepare_child(&life.runtime);
    }
    modules_register(life.runtime.L, "lua"); /* tests are run from the root of the tree */
    int fd = page_create();
    life.runtime.page = page_map(fd, 1);
    (void)close(fd);
    exit(life_run(&life));
}

static inline int set_up(void **state)
{
    (void)state;
    int pair[2];
    struct timeval limit = {.tv_sec = WAIT_S};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
        setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0) {
        return -1;
    }
    worker = fork();
    if (worker == 0) {
        (void)close(pair[0]);
        worker_child_work(pair[1]);
    }
    (void)close(pair[1]);
    master = pair[0];
    return worker < 0 ? -1 : 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    fd_close(&master);
    if (worker > 0) {
        (void)kill(worker, SIGKILL);
        (void)waitpid(worker, NULL, 0);
    }
    return 0;
}

static inline void expect(enum proto_kind kind)
{
    struct fsd_err err = {""};
    char peeked;
    assert_true(recv(master, &peeked, 1, MSG_PEEK) >= 0); /* waits; wire_recv does not */
    if (wire_recv(master, PROTO_TO_MASTER, &message, &err) != 1) {
        fail_msg("no message came: %s", err.text);
    }
    assert_int_equal(message.head.kind, kind);
}

static inline void assert_exit(int code)
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

static inline void tell(enum proto_kind kind, const void *payload, size_t size)
{
    assert_int_equal(wire_send(master, kind, payload, size, -1), 0);
}

static inline void tell_fd(enum proto_kind kind, const void *payload, size_t size, int fd)
{
    assert_true(fd >= 0);
    assert_int_equal(wire_send(master, kind, payload, size, fd), 0);
    fd_close(&fd);
}

static inline void tell_config(void)
{
    tell_fd(PROTO_CONFIG, NULL, 0, config_memfd(&config_usual));
}

static inline void tell_load(uint64_t number, const char *source)
{
    const struct lua_file files[] = {{"app.lua", source}, {NULL, NULL}};
    struct proto_generation body = {.generation = number};
    tell_fd(PROTO_LOAD, &body, sizeof(body), lua_bundle_make("app.lua", files));
}

static inline void tell_activate(uint64_t number)
{
    struct proto_activate body = {.generation = number, .slot = 0};
    tell(PROTO_ACTIVATE, &body, sizeof(body));
}

static inline void tell_drain(uint64_t idle_ms)
{
    struct proto_drain body = {.idle_ms = idle_ms};
    tell(PROTO_DRAIN, &body, sizeof(body));
}

/* A listening socket on some port of the loopback, of one slot. */
static inline int listen_somewhere(struct sockaddr_in *ret_address)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, QUEUE), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_address = address;
    return fd;
}

static inline void tell_listener_fd(uint64_t slot, int fd)
{
    struct proto_listener body = {.slot = slot, .name = "web"};
    assert_int_equal(wire_send(master, PROTO_LISTENER, &body, sizeof(body), fd), 0);
}

/* A listener that the worker alone has; returns its address. */
static inline struct sockaddr_in tell_listener(uint64_t slot)
{
    struct sockaddr_in address;
    int fd = listen_somewhere(&address);
    tell_listener_fd(slot, fd);
    fd_close(&fd);
    return address;
}

static inline int connect_to(struct sockaddr_in address)
{
    struct timeval limit = {.tv_sec = WAIT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static inline void ask(int fd, const char *path)
{
    char text[256];
    int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
}

static inline void assert_answered(int fd, const char *wanted)
{
    char text[1024];
    ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
    assert_true(got > 0);
    text[got] = '\0';
    if (strstr(text, wanted) == NULL) {
        fail_msg("\"%s\" is not in: %s", wanted, text);
    }
}

static inline void assert_asked(int fd, const char *path, const char *wanted)
{
    ask(fd, path);
    assert_answered(fd, wanted);
}

static const char application[] = "local fsd = require 'fsd' local app = fsd.app()\n"
                                  "app:get('/', function() return 'hello' end)\n"
                                  "app:get('/wait', function() fsd.task.sleep(100) end)\n"
                                  "return app";

/* Until it is loaded, as a standby is. */
static inline void boot(void)
{
    expect(PROTO_HELLO);
    tell_config();
    tell_load(3, application);
    expect(PROTO_LOADED);
}

static inline struct sockaddr_in serve(void)
{
    boot();
    struct sockaddr_in address = tell_listener(0);
    tell_activate(3);
    expect(PROTO_ACTIVE);
    return address;
}

#endif
