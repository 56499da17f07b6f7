#include "worker/lib/spawned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_chunk.h"

enum { MANY = 10000 };

static void a_task_begins_at_the_end_of_the_turn(void **state)
{
    (void)state;
    assert_tells("local h = spawn(function(...) tell('begin') tell(task.current():status()) "
                 "tell(...) end, 'argument')\n"
                 "tell(h:status()) tell(task.current()) h:join() tell(h:status())",
                 "waiting nil begin running argument done ");
}

static void join_returns_all_results_also_later_and_to_many(void **state)
{
    (void)state;
    assert_tells("local h = spawn(function() task.yield() return nil, 'b', nil end)\n"
                 "for i = 1, 2 do spawn(function() tell(i .. select(2, h:join())) end) end\n"
                 "tell(select('#', h:join())) task.yield() tell(select('#', h:join()))",
                 "3 1b 2b 3 ");
}

static void join_raises_the_error_with_the_place_where_it_was_raised(void **state)
{
    (void)state;
    assert_tells("local function deep() error('boom', 0) end\n"
                 "local h = spawn(function() task.yield() deep() end)\n"
                 "local _, err = try(h.join, h) tell(err.message) tell(h:status())\n"
                 "tell(err.traceback:find('deep', 1, true) ~= nil)\n"
                 "local _, again = try(h.join, h) tell(rawequal(err, again))\n"
                 "h = spawn(error, fsd.error { code = 'own', message = 'x' })\n"
                 "tell(select(2, try(h.join, h)).code)",
                 "boom failed true true own ");
}

static void join_with_a_limit_raises_and_the_task_goes_on(void **state)
{
    (void)state;
    assert_tells("local h = spawn(function() task.sleep(0.01) tell('ended') return 'result' end)\n"
                 "tell(select(2, try(h.join, h, 0.001)))\n"
                 "tell(select(2, try(h.join, h, -1)).message)\n"
                 "tell(h:join(10))",
                 "TimeoutError: the task took too long (timeout) bad argument #2 to '?' (must not "
                 "be negative) "
                 "ended result ");
}

static void a_task_cannot_join_itself(void **state)
{
    (void)state;
    assert_tells(
        "spawn(function() local me = task.current() tell(select(2, try(me.join, me)).message) end)",
        "a task cannot join itself ");
}

static void cancelling_raises_where_it_waits(void **state)
{
    (void)state;
    assert_tells("local h = spawn(function()\n"
                 "  local c <close> = setmetatable({}, { __close = function() task.yield() "
                 "tell('closed') end })\n"
                 "  local _, err = try(task.sleep, 60) tell(err) err:rethrow()\n"
                 "end)\n"
                 "task.yield() tell(h:cancel('enough')) tell(h:cancel('again'))\n"
                 "local _, err = try(h.join, h)\n"
                 "tell(err) tell(err.reason) tell(h:status()) tell(h:cancel())",
                 "true true CancelError: the task was cancelled (cancelled) closed "
                 "CancelError: the task was cancelled (cancelled) enough cancelled false ");
}

static void one_that_is_cancelled_sees_the_reason(void **state)
{
    (void)state;
    assert_tells("local function wait() local _, err = try(task.sleep, 60) tell(err.reason) end\n"
                 "local told, silent = spawn(wait), spawn(wait)\n"
                 "task.yield() told:cancel('enough') silent:cancel() told:join() silent:join()\n"
                 "try(task.all, { wait, function() task.yield() error('first', 0) end })\n"
                 "task.yield() task.yield()",
                 "enough nil another task of the same task.all has failed ");
}

static void one_that_is_cancelled_before_it_began_does_not_run(void **state)
{
    (void)state;
    assert_tells("local h = spawn(tell, 'never') h:cancel('why')\n"
                 "local _, err = try(h.join, h) tell(err.code) tell(err.reason) tell(h:status())",
                 "cancelled why cancelled ");
}

static void one_that_catches_its_cancelling_may_end_well_or_badly(void **state)
{
    (void)state;
    assert_tells("local good = spawn(function() pcall(task.sleep, 60) return 'fine' end)\n"
                 "local bad = spawn(function() pcall(task.sleep, 60) error('worse', 0) end)\n"
                 "task.yield() good:cancel() bad:cancel()\n"
                 "tell(good:join()) tell(good:status())\n"
                 "tell(select(2, try(bad.join, bad))) tell(bad:status())",
                 "fine done worse failed ");
}

static void one_that_waits_on_is_closed_by_force(void **state)
{
    (void)state;
    assert_tells("local h = spawn(function() while true do pcall(task.sleep, 60) end end)\n"
                 "task.yield() h:cancel() local _, err = try(h.join, h) tell(err.code) tell(err) "
                 "tell(h:status())",
                 "killed Error: the task was ended by force: it still waited 1 s after it was "
                 "cancelled (killed) failed ");
}

static void an_error_that_nobody_joins_is_logged_once(void **state)
{
    (void)state;
    assert_tells("spawn(error, 'lost')\n"
                 "local quiet = spawn(function() task.sleep(60) end) task.yield() quiet:cancel()\n"
                 "local joined = spawn(error, 'joined') task.yield() try(joined.join, joined)",
                 "");
    assert_logged(LOG_LEVEL_ERROR, "error in task: lost");
    assert_non_null(strstr(packet.fields, "function=[C] code=error traceback=stack traceback:"));
}

static void an_error_is_logged_a_second_later_by_itself(void **state)
{
    (void)state;
    assert_tells(
        "local h = spawn(function() error('lost', 0) end) task.sleep(1.1) tell(h:status())",
        "failed ");
    assert_logged(LOG_LEVEL_ERROR, "error in task: lost");
    assert_non_null(strstr(packet.fields, "function=t:1 code=error"));
}

static void an_error_is_logged_when_the_one_that_joins_is_cancelled_just_then(void **state)
{
    (void)state;
    assert_tells("local h = spawn(function() task.yield() error('lost', 0) end)\n"
                 "local joiner = spawn(function() h:join() end)\n"
                 "task.yield() h:join()",
                 "lost");
    assert_tells("local gate = task.channel()\n"
                 "local h, joiner\n"
                 "h = spawn(function() gate:get() joiner:cancel() error('lost', 0) end)\n"
                 "joiner = spawn(function() h:join() end)\n"
                 "task.yield() gate:put(true)",
                 "");
    assert_logged(LOG_LEVEL_ERROR, "error in task: lost");
    assert_logged(LOG_LEVEL_ERROR, "error in task: lost");
}

static void where_nothing_runs_nothing_can_be_spawned(void **state)
{
    (void)state;
    assert_int_equal(luaL_dostring(runtime.L, "spawn(print)"), 1);
    assert_non_null(strstr(lua_tostring(runtime.L, -1),
                           "cannot spawn a task here: only requests and tasks can"));
    assert_int_equal(luaL_dostring(runtime.L, "spawn(5)"), 1);
    lua_settop(runtime.L, 0);
}

static void there_is_a_limit_with_an_error_that_says_so(void **state)
{
    (void)state;
    struct spawned_set *set = &background_of(runtime.L)->spawns;
    set->live += SPAWNED_MAX; /* as if so many were there */
    assert_tells(
        "local _, err = try(spawn, print) tell(err) tell(err.status)",
        "LimitError: cannot spawn a task: 100000 have not ended, and a worker can have no more "
        "(task.limit) 503 ");
    set->live -= SPAWNED_MAX;
}

static void a_task_outlives_the_one_that_spawned_it(void **state)
{
    (void)state;
    assert_tells("spawn(function() spawn(function() task.sleep(0.002) tell('grandchild') end) "
                 "tell('child') end)",
                 "child grandchild ");
}

static void a_group_of_many_leaves_nothing_behind(void **state)
{
    (void)state;
    char expected[64];
    (void)snprintf(expected, sizeof(expected), "%d true ", MANY);
    /* half of them are cancelled before they begin, half while they wait; the second round needs no more memory than the first */
    static const char chunk[] =
        "local function round()\n"
        "  local handles = {}\n"
        "  for i = 1, MANY do handles[i] = spawn(function() task.sleep(60) end) end\n"
        "  for i = 1, MANY, 2 do handles[i]:cancel() end\n"
        "  task.yield()\n"
        "  for i = 2, MANY, 2 do handles[i]:cancel() end\n"
        "  local cancelled = 0\n"
        "  for i = 1, MANY do\n"
        "    try(handles[i].join, handles[i])\n"
        "    if handles[i]:status() == 'cancelled' then cancelled = cancelled + 1 end\n"
        "  end\n"
        "  return cancelled\n"
        "end\n"
        "local function settle() collectgarbage() collectgarbage() return collectgarbage('count') "
        "end\n"
        "round() local before = settle()\n"
        "tell(round()) tell(settle() <= before * 1.05)";
    lua_pushinteger(runtime.L, MANY);
    lua_setglobal(runtime.L, "MANY");
    assert_tells(chunk, expected);
    assert_true(runtime.tasks.free_count <= 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_task_begins_at_the_end_of_the_turn),
        T(join_returns_all_results_also_later_and_to_many),
        T(join_raises_the_error_with_the_place_where_it_was_raised),
        T(join_with_a_limit_raises_and_the_task_goes_on),
        T(a_task_cannot_join_itself),
        T(cancelling_raises_where_it_waits),
        T(one_that_is_cancelled_sees_the_reason),
        T(one_that_is_cancelled_before_it_began_does_not_run),
        T(one_that_catches_its_cancelling_may_end_well_or_badly),
        T(one_that_waits_on_is_closed_by_force),
        T(an_error_that_nobody_joins_is_logged_once),
        T(an_error_is_logged_a_second_later_by_itself),
        T(an_error_is_logged_when_the_one_that_joins_is_cancelled_just_then),
        T(where_nothing_runs_nothing_can_be_spawned),
        T(there_is_a_limit_with_an_error_that_says_so),
        T(a_task_outlives_the_one_that_spawned_it),
        T(a_group_of_many_leaves_nothing_behind),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
