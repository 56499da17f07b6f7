/* Tasks that do not give the CPU back, beside others that want it. */
#include "worker/core/preempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test/support/lua_tasks.h"

enum { TICK_US = 200, HARD_LIMIT_US = 2000 };

/* A real timer, faster than a worker's. */
static int set_up(void **state)
{
    (void)tasks_set_up(state);
    tasks.runtime.slice.tick_us = TICK_US;
    tasks.runtime.slice.limit_ticks = 1;
    tasks.runtime.slice.hard_limit_us = HARD_LIMIT_US;
    return 0;
}

static void one_that_spins_does_not_keep_others_from_running(void **state)
{
    (void)state;
    struct task *spinner = tasks_start("while not stop do end tell('spinner')");
    assert_int_equal(spinner->state, TASK_READY);
    tasks_start("tell('other') stop = true");
    tasks_run();
    assert_string_equal(tasks.told, "other;spinner;");
}

static void timers_fire_while_many_spin(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        tasks_start("while not stop do end");
    }
    tasks_start("for i = 1, 3 do sleep(0.001) tell(i) end stop = true");
    tasks_run();
    assert_string_equal(tasks.told, "1;2;3;");
}

static void those_that_spin_take_turns(void **state)
{
    (void)state;
    /* each lets the next one go on: without turns the first would wait for ever */
    tasks_start("turn = 0 while turn < 30 do if turn % 3 == 0 then turn = turn + 1 end end");
    tasks_start("while turn < 30 do if turn % 3 == 1 then turn = turn + 1 end end");
    tasks_start("while turn < 30 do if turn % 3 == 2 then turn = turn + 1 end end");
    tasks_run();
    assert_true(tasks.preempted >= 29);
}

static void a_generator_that_spins_is_preempted_and_its_caller_sees_nothing_of_it(void **state)
{
    (void)state;
    tasks_start("local numbers = coroutine.wrap(function() for i = 1, 3 do\n"
                "  local inner = coroutine.wrap(function() while (rounds or 0) < i do end\n"
                "    coroutine.yield(i) end)\n"
                "  coroutine.yield(inner()) end end)\n"
                "for n in numbers do tell(n) end");
    tasks_start("for i = 1, 3 do sleep(0.001) rounds = i end");
    tasks_run();
    assert_string_equal(tasks.told, "1;2;3;");
    assert_true(tasks.preempted >= 3);
}

static void a_task_waits_at_any_depth_of_coroutines(void **state)
{
    (void)state;
    tasks.runtime.slice.limit_ticks = UINT_MAX;
    tasks_start("local function level(n) return coroutine.wrap(function(a)\n"
                "  sleep(0.001) local got = n == 0 and 'deep' .. a or level(n - 1)(a)\n"
                "  local b = coroutine.yield(got) sleep(0) return b .. n end) end\n"
                "local f = level(20) tell(f('x')) tell(f('y'))\n"
                "local co = coroutine.create(function() sleep(0) return pcall(function()\n"
                "  sleep(0) error('e', 0) end) end)\n"
                "for _, v in ipairs{coroutine.resume(co)} do tell(v) end\n"
                "tell(coroutine.status(co))");
    tasks_start("tell('beside')");
    tasks_run();
    assert_string_equal(tasks.told, "beside;deepx;y20;true;false;e;dead;");
}

static void a_cancelled_wait_raises_inside_of_the_coroutine(void **state)
{
    (void)state;
    tasks.runtime.slice.limit_ticks = UINT_MAX;
    struct task *task =
        tasks_start("local co = coroutine.create(function() local ok, err = pcall(sleep, 100)\n"
                    "  tell(err.code) sleep(0) sleep(0) tell('unwound') error('out', 0) end)\n"
                    "tell(select(2, coroutine.resume(co))) return 'end'");
    task_cancel(task, TASK_CANCEL_ASKED);
    tasks_run();
    assert_string_equal(tasks.told, "cancelled;unwound;out;");
    assert_string_equal(tasks.outcome, "end");
}

static void nobody_else_touches_a_coroutine_that_is_suspended_with_its_task(void **state)
{
    (void)state;
    tasks.runtime.slice.limit_ticks = UINT_MAX;
    tasks_start("wrapped = coroutine.wrap(function()\n"
                "  held = coroutine.running() sleep(0.002) coroutine.yield('own') end)\n"
                "tell(wrapped()) tell(coroutine.status(held)) tell(coroutine.close(held))");
    tasks_start("tell(coroutine.status(held)) tell(select(2, coroutine.resume(held)))\n"
                "tell(select(2, pcall(wrapped))) tell(select(2, pcall(coroutine.close, held)))");
    assert_string_equal(tasks.told, "normal;cannot resume non-suspended coroutine;"
                                    "cannot resume non-suspended coroutine;"
                                    "cannot close a normal coroutine;");
    tasks.told[0] = '\0';
    tasks_run();
    assert_string_equal(tasks.told, "own;suspended;true;");
}

static const char *const nest = /* preempted, or waiting, in the innermost of three */
    "local function mark(n) return setmetatable({}, {__close = function() tell(n) end}) end\n"
    "local outer <close> = mark('outer')\n"
    "coroutine.wrap(function() local middle <close> = mark('middle')\n"
    "  pcall(coroutine.wrap(function() local inner <close> = mark('inner')\n"
    "    local failing <close> = setmetatable({}, {__close = function() error('e') end})\n"
    "    if wait then sleep(100) end while true do end end)) tell('never') end)()";

static void killing_closes_inner_coroutines_first_preempted_or_not(void **state)
{
    (void)state;
    struct task *task = tasks_start(nest);
    assert_int_equal(task->state, TASK_READY);
    task_kill(task);
    tasks_run();
    assert_int_equal(tasks.status, TASK_CLOSED);
    assert_string_equal(tasks.told, "inner;middle;outer;");
    tasks.told[0] = '\0';
    lua_pushboolean(tasks.runtime.L, 1);
    lua_setglobal(tasks.runtime.L, "wait");
    tasks.runtime.slice.limit_ticks = UINT_MAX;
    task = tasks_start(nest);
    assert_int_equal(task->state, TASK_WAITING);
    task_kill(task);
    tasks_run();
    assert_string_equal(tasks.told, "inner;middle;outer;");
}

static void a_coroutine_that_was_closed_with_its_task_is_dead(void **state)
{
    (void)state;
    struct task *task = tasks_start("co = coroutine.create(function() while true do end end)\n"
                                    "coroutine.resume(co)");
    task_kill(task);
    tasks_run();
    tasks_start("tell(coroutine.status(co)) tell(select(2, coroutine.resume(co)))");
    tasks_run();
    assert_string_equal(tasks.told, "dead;cannot resume dead coroutine;");
}

static void a_deadline_ends_one_that_never_waits(void **state)
{
    (void)state;
    struct task *task = tasks_start("local ok, err = pcall(function() while true do end end)\n"
                                    "tell(err.code) tell(err.status) sleep(0)\n"
                                    "return err.traceback");
    task_set_deadline(task, 2);
    tasks_run();
    assert_string_equal(tasks.told, "timeout;503;");
    assert_non_null(strstr(tasks.outcome, "t:1: in function"));
}

static void
one_that_was_cancelled_while_it_stood_in_the_queue_is_told_before_it_is_ended(void **state)
{
    (void)state;
    struct task *task = tasks_start("local _, err = pcall(function() while true do end end)\n"
                                    "tell(err.code) sleep(0) tell('unwound')");
    assert_int_equal(task->state, TASK_READY);
    task_cancel(task, TASK_CANCEL_ABORTED);
    assert_true(task->timing == NULL ||
                !timer_is_set(&task->timing->grace)); /* others may have the CPU for long */
    tasks_run();
    assert_int_equal(tasks.status, LUA_OK);
    assert_string_equal(tasks.told, "aborted;unwound;");
}

static void one_that_was_cancelled_and_goes_on_spinning_is_closed_by_force(void **state)
{
    (void)state;
    uint64_t begin_ms = clock_monotonic_ms();
    struct task *task = tasks_start(
        "local x <close> = setmetatable({}, {__close = function() tell('closed') end})\n"
        "while true do pcall(function() while true do end end) end");
    task_cancel(task, TASK_CANCEL_ABORTED);
    tasks_run();
    assert_true(clock_monotonic_ms() - begin_ms >= 1000);
    assert_int_equal(tasks.status, TASK_CLOSED);
    assert_string_equal(tasks.told, "closed;");
}

static void one_that_uses_up_its_cpu_time_gets_an_error(void **state)
{
    (void)state;
    struct task *task = tasks_start("while true do end");
    task_set_cpu_limit(task, 3);
    tasks_start("sleep(0.001) tell('other')");
    tasks_run();
    assert_int_equal(tasks.status, LUA_ERRRUN);
    assert_string_equal(tasks.outcome, "CancelError: the CPU time is used up (cpu)");
    assert_string_equal(tasks.told, "other;");
}

static void cpu_time_counts_over_all_slices_and_not_while_waiting(void **state)
{
    (void)state;
    struct task *task =
        tasks_start("for i = 1, 20 do sleep(0.001) end tell('waited') local _, err =\n"
                    "pcall(function() while true do for i = 1, 20000 do end sleep(0)\n"
                    "end end) return err.code");
    task_set_cpu_limit(task, 10);
    tasks_run();
    assert_string_equal(tasks.told, "waited;");
    assert_string_equal(tasks.outcome, "cpu");
}

static void a_new_limit_counts_from_the_time_it_is_set(void **state)
{
    (void)state;
    struct task *task = tasks_start("while not stop do end sleep(0.001) tell('went on')");
    task->cpu_us = 1000000; /* what it has had until now */
    task_set_cpu_limit(task, 100000);
    tasks_start("sleep(0.003) stop = true");
    tasks_run();
    assert_string_equal(tasks.told, "went on;");
}

static void a_coroutine_that_died_of_an_error_in_the_hook_is_not_used_again(void **state)
{
    (void)state;
    struct task *task = tasks_start("while true do end");
    const lua_State *first = task->L;
    task_cancel(task, TASK_CANCEL_ASKED);
    tasks_run();
    assert_int_equal(tasks.status, LUA_ERRRUN);
    task = tasks_start("while not stop do end");
    assert_ptr_not_equal(task->L, first); /* the hook is off in there */
    tasks_start("stop = true");
    tasks_run();
}

static void where_it_cannot_be_preempted_a_hard_limit_raises(void **state)
{
    (void)state;
    tasks_start("local ok, err = pcall(tostring, setmetatable({}, {__tostring = function()\n"
                "  while true do end end}))\n"
                "tell(err.name) tell(err.code) tell(err.status)\n"
                "for i = 1, 1e5 do end return err.traceback");
    tasks_run();
    assert_string_equal(tasks.told, "LimitError;slice;503;");
    assert_non_null(strstr(tasks.outcome, "in function 'tostring'"));
}

static void catching_the_error_of_the_hard_limit_does_not_help(void **state)
{
    (void)state;
    tasks_start("local ok, err = pcall(tostring, setmetatable({}, {__tostring = function()\n"
                "  while true do pcall(function() while true do end end) end end}))\n"
                "tell(err.code) return 'went on'");
    tasks_run();
    assert_string_equal(tasks.told, "slice;");
    assert_string_equal(tasks.outcome, "went on");
}

static void coroutines_inside_of_such_a_place_are_limited_too(void **state)
{
    (void)state;
    tasks_start("local spin = coroutine.wrap(function()\n"
                "  tell(select(2, pcall(sleep, 1))) while true do end end)\n"
                "local ok, err = pcall(tostring, setmetatable({}, {__tostring = spin}))\n"
                "tell(err.code) sleep(0) tell('went on')");
    tasks_run();
    assert_string_equal(tasks.told, "cannot wait here: called from within a C function (a "
                                    "metamethod, require ...);slice;went on;");
}

static void a_reader_of_load_may_wait_and_be_preempted(void **state)
{
    (void)state;
    tasks_start("local parts = {'return', ' 1 +', ' 1'} local i = 0\n"
                "local f = load(function() while not stop do end sleep(0)\n"
                "  i = i + 1 return parts[i] end) tell(f())");
    tasks_start("tell('other') stop = true");
    tasks_run();
    assert_string_equal(tasks.told, "other;2;");
}

static void work_below_the_hard_limit_is_let_through(void **state)
{
    (void)state;
    tasks.runtime.slice.hard_limit_us = UINT_MAX;
    tasks_start("local t = {} for i = 1, 5000 do t[i] = -i end\n"
                "table.sort(t, function(a, b) return a < b end) tell(t[1] .. t[5000])");
    tasks_start("sleep(0) tell('other')");
    tasks_run();
    assert_int_equal(tasks.status, LUA_OK);
    assert_non_null(strstr(tasks.told, "-5000-1;"));
}

/* Nearly every tick finds it there. */
static void a_loop_that_is_mostly_where_it_cannot_be_preempted_takes_turns(void **state)
{
    (void)state;
    tasks_start("local slow = setmetatable({}, {__tostring = function()\n"
                "  for i = 1, 100 do end return 'x' end})\n"
                "while not stop do tostring(slow) end tell('went on')");
    tasks_start("for i = 1, 100 do sleep(0.001) end stop = true");
    tasks_run();
    assert_int_equal(tasks.status, LUA_OK);
    assert_string_equal(tasks.told, "went on;");
}

/* stall(): as if the machine had stood still since the last tick.  ticks(): how many there were in this slice. */
static int lua_stall(lua_State *L)
{
    (void)L;
    tasks.runtime.slice.mark_us -= 2 * (uint64_t)HARD_LIMIT_US;
    return 0;
}

static int lua_ticks(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)tasks.runtime.slice.ticks);
    return 1;
}

static void one_tick_that_comes_late_is_not_the_limit(void **state)
{
    (void)state;
    lua_register(tasks.runtime.L, "stall", lua_stall);
    lua_register(tasks.runtime.L, "ticks", lua_ticks);
    tasks_start(
        "tostring(setmetatable({}, {__tostring = function()\n"
        "  local before = ticks() stall() while ticks() == before do end return 'x' end}))\n"
        "tell('went on')");
    tasks_run();
    assert_string_equal(tasks.told, "went on;");
}

static void closing_by_force_ends_also_when_a_close_spins(void **state)
{
    (void)state;
    struct task *task = tasks_start(
        "local a <close> = setmetatable({}, {__close = function() tell('last') end})\n"
        "local b <close> = setmetatable({}, {__close = function() while true do end end})\n"
        "coroutine.wrap(function()\n"
        "  local c <close> = setmetatable({}, {__close = function() while true do end end})\n"
        "  sleep(100) end)()");
    task_kill(task);
    tasks_run();
    assert_int_equal(tasks.status, TASK_CLOSED);
    assert_string_equal(tasks.told, "last;");
}

static void closing_a_coroutine_that_spins_ends_at_the_hard_limit(void **state)
{
    (void)state;
    tasks_start(
        "local co = coroutine.create(function()\n"
        "  local c <close> = setmetatable({}, {__close = function() while true do end end})\n"
        "  coroutine.yield() end) coroutine.resume(co)\n"
        "local ok, err = coroutine.close(co) tell(ok) tell(err.code)");
    tasks_run();
    assert_string_equal(tasks.told, "false;slice;");
}

static void closing_coroutines_in_one_another_is_limited(void **state)
{
    (void)state;
    tasks_start("local function make(n) local co = coroutine.create(function()\n"
                "  local inner = n > 0 and make(n - 1)\n"
                "  local c <close> = setmetatable({}, {__close = function()\n"
                "    if inner then local ok, err = coroutine.close(inner)\n"
                "      if not ok then failed = err end end end})\n"
                "  coroutine.yield() end) coroutine.resume(co) return co end\n"
                "coroutine.close(make(150)) return failed");
    tasks_run();
    assert_non_null(strstr(tasks.outcome, "C stack overflow"));
}

static void a_stack_that_runs_over_while_it_is_preempted_is_only_an_error(void **state)
{
    (void)state;
    tasks_start("local function f() return 1 + f() end\n"
                "local ok, err = coroutine.wrap(function() return pcall(f) end)() return err");
    tasks_run();
    assert_non_null(strstr(tasks.outcome, "stack overflow"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tasks_tear_down)
        TEST(one_that_spins_does_not_keep_others_from_running),
        TEST(timers_fire_while_many_spin),
        TEST(those_that_spin_take_turns),
        TEST(a_generator_that_spins_is_preempted_and_its_caller_sees_nothing_of_it),
        TEST(a_task_waits_at_any_depth_of_coroutines),
        TEST(a_cancelled_wait_raises_inside_of_the_coroutine),
        TEST(nobody_else_touches_a_coroutine_that_is_suspended_with_its_task),
        TEST(killing_closes_inner_coroutines_first_preempted_or_not),
        TEST(a_coroutine_that_was_closed_with_its_task_is_dead),
        TEST(a_deadline_ends_one_that_never_waits),
        TEST(one_that_was_cancelled_and_goes_on_spinning_is_closed_by_force),
        TEST(one_that_was_cancelled_while_it_stood_in_the_queue_is_told_before_it_is_ended),
        TEST(one_that_uses_up_its_cpu_time_gets_an_error),
        TEST(cpu_time_counts_over_all_slices_and_not_while_waiting),
        TEST(a_new_limit_counts_from_the_time_it_is_set),
        TEST(a_coroutine_that_died_of_an_error_in_the_hook_is_not_used_again),
        TEST(where_it_cannot_be_preempted_a_hard_limit_raises),
        TEST(catching_the_error_of_the_hard_limit_does_not_help),
        TEST(coroutines_inside_of_such_a_place_are_limited_too),
        TEST(a_reader_of_load_may_wait_and_be_preempted),
        TEST(work_below_the_hard_limit_is_let_through),
        TEST(a_loop_that_is_mostly_where_it_cannot_be_preempted_takes_turns),
        TEST(one_tick_that_comes_late_is_not_the_limit),
        TEST(closing_by_force_ends_also_when_a_close_spins),
        TEST(closing_a_coroutine_that_spins_ends_at_the_hard_limit),
        TEST(closing_coroutines_in_one_another_is_limited),
        TEST(a_stack_that_runs_over_while_it_is_preempted_is_only_an_error),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
