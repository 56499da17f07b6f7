#include "worker/actor/renewal.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/support/actors_run.h"
#include "worker/actor/actor.h"
#include "worker/actor/mod_actor.h"
#include "worker/actor/mod_core.h"
#include "worker/core/generation.h"

/* The body of every actor: runs the text that it is given, and tells how it ends. */
static const char prelude[] =
    "package.preload['do'] = function() return function(text)\n"
    "  local ended <close> = setmetatable({}, { __close = function(_, err) tell(err and (err.code "
    "or err.reason) or "
    "'ended') end })\n"
    "  load('local actor, core = ... ' .. text)(require('fsd.actor'), require('fsd.actor.core'))\n"
    "end end\n"
    "package.preload['fsd.do'] = package.preload['do']\n"
    "local spawn = require('fsd.actor').spawn\n"
    "function run(text) return spawn('do', text) end\n"
    "function run_library(text) return spawn('fsd.do', text) end\n"
    "function told_of() local message, _, kind = require('fsd.actor').receive()\n"
    "  tell(kind .. ' ' .. message[1] .. ' ' .. message[2]) end\n";

static struct generation running;

static int set_up(void **state)
{
    (void)state;
    runtime_init(&runtime);
    runtime.incarnation = OWN;
    running = (struct generation){.number = 7, .require_ref = LUA_NOREF};
    lua_State *L = runtime.L;
    luaL_requiref(L, "fsd.actor", luaopen_fsd_actor, 0);
    luaL_requiref(L, "fsd.actor.core", luaopen_fsd_actor_core, 0);
    begin_telling(prelude);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_all();
    struct actors *actors = runtime.actors;
    runtime.generation = NULL;
    generations_fini(&runtime);
    timer_clear(&runtime.loop.timers, &limit);
    assert_int_equal(runtime.tasks.live, 0);
    assert_int_equal(lua_gettop(runtime.L), 0);
    runtime_fini(&runtime);
    actors_free(actors);
    return 0;
}

/* Starts an actor that runs that text, until it first waits; returns it. */
static struct actor *spawn_by(const char *function, const char *text)
{
    struct task *task = task_new(&runtime, &owner, NULL);
    lua_getglobal(task->L, function);
    lua_pushstring(task->L, text);
    task_start(task, 1);
    turn();
    struct actor *newest = NULL;
    for (uint32_t i = 1; i < runtime.actors->slot_count; i++) {
        struct actor *actor = runtime.actors->slots[i].actor;
        if (actor != NULL && (newest == NULL || actor->serial > newest->serial)) {
            newest = actor;
        }
    }
    assert_non_null(newest);
    return newest;
}

static struct actor *spawn(const char *text)
{
    return spawn_by("run", text);
}

static void load_code(void)
{
    lua_getglobal(runtime.L, "require");
    running.require_ref = luaL_ref(runtime.L, LUA_REGISTRYINDEX);
    runtime.generation = &running;
}

static void replace_code(void)
{
    running.number++;
    renewal_tell(runtime.actors);
    turn();
}

static void whoever_follows_the_code_is_told_what_it_runs(void **state)
{
    (void)state;
    load_code();
    struct actor *actor = spawn("core.follow_code() told_of() told_of()");
    assert_string_equal(told, "");
    replace_code();
    assert_string_equal(told, "system $code_change 7;");
    assert_int_equal(generations_of(&runtime, actor->task), 7);
    replace_code();
    assert_string_equal(told, "system $code_change 7;system $code_change 7;ended;");
}

static void whoever_has_moved_runs_on_the_current_code(void **state)
{
    (void)state;
    load_code();
    struct actor *actor = spawn("core.follow_code() told_of() core.has_new_code() told_of()");
    replace_code();
    assert_int_equal(generations_of(&runtime, actor->task), 8);
    replace_code();
    assert_string_equal(told, "system $code_change 7;system $code_change 8;ended;");
}

static void whoever_does_not_follow_is_not_told(void **state)
{
    (void)state;
    load_code();
    (void)spawn("told_of()");
    (void)spawn("core.follow_code() core.unfollow_code() told_of()");
    replace_code();
    assert_string_equal(told, "");
}

static void whoever_begins_to_follow_behind_the_change_is_told_at_once(void **state)
{
    (void)state;
    load_code();
    (void)spawn("actor.receive() core.follow_code() told_of()");
    replace_code();
    assert_string_equal(told, "");
    (void)spawn("for _, pid in ipairs(actor.list()) do actor.send(pid, 'go on') end\n"
                "actor.receive() actor.receive()"); /* it has sent to itself, too */
    turn();
    assert_string_equal(told, "system $code_change 7;ended;");
}

static void what_the_library_runs_moves_without_a_word(void **state)
{
    (void)state;
    load_code();
    struct actor *actor = spawn_by("run_library", "told_of()");
    replace_code();
    assert_int_equal(generations_of(&runtime, actor->task), 8);
    assert_string_equal(told, "");
}

static void whoever_has_no_code_change_ends_when_its_time_is_over(void **state)
{
    (void)state;
    load_code();
    struct actor *actor = spawn("actor.receive()");
    (void)spawn("for _, pid in ipairs(actor.list()) do actor.monitor(pid) end\n"
                "tell(actor.receive()[4]) actor.receive()");
    replace_code();
    renewal_end(actor->task);
    turn();
    assert_string_equal(told, "ended;replaced;");
}

static void whoever_traps_that_is_killed_the_next_time(void **state)
{
    (void)state;
    load_code();
    struct actor *actor =
        spawn("actor.trap_exit(true) tell(actor.receive()[3]) actor.receive() tell('not here')");
    replace_code();
    renewal_end(actor->task);
    turn();
    assert_string_equal(told, "replaced;");
    renewal_end(actor->task);
    turn();
    assert_null(strstr(told, "not here"));
    assert_int_equal(runtime.actors->live, 0);
}

static void a_code_change_that_takes_too_long_is_cut(void **state)
{
    (void)state;
    load_code();
    struct actor *actor =
        spawn("core.follow_code() told_of() local ok, err = pcall(actor.receive)\n"
              "tell(err.code) core.refuse_code() actor.receive()");
    replace_code();
    renewal_end(actor->task);
    turn();
    assert_string_equal(told, "system $code_change 7;replaced;");
    renewal_end(actor->task); /* it has said that it stays */
    turn();
    assert_int_equal(runtime.actors->live, 1);
    assert_int_equal(generations_of(&runtime, actor->task), 7);
}

static void the_next_code_change_of_whoever_has_refused_is_cut_too(void **state)
{
    (void)state;
    load_code();
    struct actor *actor = spawn(
        "core.follow_code() told_of() core.refuse_code() core.begin_code()\n"
        "local ok, err = pcall(actor.receive) tell(err.code) core.refuse_code() actor.receive()");
    replace_code();
    renewal_end(actor->task);
    turn();
    assert_string_equal(told, "system $code_change 7;replaced;");
    renewal_end(actor->task);
    turn();
    assert_int_equal(runtime.actors->live, 1);
}

static void where_there_are_no_actors_nobody_is_told(void **state)
{
    (void)state;
    renewal_tell(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(whoever_follows_the_code_is_told_what_it_runs),
        TEST(whoever_has_moved_runs_on_the_current_code),
        TEST(whoever_does_not_follow_is_not_told),
        TEST(whoever_begins_to_follow_behind_the_change_is_told_at_once),
        TEST(what_the_library_runs_moves_without_a_word),
        TEST(whoever_has_no_code_change_ends_when_its_time_is_over),
        TEST(whoever_traps_that_is_killed_the_next_time),
        TEST(a_code_change_that_takes_too_long_is_cut),
        TEST(the_next_code_change_of_whoever_has_refused_is_cut_too),
        TEST(where_there_are_no_actors_nobody_is_told),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
