#include "worker/core/link.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/err.h"
#include "worker/core/loop.h"

enum { RUN_MS = 3, TOLD_MAX = 256 };

static struct loop loop;
static struct timer ends;
static struct link channel; /* the worker's end */
static int master;
static unsigned messages;
static struct wire_message last; /* its descriptor is closed already */
static unsigned gone;
static char why[TOLD_MAX];

static void on_end(struct timer *timer)
{
    (void)timer;
    loop_stop(&loop);
}

static void run_loop(void)
{
    loop.stopping = false;
    timer_set(&loop.timers, &ends, clock_monotonic_ms() + RUN_MS, on_end);
    loop_run(&loop, NULL);
}

static void on_message(struct link *link, struct wire_message *message)
{
    assert_ptr_equal(link, &channel);
    messages++;
    last = *message;
    if (message->fd >= 0) {
        assert_int_equal(close(message->fd), 0);
    }
}

static void on_gone(struct link *link, const char *text)
{
    assert_ptr_equal(link, &channel);
    gone++;
    (void)snprintf(why, sizeof(why), "%s", text);
}

static int set_up(void **state)
{
    (void)state;
    int pair[2];
    ends = (struct timer){0};
    messages = 0;
    gone = 0;
    if (loop_init(&loop) != 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        return -1;
    }
    master = pair[0];
    return link_open(&channel, &loop, pair[1], on_message, on_gone);
}

static int tear_down(void **state)
{
    (void)state;
    int fd = channel.watch.fd;
    link_fini(&channel);
    if (fd >= 0) {
        close(fd);
    }
    if (master >= 0) {
        close(master);
    }
    loop_fini(&loop);
    return 0;
}

static void a_burst_of_messages_is_read_in_order(void **state)
{
    (void)state;
    struct proto_activate body = {.generation = 7};
    assert_int_equal(wire_send(master, PROTO_ACTIVATE, &body, sizeof(body), -1), 0);
    body.generation = 8;
    assert_int_equal(wire_send(master, PROTO_ACTIVATE, &body, sizeof(body), -1), 0);
    run_loop();
    assert_int_equal(messages, 2);
    assert_int_equal(last.head.kind, PROTO_ACTIVATE);
    assert_memory_equal(last.payload, &body, sizeof(body));
    assert_int_equal(gone, 0);
}

static void a_descriptor_comes_with_its_message(void **state)
{
    (void)state;
    int fd = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(wire_send(master, PROTO_LOG, NULL, 0, fd), 0);
    run_loop();
    assert_int_equal(messages, 1);
    assert_true(last.fd >= 0 && last.fd != fd);
    close(fd);
}

static void the_end_of_the_master_is_told_once(void **state)
{
    (void)state;
    struct proto_drain body = {.idle_ms = 1};
    assert_int_equal(wire_send(master, PROTO_DRAIN, &body, sizeof(body), -1), 0);
    close(master);
    master = -1;
    run_loop();
    assert_int_equal(messages, 1); /* what came before it is still obeyed */
    assert_int_equal(gone, 1);
    assert_string_equal(why, "the master has gone");
    run_loop();
    assert_int_equal(gone, 1);
    assert_int_equal(channel.watch.fd, -1);
}

static void a_message_of_the_other_direction_ends_the_channel(void **state)
{
    (void)state;
    struct proto_activate body = {.generation = 1};
    assert_int_equal(wire_send(master, PROTO_LOADED, &body, sizeof(body), -1), 0);
    assert_int_equal(wire_send(master, PROTO_ACTIVATE, &body, sizeof(body), -1), 0);
    run_loop();
    assert_int_equal(messages, 0); /* nothing is obeyed after it */
    assert_int_equal(gone, 1);
    assert_true(why[0] != '\0');
}

static void rubbish_ends_the_channel(void **state)
{
    (void)state;
    assert_int_equal(send(master, "rubbish", 7, 0), 7);
    run_loop();
    assert_int_equal(gone, 1);
}

static void what_is_sent_arrives(void **state)
{
    (void)state;
    struct wire_message message;
    struct fsd_err err;
    struct proto_generation body = {.generation = 9};
    link_send(&channel, PROTO_LOADED, &body, sizeof(body));
    link_send_text(&channel, PROTO_REFUSED, &body, sizeof(body), "app.lua:3: boom");
    assert_int_equal(wire_recv(master, PROTO_TO_MASTER, &message, &err), 1);
    assert_int_equal(message.head.kind, PROTO_LOADED);
    assert_int_equal(wire_recv(master, PROTO_TO_MASTER, &message, &err), 1);
    assert_int_equal(message.head.size, sizeof(body) + 15);
    assert_memory_equal(message.payload + sizeof(body), "app.lua:3: boom", 15);
    assert_int_equal(gone, 0);
}

static void a_master_that_does_not_read_is_as_good_as_gone(void **state)
{
    (void)state;
    struct proto_generation body = {.generation = 9};
    for (size_t i = 0; i < 100000 && gone == 0; i++) {
        link_send(&channel, PROTO_LOADED, &body, sizeof(body));
    }
    assert_int_equal(gone, 1);
    assert_string_equal(why, strerror(EAGAIN));
    link_send_text(&channel, PROTO_REFUSED, &body, sizeof(body), "late");
    assert_int_equal(gone, 1);
}

static void much_is_sent_as_the_master_reads(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    char text[64] = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        (void)snprintf(text, sizeof(text), "%u", i);
        link_post(&channel, PROTO_REFUSED, text, sizeof(text));
    }
    assert_true(link_waiting(&channel) > 0);
    link_send(&channel, PROTO_LEAVE, NULL, 0); /* there is room for what must be said */
    assert_int_equal(gone, 0);
    uint32_t count = 0;
    uint32_t others = 0;
    while (count < COUNT) {
        struct wire_message message;
        if (wire_recv(master, PROTO_TO_MASTER, &message, NULL) != 1) {
            run_loop();
        } else if (message.head.kind == PROTO_LEAVE) {
            others++;
        } else {
            (void)snprintf(text, sizeof(text), "%u", count++);
            assert_string_equal((const char *)message.payload, text);
        }
    }
    assert_int_equal(others, 1);
    assert_int_equal(link_waiting(&channel), 0);
    assert_int_equal(gone, 0);
    link_post(&channel, PROTO_LEAVE, NULL, 0);
    struct wire_message message;
    assert_int_equal(wire_recv(master, PROTO_TO_MASTER, &message, NULL), 1);
}

static void what_waits_when_the_master_ends_is_forgotten(void **state)
{
    (void)state;
    char text[64] = "";
    for (int i = 0; i < 1000; i++) {
        link_post(&channel, PROTO_REFUSED, text, sizeof(text));
    }
    assert_int_equal(close(master), 0);
    master = -1;
    run_loop();
    assert_int_equal(gone, 1);
    link_post(&channel, PROTO_REFUSED, text, sizeof(text));
    run_loop();
    assert_int_equal(gone, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_burst_of_messages_is_read_in_order),
        TEST(a_descriptor_comes_with_its_message),
        TEST(the_end_of_the_master_is_told_once),
        TEST(a_message_of_the_other_direction_ends_the_channel),
        TEST(rubbish_ends_the_channel),
        TEST(what_is_sent_arrives),
        TEST(a_master_that_does_not_read_is_as_good_as_gone),
        TEST(much_is_sent_as_the_master_reads),
        TEST(what_waits_when_the_master_ends_is_forgotten),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
