#include "worker/actor/actors.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/support/actors_run.h"
#include "worker/actor/mod_actor.h"

/* The body of every actor: runs the text that it is given, and tells what that returns or raises. */
static const char prelude[] =
    "package.preload['do'] = function() return function(text)\n"
    "  local ok, result = pcall(load('local actor, other = ... ' .. text), require('fsd.actor'), "
    "other)\n"
    "  if ok then tell(result) elseif result.name ~= 'ExitError' then tell(result.code or result) "
    "end\n"
    "end end\n"
    "local spawn = require('fsd.actor').spawn\n"
    "function run(text) return spawn('do', text) end\n";

static int set_up(void **state)
{
    (void)state;
    runtime_init(&runtime);
    runtime.incarnation = OWN;
    lua_State *L = runtime.L;
    luaL_requiref(L, "fsd.actor", luaopen_fsd_actor, 0);
    struct pid pid = {.incarnation = OWN + 1, .index = 1, .serial = 1};
    pid_push(L, &pid);
    lua_setglobal(L, "other");
    begin_telling(prelude);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct actors *actors = runtime.actors;
    assert_true(actors_are_idle(actors));
    assert_int_equal(runtime.tasks.live, 0);
    timer_clear(&runtime.loop.timers, &limit);
    assert_int_equal(runtime.loop.timers.count, 0);
    assert_int_equal(lua_gettop(runtime.L), 0);
    runtime_fini(&runtime);
    actors_free(actors);
    return 0;
}

/* Spawns an actor for each text, from a task. */
static void spawn(const char *text)
{
    struct task *task = task_new(&runtime, &owner, NULL);
    lua_getglobal(task->L, "run");
    lua_pushstring(task->L, text);
    task_start(task, 1);
}

static const struct elsewhere {
    const char *text;
    const char *told;
} elsewhere[] = {
    {"actor.send(other, 1) return 'lost'", "lost;"},
    {"return select(2, actor.try_send(other, 1))", "noconnection;"},
    {"return actor.call(other, 1)", "noconnection;"},
    {"return actor.alive(other)", "false;"},
    {"return actor.info(other)", "nil;"},
    {"actor.monitor(other) local m = actor.receive(0) return tostring(m[3] == other) .. m[4]",
     "truenoconnection;"},
    {"actor.link(other)", "noconnection;"},
    {"actor.trap_exit(true) actor.link(other) return actor.receive(0)[3]", "noconnection;"},
    {"actor.exit(other, 'kill') return 'lost'", "lost;"},
    {"actor.register('name', other)", "noproc;"},
};

static void an_actor_of_a_worker_that_is_gone_has_no_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        told[0] = '\0';
        spawn(elsewhere[i].text);
        turn();
        assert_string_equal(told, elsewhere[i].told);
    }
    stop_all();
}

static void a_pid_of_old_does_not_reach_the_next_actor_of_its_place(void **state)
{
    (void)state;
    spawn("first = actor.self() actor.receive() return 'first'");
    turn();
    spawn("actor.exit(first, 'x') return 'gone'");
    turn();
    spawn("local me = tostring(actor.self()) same = me:match('%.(%d+)%.%d+>') == "
          "tostring(first):match('%.(%d+)%.%d+>') "
          "actor.receive() return 'second'");
    turn();
    spawn("actor.send(first, 1) return tostring(same) .. tostring(actor.alive(first))");
    turn();
    assert_string_equal(told, "gone;truefalse;");
    stop_all();
}

static void there_is_a_limit_to_the_number_of_actors(void **state)
{
    (void)state;
    uint32_t live = runtime.actors->live;
    spawn("return actor.spawn('do', '')");
    runtime.actors->live = ACTORS_MAX;
    turn();
    runtime.actors->live = live;
    assert_string_equal(told, "limit;");
    stop_all();
}

static void a_stop_without_actors_is_over_at_once(void **state)
{
    (void)state;
    stop_all();
}

static void a_stop_ends_actors_wherever_they_wait(void **state)
{
    (void)state;
    spawn("actor.receive()");
    spawn("actor.receive{ x = print, after = {60} }");
    spawn("local p = actor.spawn('do', 'actor.receive() actor.receive()') actor.call(p, 1, 60)");
    spawn("local p = actor.spawn('do', [[actor.call('deaf', 1)]], {mailbox = 1}) actor.send(p, 1) "
          "actor.send(p, 2, 60)");
    spawn("actor.register('deaf') actor.receive{ x = print }");
    turn();
    spawn("actor.receive()"); /* has not begun */
    stop_all();
    assert_string_equal(told, "");
}

/* A value with this finalizer; applications can't make one themselves. */
static int lua_finalized(lua_State *L)
{
    lua_settop(L, 1);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return 1;
}

static void finalizers_may_send_while_the_state_is_closed(void **state)
{
    (void)state;
    lua_register(runtime.L, "finalized", lua_finalized);
    spawn("self = actor.self() finalized(function() actor.send(self, 1) "
          "tell(select(2, pcall(actor.spawn, 'do'))) end) kept = nil return 'x'");
    turn();
    stop_all();
    lua_gc(runtime.L, LUA_GCCOLLECT);
    assert_non_null(strstr(told, "cannot spawn an actor here"));
    assert_int_equal(luaL_dostring(runtime.L, "kept = finalized(function() "
                                              "require('fsd.actor').send(self, 1) end)"),
                     LUA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_actor_of_a_worker_that_is_gone_has_no_connection, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_pid_of_old_does_not_reach_the_next_actor_of_its_place,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_is_a_limit_to_the_number_of_actors, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_stop_without_actors_is_over_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_ends_actors_wherever_they_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finalizers_may_send_while_the_state_is_closed, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
