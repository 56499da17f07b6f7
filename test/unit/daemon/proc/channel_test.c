/* A control channel in a real loop. */
#include "daemon/proc/channel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/owner.h"

struct fixture {
    sd_event *loop;
    struct channel channel;
    int worker;
    int messages;
    int closed;
    int rooms;
    int broken;
    uint32_t last_kind;
    char why[128];
    int closes_at; /* the number of the message at which the owner closes it */
};

static void on_news(struct channel *channel, enum channel_news news, struct wire_message *message,
                    const char *why)
{
    struct fixture *fixture = OWNER_OF(channel, struct fixture, channel);
    switch (news) {
    case CHANNEL_MESSAGE:
        fixture->messages++;
        fixture->last_kind = message->head.kind;
        if (fixture->messages == fixture->closes_at) {
            channel_close(channel);
        }
        break;
    case CHANNEL_CLOSED:
        fixture->closed++;
        break;
    case CHANNEL_ROOM:
        fixture->rooms++;
        break;
    case CHANNEL_BROKEN:
        fixture->broken++;
        (void)snprintf(fixture->why, sizeof(fixture->why), "%s", why);
        break;
    }
}

static int open_channel(void **state)
{
    static struct fixture fixture;
    int ends[2];
    fixture = (struct fixture){.worker = -1};
    assert_int_equal(sd_event_new(&fixture.loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
                     0);
    fixture.worker = ends[1];
    assert_int_equal(channel_open(&fixture.channel, fixture.loop, ends[0], on_news), 0);
    *state = &fixture;
    return 0;
}

static int close_channel(void **state)
{
    struct fixture *fixture = *state;
    channel_close(&fixture->channel);
    (void)close(fixture->worker);
    (void)sd_event_unref(fixture->loop);
    return 0;
}

/* Runs the loop until nothing is left to do. */
static void settle(struct fixture *fixture)
{
    while (sd_event_run(fixture->loop, 0) > 0) {
    }
}

static void say(struct fixture *fixture, enum proto_kind kind)
{
    struct proto_generation body = {1};
    assert_int_equal(wire_send(fixture->worker, kind, &body, sizeof(body), -1), 0);
}

static void messages_come_in_order_then_the_end_comes_once(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 20; i++) {
        say(fixture, i < 19 ? PROTO_LOADED : PROTO_ACTIVE);
    }
    (void)shutdown(fixture->worker, SHUT_RDWR);
    settle(fixture);
    assert_int_equal(fixture->messages, 20);
    assert_int_equal(fixture->last_kind, PROTO_ACTIVE);
    assert_int_equal(fixture->closed, 1);
    assert_int_equal(fixture->channel.sock, -1);
    assert_int_equal(channel_send(&fixture->channel, PROTO_LOG, NULL, 0, -1), -EPIPE);
}

static void a_breach_is_the_last_thing_that_is_heard(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, PROTO_LOADED);
    say(fixture, PROTO_ACTIVATE); /* the master's own word */
    say(fixture, PROTO_LOADED);
    settle(fixture);
    assert_int_equal(fixture->messages, 1);
    assert_int_equal(fixture->broken, 1);
    assert_int_equal(fixture->closed, 0);
    assert_string_equal(fixture->why, "ACTIVATE came from the wrong side");
}

static void the_owner_may_close_it_while_it_hears_a_message(void **state)
{
    struct fixture *fixture = *state;
    fixture->closes_at = 2;
    for (int i = 0; i < 5; i++) {
        say(fixture, PROTO_LOADED);
    }
    settle(fixture);
    assert_int_equal(fixture->messages, 2);
    assert_int_equal(fixture->closed + fixture->broken, 0);
}

static void the_last_words_can_be_read_without_the_loop(void **state)
{
    struct fixture *fixture = *state;
    say(fixture, PROTO_LOADED);
    (void)close(fixture->worker);
    fixture->worker = -1;
    channel_read_rest(&fixture->channel);
    assert_int_equal(fixture->messages, 1);
    assert_int_equal(fixture->closed, 1);
    channel_read_rest(&fixture->channel);
    assert_int_equal(fixture->closed, 1);
}

static void what_is_sent_reaches_the_worker(void **state)
{
    struct fixture *fixture = *state;
    struct wire_message message;
    struct proto_drain body = {.idle_ms = 5000};
    assert_int_equal(channel_send(&fixture->channel, PROTO_DRAIN, &body, sizeof(body), -1), 0);
    assert_int_equal(wire_recv(fixture->worker, PROTO_TO_WORKER, &message, NULL), 1);
    assert_memory_equal(message.payload, &body, sizeof(body));
}

static void room_is_reported_once_when_the_worker_has_read(void **state)
{
    struct fixture *fixture = *state;
    struct proto_member body = {.slot = 1};
    int sent = 0;
    assert_true(channel_has_room(&fixture->channel));
    while (channel_has_room(&fixture->channel)) {
        assert_int_equal(channel_send(&fixture->channel, PROTO_MEMBER, &body, sizeof(body), -1), 0);
        sent++;
    }
    for (int i = 0; i < sent; i++) { /* what must be sent still can be */
        assert_int_equal(channel_send(&fixture->channel, PROTO_MEMBER, &body, sizeof(body), -1), 0);
    }
    channel_await_room(&fixture->channel);
    settle(fixture);
    assert_int_equal(fixture->rooms, 0);
    char packet[256];
    while (recv(fixture->worker, packet, sizeof(packet), MSG_DONTWAIT) > 0) {
    }
    settle(fixture);
    assert_int_equal(fixture->rooms, 1);
    assert_true(channel_has_room(&fixture->channel));
}

static void who_does_not_read_is_heard_when_it_has(void **state)
{
    struct fixture *fixture = *state;
    struct proto_member body = {.slot = 1};
    while (channel_has_room(&fixture->channel)) {
        assert_int_equal(channel_send(&fixture->channel, PROTO_MEMBER, &body, sizeof(body), -1), 0);
    }
    assert_int_equal(wire_send(fixture->worker, PROTO_LEAVE, NULL, 0, -1), 0);
    settle(fixture);
    assert_int_equal(fixture->messages, 0);
    channel_await_room(&fixture->channel);
    settle(fixture);
    assert_int_equal(fixture->messages, 0);
    char packet[256];
    while (recv(fixture->worker, packet, sizeof(packet), MSG_DONTWAIT) > 0) {
    }
    settle(fixture);
    assert_int_equal(fixture->messages, 1);
    assert_int_equal(fixture->rooms, 1);
}

static void the_end_of_one_that_does_not_read_is_seen(void **state)
{
    struct fixture *fixture = *state;
    struct proto_member body = {.slot = 1};
    while (channel_has_room(&fixture->channel)) {
        assert_int_equal(channel_send(&fixture->channel, PROTO_MEMBER, &body, sizeof(body), -1), 0);
    }
    assert_int_equal(wire_send(fixture->worker, PROTO_LEAVE, NULL, 0, -1), 0);
    settle(fixture);
    assert_int_equal(close(fixture->worker), 0);
    fixture->worker = -1;
    settle(fixture);
    assert_int_equal(fixture->closed, 1);
}

static void a_closed_channel_has_no_room(void **state)
{
    struct fixture *fixture = *state;
    channel_close(&fixture->channel);
    assert_false(channel_has_room(&fixture->channel));
    channel_await_room(&fixture->channel);
    settle(fixture);
    assert_int_equal(fixture->rooms, 0);
}

int main(void)
{
#define CHANNEL_TEST(test) cmocka_unit_test_setup_teardown(test, open_channel, close_channel)
    const struct CMUnitTest tests[] = {
        CHANNEL_TEST(messages_come_in_order_then_the_end_comes_once),
        CHANNEL_TEST(a_breach_is_the_last_thing_that_is_heard),
        CHANNEL_TEST(the_owner_may_close_it_while_it_hears_a_message),
        CHANNEL_TEST(the_last_words_can_be_read_without_the_loop),
        CHANNEL_TEST(what_is_sent_reaches_the_worker),
        CHANNEL_TEST(room_is_reported_once_when_the_worker_has_read),
        CHANNEL_TEST(who_does_not_read_is_heard_when_it_has),
        CHANNEL_TEST(the_end_of_one_that_does_not_read_is_seen),
        CHANNEL_TEST(a_closed_channel_has_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
