/* Tasks that have more memory than they may, beside others. */
#include "worker/core/overdraft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test/support/lua_tasks.h"

static const size_t mib = 1 << 20;

static void one_that_has_too_much_is_ended_and_nobody_else(void **state)
{
    (void)state;
    tasks_start_limited("local t = {} while true do t[#t + 1] = {#t} end", mib);
    tasks_start("local t = {} for i = 1, 100000 do t[i] = {i} end tell('done')");
    tasks_run();
    assert_string_equal(tasks.told, "done;");
    assert_int_equal(tasks.status, TASK_CLOSED);
    assert_non_null(strstr(tasks.excess, "KiB of memory, of which 1024 KiB are allowed"));
    assert_int_equal(tasks.runtime.overdraft.phase, OVERDRAFT_NONE);
    assert_false(tasks.runtime.heap.is_overdrawn);
}

/* It is held from the moment it passes the limit, so that it can't have much more. */
static void it_runs_no_further_than_its_limit(void **state)
{
    (void)state;
    tasks_start("keep = {} for i = 1, 100000 do keep[i] = {i} end"); /* there is much to collect */
    tasks_start_limited("most = 0 local t = {} while true do\n"
                        "  t[#t + 1] = ('x'):rep(1000) .. #t most = #t end",
                        mib);
    tasks_run();
    lua_getglobal(tasks.runtime.L, "most");
    assert_in_range(lua_tointeger(tasks.runtime.L, -1), 900, 1100);
    lua_pop(tasks.runtime.L, 1);
}

static void garbage_does_not_count(void **state)
{
    (void)state;
    tasks_start_limited("for i = 1, 20000 do local s = ('x'):rep(1000) .. i end tell('done')", mib);
    tasks_run();
    assert_string_equal(tasks.told, "done;");
    assert_string_equal(tasks.excess, "");
    assert_int_equal(tasks.status, LUA_OK);
}

static void others_go_on_while_much_is_collected(void **state)
{
    (void)state;
    tasks_start("keep = {} for i = 1, 1000000 do keep[i] = {i} end");
    tasks_start("turns = 0 repeat turns = turns + 1 sleep(0) until done\n"
                "for i = 1, 200 do sleep(0) end"); /* until nobody is looked into any more */
    tasks_start_limited("for i = 1, 5000 do local t = {i, {}, {}} end done = true", mib);
    tasks_run();
    lua_getglobal(tasks.runtime.L, "turns");
    assert_true(lua_tointeger(tasks.runtime.L, -1) >= 5); /* a collection in one piece takes one */
    lua_pop(tasks.runtime.L, 1);
    assert_string_equal(tasks.excess, "");
}

static void pcall_does_not_help(void **state)
{
    (void)state;
    tasks_start_limited(
        "local x <close> = setmetatable({}, {__close = function() tell('closed') end})\n"
        "local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end)\n"
        "tell('caught') end",
        mib);
    tasks_run();
    assert_string_equal(tasks.told, "closed;");
    assert_int_equal(tasks.status, TASK_CLOSED);
}

static void what_it_has_in_coroutines_counts(void **state)
{
    (void)state;
    tasks_start_limited("coroutine.wrap(function() coroutine.wrap(function()\n"
                        "  local t = {} while true do t[#t + 1] = {} end end)() end)()",
                        mib);
    tasks_run();
    assert_int_equal(tasks.status, TASK_CLOSED);
}

static void one_that_waits_with_too_much_is_ended_in_its_wait(void **state)
{
    (void)state;
    tasks_start_limited("local t = {} for i = 1, 100000 do t[i] = {} end sleep(1000)", mib);
    tasks_run();
    assert_int_equal(tasks.status, TASK_CLOSED);
}

static void an_application_may_collect_in_generations(void **state)
{
    (void)state;
    tasks_start("collectgarbage('generational')");
    tasks_start_limited("local t = {} while true do t[#t + 1] = {#t} end", mib);
    tasks_start_limited("for i = 1, 20000 do local s = ('x'):rep(1000) .. i end tell('done')", mib);
    tasks_run();
    assert_string_equal(tasks.told, "done;");
    assert_non_null(strstr(tasks.excess, "1024 KiB are allowed"));
    assert_int_equal(lua_gc(tasks.runtime.L, LUA_GCINC, 0, 0, 0), LUA_GCGEN);
}

static void more_than_can_be_noted_at_a_time_are_all_ended(void **state)
{
    (void)state;
    for (int i = 0; i < OVERDRAFT_SUSPECTS + 10; i++) {
        tasks_start_limited("local t = ('x'):rep(200000) sleep(1000) return t", mib / 8);
    }
    tasks_run();
    assert_int_equal(tasks.ended, OVERDRAFT_SUSPECTS + 10);
}

static void a_limit_does_not_outlive_its_task(void **state)
{
    (void)state;
    struct task *limited = tasks_start_limited("tell('one')", mib);
    struct task *other = tasks_start("local t = {} for i = 1, 100000 do t[i] = {} end tell('two')");
    assert_ptr_equal(other, limited); /* the pool has given it again */
    tasks_run();
    assert_int_equal(task_memory_limit(other), 0);
    assert_string_equal(tasks.told, "one;two;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tasks_set_up, tasks_tear_down)
        TEST(one_that_has_too_much_is_ended_and_nobody_else),
        TEST(it_runs_no_further_than_its_limit),
        TEST(garbage_does_not_count),
        TEST(others_go_on_while_much_is_collected),
        TEST(pcall_does_not_help),
        TEST(what_it_has_in_coroutines_counts),
        TEST(one_that_waits_with_too_much_is_ended_in_its_wait),
        TEST(an_application_may_collect_in_generations),
        TEST(more_than_can_be_noted_at_a_time_are_all_ended),
        TEST(a_limit_does_not_outlive_its_task),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
