/* What runs because a limit has ended something: message handlers and <close> variables.  They can be ended in their turn, and
 * without limits nothing is different from Lua. */
#include "worker/core/hook_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test/support/lua_tasks.h"

enum { TICK_US = 200, HARD_LIMIT_US = 2000, CPU_MS = 3 };

static const char prelude[] = "function spin() while true do end end\n"
                              "function closing(f) return setmetatable({}, {__close = f}) end\n";

/* A real timer, faster than a worker's. */
static int set_up(void **state)
{
    (void)tasks_set_up(state);
    tasks.runtime.slice.tick_us = TICK_US;
    tasks.runtime.slice.limit_ticks = 1;
    tasks.runtime.slice.hard_limit_us = HARD_LIMIT_US;
    assert_int_equal(luaL_dostring(tasks.runtime.L, prelude), LUA_OK);
    return 0;
}

/* The CPU time of the chunk is limited. */
static void run_limited(const char *chunk)
{
    task_set_cpu_limit(tasks_start(chunk), CPU_MS);
    tasks_run();
}

static void a_message_handler_that_spins_after_a_limit_is_preempted(void **state)
{
    (void)state;
    task_set_cpu_limit(tasks_start("local ok, result = xpcall(spin, function(err)\n"
                                   "  tell(err.code) reached = true while not stop do end\n"
                                   "  return 'handled' end)\n"
                                   "tell(ok) return result"),
                       CPU_MS);
    tasks_start("while not reached do sleep(0) end tell('other') stop = true");
    tasks_run();
    assert_string_equal(tasks.told, "cpu;other;false;");
    assert_string_equal(tasks.outcome, "handled");
}

static void a_message_handler_may_wait_after_a_limit(void **state)
{
    (void)state;
    run_limited("local ok, result = xpcall(spin, function(err) sleep(0) return err.code end)\n"
                "tell(ok) return result");
    assert_string_equal(tasks.told, "false;");
    assert_string_equal(tasks.outcome, "cpu");
}

static void a_message_handler_that_never_ends_is_closed_by_force(void **state)
{
    (void)state;
    run_limited("xpcall(spin, spin)");
    assert_int_equal(tasks.status, TASK_CLOSED);
}

static void where_it_cannot_be_preempted_a_message_handler_ends_at_the_hard_limit(void **state)
{
    (void)state;
    tasks_start("local ok, err\n"
                "tostring(setmetatable({}, {__tostring = function()\n"
                "  ok, err = xpcall(spin, spin) return '' end}))\n"
                "tell(ok) return err.code");
    tasks_run();
    assert_string_equal(tasks.told, "false;");
    assert_string_equal(tasks.outcome, "slice");
}

static void a_message_handler_that_was_put_off_may_fail(void **state)
{
    (void)state;
    run_limited("local ok, result = xpcall(spin, function() error('in there', 0) end)\n"
                "tell(ok) return result");
    assert_string_equal(tasks.told, "false;");
    assert_string_equal(tasks.outcome, "in there");
}

static void a_limit_that_was_caught_inside_leaves_the_message_handler_to_other_errors(void **state)
{
    (void)state;
    run_limited("local function fail() local ok, err = pcall(spin) error(err.code, 0) end\n"
                "tell(select(2, xpcall(fail, function(m)\n"
                "  return m .. ' in ' .. tostring(debug.getinfo(3, 'f').func == fail) end)))");
    assert_string_equal(tasks.told, "cpu in true;");
}

static void a_message_handler_in_c_runs_at_once(void **state)
{
    (void)state;
    run_limited("local ok, err = xpcall(spin, debug.traceback) tell(ok)\n"
                "return err.code .. ' ' .. tostring(err.traceback:find('spin') ~= nil)");
    assert_string_equal(tasks.outcome, "cpu true");
}

static void without_a_limit_a_message_handler_finds_the_stack_as_in_lua(void **state)
{
    (void)state;
    tasks_start("local function fail() error('e', 0) end\n"
                "local function handler(m) tell(debug.getinfo(3, 'f').func == fail)\n"
                "  return debug.traceback(m, 2):gsub('\\n.*', '') end\n"
                "tell(select(2, xpcall(fail, handler)))\n"
                "tell(select('#', xpcall(select, print, 1, nil, nil)))\n"
                "tell(select(2, pcall(xpcall, fail))) tell(select(2, pcall(xpcall)))\n"
                "tell((select(2, xpcall(fail, function() sleep(0) end))))");
    tasks_run();
    assert_string_equal(tasks.told,
                        "true;e;3;bad argument #2 to 'xpcall' (function expected, got no value);"
                        "bad argument #2 to 'xpcall' (function expected, got no value);"
                        "error in error handling;");
}

static void a_close_of_a_coroutine_that_died_of_a_limit_ends_at_the_hard_limit(void **state)
{
    (void)state;
    run_limited("local co = coroutine.create(function()\n"
                "  local last <close> = closing(function(_, err) tell('last ' .. err.code) end)\n"
                "  local first <close> = closing(spin) spin() end)\n"
                "tell(select(2, coroutine.resume(co)).code) tell(coroutine.status(co))\n"
                "local ok, err = coroutine.close(co) tell(ok) return err.code");
    assert_string_equal(tasks.told, "cpu;dead;last slice;false;");
    assert_string_equal(tasks.outcome, "slice");
}

static void a_close_inside_of_wrap_ends_as_well(void **state)
{
    (void)state;
    run_limited("local ok, err = pcall(coroutine.wrap(function()\n"
                "  local x <close> = closing(function() pcall(spin) tell('closed') end)\n"
                "  spin() end)) return err.code");
    assert_string_equal(tasks.told, "closed;");
    assert_string_equal(tasks.outcome, "cpu");
}

static void a_close_of_the_tasks_own_coroutine_ends_as_well(void **state)
{
    (void)state;
    run_limited("local last <close> = closing(function() tell('last') end)\n"
                "local x <close> = closing(spin) spin()");
    assert_string_equal(tasks.outcome, "CancelError: the CPU time is used up (cpu)");
    assert_string_equal(tasks.told, "last;");
}

static void what_closes_inside_of_a_close_ends_too(void **state)
{
    (void)state;
    run_limited(
        "local ok, err = pcall(coroutine.wrap(function()\n"
        "  local x <close> = closing(function()\n"
        "    local y <close> = closing(function() local z <close> = closing(spin) spin() end)\n"
        "    spin() end)\n"
        "  spin() end)) return err.code");
    assert_string_equal(tasks.outcome, "slice");
}

static void metatables_are_as_they_were_afterwards(void **state)
{
    (void)state;
    run_limited("local other = function() end\n"
                "local class = {__close = function(_, err) tell(err.code) error('out', 0) end}\n"
                "local changed = {} changed.__close = function() changed.__close = other end\n"
                "local before = class.__close\n"
                "local co = coroutine.create(function()\n"
                "  local a <close> = setmetatable({}, class)\n"
                "  local b <close> = setmetatable({}, changed) spin() end)\n"
                "coroutine.resume(co)\n"
                "tell(select(2, coroutine.close(co)))\n"
                "tell(class.__close == before) return changed.__close == other");
    assert_string_equal(tasks.told, "cpu;out;true;");
    assert_string_equal(tasks.outcome, "true");
}

static void a_close_that_yields_there_is_refused(void **state)
{
    (void)state;
    run_limited("local co = coroutine.create(function()\n"
                "  local x <close> = closing(function() coroutine.yield() end) spin() end)\n"
                "coroutine.resume(co) return (select(2, coroutine.close(co)))");
    assert_string_equal(tasks.outcome, "attempt to yield across a C-call boundary");
}

static void very_deep_in_calls_limits_hold_as_well(void **state)
{
    (void)state;
    run_limited("local function deep(n) if n == 0 then spin() end deep(n - 1) return n end\n"
                "local ok, err = xpcall(deep, function(err) return err.code end, 50000)\n"
                "tell(err) return coroutine.close(coroutine.create(deep))");
    assert_string_equal(tasks.told, "cpu;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tasks_tear_down)
        TEST(a_message_handler_that_spins_after_a_limit_is_preempted),
        TEST(a_message_handler_may_wait_after_a_limit),
        TEST(a_message_handler_that_never_ends_is_closed_by_force),
        TEST(where_it_cannot_be_preempted_a_message_handler_ends_at_the_hard_limit),
        TEST(a_message_handler_that_was_put_off_may_fail),
        TEST(a_limit_that_was_caught_inside_leaves_the_message_handler_to_other_errors),
        TEST(a_message_handler_in_c_runs_at_once),
        TEST(without_a_limit_a_message_handler_finds_the_stack_as_in_lua),
        TEST(a_close_of_a_coroutine_that_died_of_a_limit_ends_at_the_hard_limit),
        TEST(a_close_inside_of_wrap_ends_as_well),
        TEST(a_close_of_the_tasks_own_coroutine_ends_as_well),
        TEST(what_closes_inside_of_a_close_ends_too),
        TEST(metatables_are_as_they_were_afterwards),
        TEST(a_close_that_yields_there_is_refused),
        TEST(very_deep_in_calls_limits_hold_as_well),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
