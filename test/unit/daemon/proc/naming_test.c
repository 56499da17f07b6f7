#include "daemon/proc/naming.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fd.h"
#include "common/msgpack.h"
#include "common/wire.h"
#include "daemon/proc/channel.h"
#include "daemon/proc/members.h"

enum { WORKERS = 4 };

/* A worker, with the other end of its channel. */
static struct worker {
    struct member member;
    struct channel channel;
    int sock;
    int failed;
} workers[WORKERS];
static struct members members;

static void on_failed(struct member *member, int error)
{
    ((struct worker *)member)->failed = error; /* its first member */
    members_leave(member);
}

static void join(int which, const char *pool)
{
    struct proto_member body = {.incarnation = 100 + (uint64_t)which, .slot = (uint64_t)which};
    (void)snprintf(body.pool, sizeof(body.pool), "%s", pool);
    struct worker *worker = &workers[which];
    assert_true(members_join(&members, &worker->member, &worker->channel, &body, on_failed));
}

/* Three that have joined, and a fourth. */
static int set_up(void **state)
{
    (void)state;
    members = (struct members){.first = NULL};
    for (int i = 0; i < WORKERS; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
            return -1;
        }
        workers[i] = (struct worker){.channel.sock = pair[0], .sock = pair[1]};
    }
    for (int i = 0; i < WORKERS - 1; i++) {
        join(i, "web");
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < WORKERS; i++) {
        members_leave(&workers[i].member);
        (void)close(workers[i].channel.sock);
        (void)close(workers[i].sock);
    }
    assert_int_equal(members.claims.names, 0);
    return 0;
}

/* The next message that is about a name, as text; "" when there is none. */
static const char *read_one(int which, int *ret_fd)
{
    static const char *const why[] = {"", "exists", "overload"};
    static char text[512];
    struct wire_message message;
    struct fsd_err *no_err = NULL;
    do {
        if (wire_recv(workers[which].sock, PROTO_TO_WORKER, &message, no_err) != 1) {
            return "";
        }
    } while (message.head.kind == PROTO_MEMBER || message.head.kind == PROTO_GONE);
    struct proto_named named;
    struct proto_taken taken;
    memcpy(&named, message.payload, sizeof(named));
    memcpy(&taken, message.payload, sizeof(taken));
    *ret_fd = message.fd;
    if (message.head.kind == PROTO_TAKEN) {
        (void)snprintf(text, sizeof(text), "TAKEN %d %s %.*s", (int)taken.serial, why[taken.why],
                       (int)(message.head.size - sizeof(taken)), message.payload + sizeof(taken));
    } else if (message.head.kind == PROTO_NAMES) {
        (void)snprintf(text, sizeof(text), "NAMES");
    } else {
        (void)snprintf(text, sizeof(text), "%s %d.%d %.*s",
                       message.head.kind == PROTO_NAMED ? "NAMED" : "UNNAMED",
                       (int)named.incarnation, (int)named.serial,
                       (int)(message.head.size - sizeof(named)), message.payload + sizeof(named));
    }
    return text;
}

static void expect(int which, const char *wanted)
{
    int fd = -1;
    assert_string_equal(read_one(which, &fd), wanted);
    assert_int_equal(fd, -1);
}

static void expect_all(const char *wanted)
{
    for (int i = 0; i < WORKERS - 1; i++) {
        expect(i, wanted);
    }
}

static void read_rest(int which)
{
    int fd = -1;
    while (read_one(which, &fd)[0] != '\0') {
        assert_int_equal(fd, -1);
    }
}

/* NAMES, with these. */
static void expect_names(int which, const char *wanted)
{
    int fd = -1;
    assert_string_equal(read_one(which, &fd), "NAMES");
    const void *data = NULL;
    size_t len = 0;
    char text[512] = "";
    assert_int_equal(fd_map_sealed(fd, &data, &len), 0);
    struct msgpack_reader reader;
    struct msgpack_value value;
    msgpack_reader_init(&reader, data, len);
    assert_int_equal(msgpack_expect(&reader, MSGPACK_ARRAY, &value), 0);
    for (uint32_t count = value.count; count > 0; count--) {
        struct msgpack_value parts[4];
        assert_int_equal(msgpack_expect(&reader, MSGPACK_ARRAY, &value), 0);
        assert_int_equal(value.count, 4);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(msgpack_read(&reader, &parts[i]), 0);
        }
        size_t at = strlen(text);
        (void)snprintf(text + at, sizeof(text) - at, "%.*s %d.%d.%d\n", (int)parts[0].len,
                       parts[0].bytes, (int)parts[1].integer, (int)parts[2].integer,
                       (int)parts[3].integer);
    }
    assert_ptr_equal(reader.at, reader.end);
    assert_string_equal(text, wanted);
    fd_unmap(data, len);
    assert_int_equal(close(fd), 0);
}

static void claim(int which, const char *name, unsigned serial, bool waits)
{
    struct proto_claim body = {.serial = serial, .index = serial + 1, .waits = waits};
    naming_claim(&workers[which].member, &body, name);
}

static void unclaim(int which, const char *name, unsigned serial)
{
    struct proto_claim body = {.serial = serial, .index = serial + 1};
    naming_unclaim(&workers[which].member, &body, name);
}

static void all_are_told_who_has_a_name(void **state)
{
    (void)state;
    claim(1, "x", 7, false);
    expect_all("NAMED 101.7 x");
    claim(2, "x", 8, false);
    expect(2, "TAKEN 8 exists x");
    unclaim(2, "x", 8);
    unclaim(2, "y", 8);
    expect_all("");
    unclaim(1, "x", 7);
    expect_all("UNNAMED 101.7 x");
}

static void who_joins_gets_the_names_that_are_held(void **state)
{
    (void)state;
    claim(1, "x", 7, false);
    claim(2, "x", 8, true);
    join(3, "web");
    expect_names(3, "x 101.7.8\n");
    expect(3, "");
    expect_all("NAMED 101.7 x");
    expect_all("");
}

static void the_names_of_one_that_ends_go_to_who_waits(void **state)
{
    (void)state;
    claim(1, "x", 7, true);
    claim(1, "y", 8, false);
    claim(2, "x", 9, true);
    expect_all("NAMED 101.7 x");
    expect_all("NAMED 101.8 y");
    members_leave(&workers[1].member);
    expect(0, "NAMED 102.9 x");
    expect(2, "NAMED 102.9 x");
    expect(0, "");
}

static void one_that_leaves_gets_nothing_it_waits_for(void **state)
{
    (void)state;
    claim(1, "x", 7, true);
    claim(2, "x", 8, true);
    claim(0, "x", 9, true);
    naming_pass_over(&workers[2].member);
    expect_all("NAMED 101.7 x");
    unclaim(1, "x", 7);
    expect_all("NAMED 100.9 x");
    naming_release(&members, "web");
    unclaim(0, "x", 9);
    expect_all("UNNAMED 100.9 x");
}

static void a_pool_that_has_started_gets_what_its_workers_wait_for(void **state)
{
    (void)state;
    join(3, "jobs");
    for (int i = 0; i < WORKERS; i++) {
        workers[i].member.claimant.is_passed_over = true;
    }
    claim(3, "x", 6, true);
    claim(1, "x", 7, true);
    claim(2, "x", 8, true);
    claim(1, "y", 9, true);
    claim(2, "y", 10, true);
    expect_all("");
    naming_release(&members, "web");
    assert_int_equal(workers[1].member.claimant.kept, 1);
    assert_int_equal(workers[2].member.claimant.kept, 1);
    assert_int_equal(workers[3].member.claimant.kept, 0);
}

static void one_that_does_not_read_gets_all_names_when_it_has_read(void **state)
{
    (void)state;
    claim(1, "stays", 1, false);
    for (unsigned i = 0; i < 2000; i++) {
        claim(1, "x", 7 + i, false);
        unclaim(1, "x", 7 + i);
        read_rest(1); /* these do */
        read_rest(2);
    }
    claim(1, "new", 2, false);
    assert_true(workers[0].member.is_behind);
    assert_false(workers[2].member.is_behind);
    assert_int_equal(workers[0].failed, 0);
    join(3, "web"); /* of that it is told, because there is room */
    int others = 0;
    struct wire_message message;
    while (wire_recv(workers[0].sock, PROTO_TO_WORKER, &message, NULL) == 1) {
        others += message.head.kind == PROTO_MEMBER;
    }
    assert_int_equal(others, 3);
    naming_catch_up(&workers[0].member);
    expect_names(0, "stays 101.1.2\nnew 101.2.3\n");
    unclaim(1, "new", 2);
    expect(0, "UNNAMED 101.2 new");
    naming_catch_up(&workers[0].member);
    expect(0, "");
}

static void who_cannot_be_told_ends_and_its_names_are_free(void **state)
{
    (void)state;
    claim(2, "x", 7, false);
    claim(1, "x", 8, true);
    (void)close(workers[2].sock);
    workers[2].sock = -1;
    claim(0, "y", 9, false);
    assert_true(workers[2].failed < 0);
    expect(0, "NAMED 102.7 x");
    expect(0, "NAMED 100.9 y");
    expect(0, "NAMED 101.8 x");
    expect(0, "");
}

static void too_many_names_are_refused(void **state)
{
    (void)state;
    char name[16];
    for (unsigned i = 0; i < CLAIMS_OF_ONE_MAX; i++) {
        (void)snprintf(name, sizeof(name), "%u", i);
        claim(1, name, i, false);
        for (int w = 0; w < WORKERS - 1; w++) {
            read_rest(w);
        }
    }
    claim(2, "one more", 7, false);
    expect(2, "TAKEN 7 overload one more");
}

static void claims_of_before_an_upgrade_are_there(void **state)
{
    (void)state;
    struct claim_actor holder = {.serial = 7, .index = 8, .waits = true};
    struct claim_actor waiting = {.serial = 8, .index = 9, .waits = true};
    members = (struct members){.first = NULL};
    for (int i = 0; i < 2; i++) {
        struct proto_member body = {.incarnation = 100 + (uint64_t)i};
        members_rejoin(&members, &workers[i].member, &workers[i].channel, &body, on_failed);
        read_rest(i);
    }
    assert_true(naming_restore(&members, 100, "x", &holder, true));
    assert_true(naming_restore(&members, 101, "x", &waiting, false));
    assert_false(naming_restore(&members, 101, "x", &holder, true));
    assert_false(naming_restore(&members, 102, "y", &holder, true));
    expect(0, "");
    unclaim(0, "x", 7);
    expect(0, "NAMED 101.8 x");
    expect(1, "NAMED 101.8 x");
}

int main(void)
{
#define NAMING_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        NAMING_TEST(all_are_told_who_has_a_name),
        NAMING_TEST(who_joins_gets_the_names_that_are_held),
        NAMING_TEST(the_names_of_one_that_ends_go_to_who_waits),
        NAMING_TEST(one_that_leaves_gets_nothing_it_waits_for),
        NAMING_TEST(a_pool_that_has_started_gets_what_its_workers_wait_for),
        NAMING_TEST(one_that_does_not_read_gets_all_names_when_it_has_read),
        NAMING_TEST(who_cannot_be_told_ends_and_its_names_are_free),
        NAMING_TEST(too_many_names_are_refused),
        NAMING_TEST(claims_of_before_an_upgrade_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
