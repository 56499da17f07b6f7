#include "daemon/proc/members.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/wire.h"
#include "daemon/proc/channel.h"

enum { WORKERS = 4 };

/* A worker, with the other end of its channel. */
static struct worker {
    struct member member;
    struct channel channel;
    int sock;
    int failed;
    bool leaves; /* when it has failed */
} workers[WORKERS];
static struct members members;

static void on_failed(struct member *member, int error)
{
    struct worker *worker = (struct worker *)member; /* its first member */
    worker->failed = error;
    if (worker->leaves) {
        members_leave(member);
    }
}

static int set_up(void **state)
{
    (void)state;
    members = (struct members){0};
    for (int i = 0; i < WORKERS; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
            return -1;
        }
        workers[i] = (struct worker){.channel.sock = pair[0], .sock = pair[1]};
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < WORKERS; i++) {
        (void)close(workers[i].channel.sock);
        (void)close(workers[i].sock);
    }
    return 0;
}

static bool join(int which)
{
    struct proto_member body = {.incarnation = 100 + (uint64_t)which, .slot = (uint64_t)which};
    memcpy(body.pool, "web", sizeof("web"));
    struct worker *worker = &workers[which];
    return members_join(&members, &worker->member, &worker->channel, &body, on_failed);
}

/* The next message to the worker; returns its descriptor. */
static int expect(int which, enum proto_kind kind, uint64_t incarnation)
{
    struct wire_message message;
    struct fsd_err *no_err = NULL;
    struct proto_peer body;
    assert_int_equal(wire_recv(workers[which].sock, PROTO_TO_WORKER, &message, no_err), 1);
    assert_int_equal(message.head.kind, kind);
    memcpy(&body, message.payload, sizeof(body));
    assert_int_equal(body.incarnation, incarnation);
    if (kind == PROTO_PEER) {
        assert_int_equal(body.link, 7);
    }
    return message.fd;
}

static void expect_nothing(int which)
{
    struct wire_message message;
    assert_int_equal(wire_recv(workers[which].sock, PROTO_TO_WORKER, &message, NULL), -EAGAIN);
}

static void join_all(void)
{
    for (int i = 0; i < WORKERS; i++) {
        assert_true(join(i));
    }
    for (int i = 0; i < WORKERS; i++) {
        struct wire_message message;
        while (wire_recv(workers[i].sock, PROTO_TO_WORKER, &message, NULL) == 1) {
            assert_int_equal(message.head.kind, PROTO_MEMBER);
        }
    }
}

static void who_joins_is_told_of_all_others_and_they_of_it(void **state)
{
    (void)state;
    assert_true(join(0));
    expect_nothing(0);
    assert_true(join(1));
    (void)expect(0, PROTO_MEMBER, 101);
    (void)expect(1, PROTO_MEMBER, 100);
    assert_true(join(2));
    (void)expect(0, PROTO_MEMBER, 102);
    (void)expect(1, PROTO_MEMBER, 102);
    (void)expect(2, PROTO_MEMBER, 101);
    (void)expect(2, PROTO_MEMBER, 100);
    expect_nothing(3);
}

static void one_that_had_joined_before_an_upgrade_is_told_of_what_follows_only(void **state)
{
    (void)state;
    struct proto_member body = {.incarnation = 100};
    members_rejoin(&members, &workers[0].member, &workers[0].channel, &body, on_failed);
    body.incarnation = 101;
    members_rejoin(&members, &workers[1].member, &workers[1].channel, &body, on_failed);
    expect_nothing(0);
    expect_nothing(1);
    assert_false(join(0));
    assert_true(join(2));
    (void)expect(0, PROTO_MEMBER, 102);
    (void)expect(1, PROTO_MEMBER, 102);
    (void)expect(2, PROTO_MEMBER, 101);
    (void)expect(2, PROTO_MEMBER, 100);
}

static void joining_twice_changes_nothing(void **state)
{
    (void)state;
    join_all();
    assert_false(join(1));
    for (int i = 0; i < WORKERS; i++) {
        expect_nothing(i);
    }
}

static void the_others_are_told_who_has_gone(void **state)
{
    (void)state;
    join_all();
    members_leave(&workers[2].member);
    members_leave(&workers[2].member);
    (void)expect(0, PROTO_GONE, 102);
    (void)expect(1, PROTO_GONE, 102);
    (void)expect(3, PROTO_GONE, 102);
    for (int i = 0; i < WORKERS; i++) {
        expect_nothing(i);
    }
}

static void the_others_are_told_which_slot_one_serves_now(void **state)
{
    (void)state;
    join_all();
    members_move(&workers[1].member, 7);
    members_move(&workers[1].member, 7);
    (void)expect(0, PROTO_MEMBER, 101);
    (void)expect(2, PROTO_MEMBER, 101);
    (void)expect(3, PROTO_MEMBER, 101);
    members_leave(&workers[2].member);
    members_move(&workers[2].member, 8);
    (void)expect(0, PROTO_GONE, 102);
    (void)expect(1, PROTO_GONE, 102);
    (void)expect(3, PROTO_GONE, 102);
    for (int i = 0; i < WORKERS; i++) {
        expect_nothing(i);
    }
}

/* The first worker asks. */
static void reach(uint64_t incarnation)
{
    struct proto_peer wanted = {.incarnation = incarnation, .link = 7};
    members_reach(&workers[0].member, &wanted);
}

static void two_get_the_ends_of_one_link(void **state)
{
    (void)state;
    char text[8];
    join_all();
    reach(103);
    int one = expect(0, PROTO_PEER, 103);
    int other = expect(3, PROTO_PEER, 100);
    assert_int_equal(send(one, "hello", 5, 0), 5);
    assert_int_equal(recv(other, text, sizeof(text), 0), 5);
    assert_int_equal(recv(other, text, sizeof(text), 0), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(close(one), 0);
    assert_int_equal(recv(other, text, sizeof(text), 0), 0); /* nobody else holds that end */
    assert_int_equal(close(other), 0);
}

static void who_is_not_there_has_gone(void **state)
{
    (void)state;
    join_all();
    reach(999);
    (void)expect(0, PROTO_GONE, 999);
    reach(100);
    (void)expect(0, PROTO_GONE, 100);
    members_leave(&workers[1].member);
    (void)expect(0, PROTO_GONE, 101);
    reach(101);
    (void)expect(0, PROTO_GONE, 101);
    expect_nothing(0);
}

static void one_that_cannot_be_told_leaves_and_the_others_hear_of_it(void **state)
{
    (void)state;
    join_all();
    workers[1].leaves = true;
    workers[2].leaves = true;
    (void)close(workers[1].sock);
    (void)close(workers[2].sock);
    members_leave(&workers[3].member);
    assert_int_equal(workers[1].failed, -EPIPE);
    assert_int_equal(workers[2].failed, -EPIPE);
    assert_int_equal(workers[0].failed, 0);
    (void)expect(0, PROTO_GONE, 103);
    assert_ptr_equal(members.first, &workers[0].member);
    assert_null(workers[0].member.next);
    workers[1].sock = -1;
    workers[2].sock = -1;
}

static void a_link_that_one_cannot_get_is_hung_up_for_the_other(void **state)
{
    (void)state;
    char byte;
    join_all();
    (void)close(workers[1].sock);
    workers[1].sock = -1;
    reach(101);
    assert_int_equal(workers[1].failed, -EPIPE);
    int fd = expect(0, PROTO_PEER, 101);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_joins_is_told_of_all_others_and_they_of_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            one_that_had_joined_before_an_upgrade_is_told_of_what_follows_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(joining_twice_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_others_are_told_who_has_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_others_are_told_which_slot_one_serves_now, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(two_get_the_ends_of_one_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_not_there_has_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_cannot_be_told_leaves_and_the_others_hear_of_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_that_one_cannot_get_is_hung_up_for_the_other, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
