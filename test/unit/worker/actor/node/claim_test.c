/* Names for all workers, with the test as the master. */
#include "worker/actor/node/claim.h"

#include <errno.h>
#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fd.h"
#include "common/msgpack.h"
#include "common/wire.h"
#include "test/support/actors_run.h"
#include "worker/actor/mod_actor.h"
#include "worker/actor/mod_core.h"
#include "worker/core/link.h"

static struct link channel;
static int master;
static struct proto_claim asked; /* the last claim */

static const char prelude[] =
    "package.preload['do'] = function() return function(text)\n"
    "  local f = assert(load('local actor, core, task = ... ' .. text))\n"
    "  local ok, result = pcall(f, require('fsd.actor'), require('fsd.actor.core'))\n"
    "  if not ok then if result.name == 'ExitError' then error(result, 0) end\n"
    "    tell(result.code or result) elseif result then tell(result) end\n"
    "end end\n"
    "local spawn = require('fsd.actor').spawn\n"
    "function run(text) return spawn('do', text) end\n"
    "NODE = { scope = 'node' }\n";

static void on_message(struct link *link, struct wire_message *message)
{
    (void)link;
    (void)message;
}

static void on_link_gone(struct link *link, const char *why)
{
    (void)link;
    fail_msg("%s", why);
}

static int set_up(void **state)
{
    (void)state;
    int pair[2];
    runtime_init(&runtime);
    runtime.incarnation = OWN;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0 ||
        link_open(&channel, &runtime.loop, pair[1], on_message, on_link_gone) != 0) {
        return -1;
    }
    master = pair[0];
    runtime.link = &channel;
    lua_State *L = runtime.L;
    luaL_requiref(L, "fsd.actor", luaopen_fsd_actor, 0);
    luaL_requiref(L, "fsd.actor.core", luaopen_fsd_actor_core, 0);
    begin_telling(prelude);
    struct wire_message message;
    return wire_recv(master, PROTO_TO_MASTER, &message, NULL) == 1 &&
                   message.head.kind == PROTO_JOIN
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    struct actors *actors = runtime.actors;
    int fd = channel.watch.fd;
    stop_all();
    timer_clear(&runtime.loop.timers, &limit);
    assert_true(actors_are_idle(actors));
    assert_int_equal(runtime.tasks.live, 0);
    assert_int_equal(lua_gettop(runtime.L), 0);
    link_fini(&channel);
    (void)close(fd);
    (void)close(master);
    runtime_fini(&runtime);
    actors_free(actors);
    return 0;
}

/* Runs the text in a new actor, until it waits or has ended. */
static void run(const char *text)
{
    struct task *task = task_new(&runtime, &owner, NULL);
    lua_getglobal(task->L, "run");
    lua_pushstring(task->L, text);
    task_start(task, 1);
    turn();
}

/* What the master is told next is this. */
static void expect(enum proto_kind kind, const char *name)
{
    struct wire_message message;
    assert_int_equal(wire_recv(master, PROTO_TO_MASTER, &message, NULL), 1);
    assert_int_equal(message.head.kind, kind);
    assert_int_equal(message.head.size - sizeof(asked), strlen(name));
    memcpy(&asked, message.payload, sizeof(asked));
    assert_memory_equal(message.payload + sizeof(asked), name, strlen(name));
}

static void expect_nothing(void)
{
    struct wire_message message;
    assert_int_equal(wire_recv(master, PROTO_TO_MASTER, &message, NULL), -EAGAIN);
}

static void expect_told(const char *wanted)
{
    assert_string_equal(told, wanted);
    told[0] = '\0';
}

static void say(enum proto_kind kind, const void *body, size_t size, const char *name)
{
    struct wire_message message = {.head = {.kind = kind}, .fd = -1};
    message.head.size = (uint32_t)(size + strlen(name));
    memcpy(message.payload, body, size);
    memcpy(message.payload + size, name, strlen(name));
    claim_on_message(&runtime, &message);
    turn();
}

static void say_named(enum proto_kind kind, uint64_t incarnation, const char *name)
{
    struct proto_named body = {
        .incarnation = incarnation, .serial = asked.serial, .index = asked.index};
    say(kind, &body, sizeof(body), name);
}

static void say_taken(enum proto_taken_why why, const char *name)
{
    struct proto_taken body = {.serial = asked.serial, .index = asked.index, .why = why};
    say(PROTO_TAKEN, &body, sizeof(body), name);
}

static void say_list(const void *data, size_t len)
{
    struct wire_message message = {.head = {.kind = PROTO_NAMES}};
    message.fd = fd_sealed_from("test", data, len);
    assert_true(message.fd >= 0);
    claim_on_message(&runtime, &message);
    (void)close(message.fd);
    turn();
}

static void write_entry(struct msgpack_writer *writer, const char *name, int64_t incarnation)
{
    msgpack_write_array(writer, 4);
    msgpack_write_text(writer, name);
    msgpack_write_int(writer, incarnation);
    msgpack_write_int(writer, (int64_t)asked.serial);
    msgpack_write_int(writer, asked.index);
}

static void who_registers_waits_for_the_master(void **state)
{
    (void)state;
    run("actor.register('x', NODE) tell(actor.whereis('x') == actor.self()) actor.receive()");
    expect(PROTO_CLAIM, "x");
    assert_int_equal(asked.waits, 0);
    expect_told("");
    say_named(PROTO_NAMED, OWN, "x");
    expect_told("true;");
    say_named(PROTO_NAMED, OWN, "x"); /* known already */
    run("actor.unregister('x') return actor.whereis('x') == nil");
    expect_told("true;");
    expect(PROTO_UNCLAIM, "x");
    say_named(PROTO_UNNAMED, OWN, "x");
}

static void who_is_refused_gets_an_error(void **state)
{
    (void)state;
    run("actor.register('x', NODE)");
    expect(PROTO_CLAIM, "x");
    say_taken(PROTO_TAKEN_EXISTS, "x");
    expect_told("exists;");
    run("actor.spawn('do', 'tell(1)', { name = 'x', scope = 'node' })");
    expect(PROTO_CLAIM, "x");
    say_taken(PROTO_TAKEN_OVERLOAD, "x");
    expect_told("overload;");
    expect_nothing();
    assert_int_equal(runtime.actors->live, 0);
    say_taken(PROTO_TAKEN_EXISTS, "x"); /* nobody is there to hear it */
}

static void an_actor_begins_when_it_has_its_name(void **state)
{
    (void)state;
    run("local pid, ref = actor.spawn_monitor('do', 'tell(actor.whereis(\"x\") == actor.self())', "
        "{ name = 'x', scope = 'node' }) return actor.receive()[4]");
    expect(PROTO_CLAIM, "x");
    expect_told("");
    say_named(PROTO_NAMED, OWN, "x");
    expect_told("true;normal;");
    expect(PROTO_UNCLAIM, "x");
}

static void an_actor_whose_spawner_ends_meanwhile_never_begins(void **state)
{
    (void)state;
    run("first = actor.self() actor.spawn('do', 'tell(1)', { name = 'x', scope = 'node' })");
    expect(PROTO_CLAIM, "x");
    assert_int_equal(runtime.actors->live, 2);
    run("actor.exit(first, 'kill')");
    expect(PROTO_UNCLAIM, "x");
    say_named(PROTO_NAMED, OWN, "x");
    expect_told("");
    assert_int_equal(runtime.actors->live, 0);
    run("return tostring(actor.whereis('x'))");
    expect_told("nil;");
}

/* The answer has come, but the spawner does not go on any more. */
static void an_actor_whose_spawner_ends_with_the_answer_never_begins(void **state)
{
    (void)state;
    static const enum proto_kind kinds[] = {PROTO_NAMED, PROTO_TAKEN};
    for (size_t i = 0; i < 2; i++) {
        run("first = actor.self() actor.spawn('do', 'tell(1)', { name = 'x', scope = 'node' })");
        expect(PROTO_CLAIM, "x");
        struct proto_named named = {
            .incarnation = OWN, .serial = asked.serial, .index = asked.index};
        struct proto_taken taken = {.serial = asked.serial, .index = asked.index, .why = 1};
        struct wire_message message = {.head = {.kind = kinds[i]}, .fd = -1};
        size_t size = i == 0 ? sizeof(named) : sizeof(taken);
        memcpy(message.payload, i == 0 ? (void *)&named : (void *)&taken, size);
        message.payload[size] = 'x';
        message.head.size = (uint32_t)size + 1;
        struct task *task = task_new(&runtime, &owner, NULL);
        if (luaL_loadstring(task->L, "require('fsd.actor').exit(first, 'kill')") != LUA_OK) {
            fail();
        }
        claim_on_message(&runtime, &message); /* wakes the spawner, in this turn */
        task_start(task, 0);
        turn();
        expect_told("");
        assert_int_equal(runtime.actors->live, 0);
        if (kinds[i] == PROTO_NAMED) {
            expect(PROTO_UNCLAIM, "x");
        }
        expect_nothing();
    }
}

static void a_stop_ends_who_has_not_begun(void **state)
{
    (void)state;
    run("actor.spawn('do', 'tell(1)', { name = 'x', scope = 'node' })");
    expect(PROTO_CLAIM, "x");
    stop_all();
    timer_clear(&runtime.loop.timers, &limit);
    expect_told("");
    assert_int_equal(runtime.actors->live, 0);
    expect(PROTO_UNCLAIM, "x");
}

static void one_that_ends_while_another_registers_it_is_no_more(void **state)
{
    (void)state;
    run("first = actor.self() actor.receive()");
    run("actor.register('x', first, NODE)");
    expect(PROTO_CLAIM, "x");
    run("actor.exit(first, 'kill')");
    expect_told("noproc;");
    expect(PROTO_UNCLAIM, "x");
}

static void who_stops_waiting_gives_the_name_back(void **state)
{
    (void)state;
    run("first = actor.self() actor.receive()");
    run("second = actor.self() actor.register('x', first, NODE)");
    expect(PROTO_CLAIM, "x");
    run("actor.exit(second, 'kill')");
    expect(PROTO_UNCLAIM, "x");
    say_named(PROTO_NAMED, OWN, "x");
    run("return tostring(actor.whereis('x'))");
    expect_told("nil;");
}

static void a_name_that_is_waited_for_comes_as_a_signal(void **state)
{
    (void)state;
    run("core.claim('job') local m, _, kind = actor.receive() tell(kind .. m[1] .. m[2]) "
        "core.unclaim() core.unclaim() return tostring(actor.whereis('job'))");
    expect(PROTO_CLAIM, "job");
    assert_int_equal(asked.waits, 1);
    say_named(PROTO_NAMED, OWN, "job");
    expect_told("system$namedjob;nil;");
    expect(PROTO_UNCLAIM, "job");
    expect_nothing();
    run("core.claim('job') local m = actor.receive() tell(m[1] .. m[2] .. m[3])");
    expect(PROTO_CLAIM, "job");
    say_taken(PROTO_TAKEN_OVERLOAD, "job");
    expect_told("$takenjoboverload;");
    expect_nothing();
}

/* What an actor with such a name has started ends before another one may begin. */
static void a_name_that_was_waited_for_is_given_back_behind_those_of_linked_ones(void **state)
{
    (void)state;
    run("first = actor.self() core.claim('job') actor.receive() "
        "actor.spawn_link('do', 'actor.receive()', { name = 'child', scope = 'node' }) "
        "actor.receive()");
    expect(PROTO_CLAIM, "job");
    say_named(PROTO_NAMED, OWN, "job");
    expect(PROTO_CLAIM, "child");
    say_named(PROTO_NAMED, OWN, "child");
    run("actor.exit(first, 'kill') return tostring(actor.whereis('job'))");
    expect_told("nil;");
    expect(PROTO_UNCLAIM, "child");
    expect(PROTO_UNCLAIM, "job");
}

static void names_of_others_come_and_go(void **state)
{
    (void)state;
    asked = (struct proto_claim){.serial = 5, .index = 6};
    say_named(PROTO_NAMED, 8, "x");
    run("return tostring(actor.whereis('x'))");
    expect_told("<0.8.6.5>;");
    run("actor.unregister('x')");
    expect_told("elsewhere;");
    say_named(PROTO_UNNAMED, 9, "x"); /* not its */
    say_named(PROTO_NAMED, 9, "y");
    run("local n = 0 for _ in pairs(actor.registered(NODE)) do n = n + 1 end return n");
    expect_told("2;");
    struct proto_peer unlinked = {.incarnation = 8, .link = 1}; /* it lives */
    say(PROTO_GONE, &unlinked, sizeof(unlinked), "");
    struct proto_peer gone = {.incarnation = 9};
    say(PROTO_GONE, &gone, sizeof(gone), "");
    run("return tostring(actor.whereis('x')) .. tostring(actor.whereis('y'))");
    expect_told("<0.8.6.5>nil;");
    say_named(PROTO_UNNAMED, 8, "x");
    run("return tostring(actor.whereis('x'))");
    expect_told("nil;");
}

static void a_list_takes_the_place_of_all_names(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    asked = (struct proto_claim){.serial = 5, .index = 6};
    say_named(PROTO_NAMED, 8, "old");
    run("actor.register('mine', NODE) tell('got') actor.receive()");
    expect(PROTO_CLAIM, "mine");
    msgpack_writer_init(&writer, 1000);
    msgpack_write_array(&writer, 3);
    write_entry(&writer, "mine", OWN);  /* which is the answer, too */
    write_entry(&writer, "ended", OWN); /* it is being given back */
    write_entry(&writer, "new", 8);
    say_list(writer.data, writer.len);
    msgpack_writer_fini(&writer);
    expect_told("got;");
    run("local t = {} for name in pairs(actor.registered(NODE)) do t[#t + 1] = name end "
        "table.sort(t) return table.concat(t, ' ')");
    expect_told("mine new;");
}

static void what_is_no_list_is_survived(void **state)
{
    (void)state;
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, 1000);
    asked = (struct proto_claim){.serial = 5, .index = 6};
    msgpack_write_array(&writer, 1);
    write_entry(&writer, "x", 8);
    for (size_t len = 1; len < writer.len; len++) {
        say_list(writer.data, len);
    }
    static const char *const wrong[] = {"\xc0", "\x91\xc0", "\x91\x94\x01\x01\x01\x01",
                                        "\x91\x94\xa1x\xc0\x01\x01"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        say_list(wrong[i], strlen(wrong[i]));
    }
    say_list(writer.data, writer.len);
    msgpack_writer_fini(&writer);
    run("return tostring(actor.whereis('x'))");
    expect_told("<0.8.6.5>;");
}

static void a_master_that_does_not_answer_is_not_asked_without_end(void **state)
{
    (void)state;
    run("for i = 1, 5000 do local pid = actor.spawn('do', [[core.claim(('x'):rep(255))]]) end");
    for (int i = 0; i < 50; i++) {
        turn();
    }
    assert_true(link_waiting(&channel) > 1 << 20);
    assert_true(link_waiting(&channel) < 3 << 20);
    assert_non_null(strstr(told, "overload;"));
    struct wire_message message;
    while (link_waiting(&channel) > 0) {
        while (wire_recv(master, PROTO_TO_MASTER, &message, NULL) == 1) {
        }
        turn();
    }
}

int main(void)
{
#define CLAIM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CLAIM_TEST(who_registers_waits_for_the_master),
        CLAIM_TEST(who_is_refused_gets_an_error),
        CLAIM_TEST(an_actor_begins_when_it_has_its_name),
        CLAIM_TEST(an_actor_whose_spawner_ends_meanwhile_never_begins),
        CLAIM_TEST(an_actor_whose_spawner_ends_with_the_answer_never_begins),
        CLAIM_TEST(a_stop_ends_who_has_not_begun),
        CLAIM_TEST(one_that_ends_while_another_registers_it_is_no_more),
        CLAIM_TEST(who_stops_waiting_gives_the_name_back),
        CLAIM_TEST(a_name_that_is_waited_for_comes_as_a_signal),
        CLAIM_TEST(a_name_that_was_waited_for_is_given_back_behind_those_of_linked_ones),
        CLAIM_TEST(names_of_others_come_and_go),
        CLAIM_TEST(a_list_takes_the_place_of_all_names),
        CLAIM_TEST(what_is_no_list_is_survived),
        CLAIM_TEST(a_master_that_does_not_answer_is_not_asked_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
