#include "worker/lib/mod_timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "test/support/lua_chunk.h"

enum { MANY = 10000 };

/* What a chunk needs to wait for n runs of a timer. */
#define GATE "local gate = task.channel() local function run(word) tell(word) gate:put(true) end "

static void a_function_runs_later_with_its_arguments(void **state)
{
    (void)state;
    assert_tells(
        "local gate = task.channel()\n"
        "timer.after(0.002, function(...) tell('late') gate:put(select('#', ...)) end, nil, nil)\n"
        "timer.after(0, function() tell('soon') gate:put(0) end)\n"
        "tell('first') gate:get() tell(gate:get())",
        "first soon late 2 ");
}

static void one_that_is_cancelled_does_not_run(void **state)
{
    (void)state;
    assert_tells(GATE "local a = timer.after(0.001, run, 'a')\n"
                      "local b = timer.after(0.001, run, 'b')\n"
                      "local c = timer.after(0.005, run, 'c')\n"
                      "tell(a:cancel()) tell(a:cancel()) tell(timer.cancel(b))\n"
                      "gate:get() tell(c:cancel())",
                 "true false true c false ");
}

static void a_run_may_wait_and_its_error_is_logged_at_once(void **state)
{
    (void)state;
    assert_tells(GATE
                 "timer.after(0, function() task.sleep(0.001) run('waited') error('lost', 0) end)\n"
                 "gate:get() task.yield() task.yield()",
                 "waited ");
    assert_logged(LOG_LEVEL_ERROR, "error in timer: lost");
    assert_non_null(strstr(packet.fields, "function=t:1 code=error traceback=stack traceback:"));
}

static void what_repeats_goes_on_behind_an_error(void **state)
{
    (void)state;
    assert_tells(GATE "local n, t = 0\n"
                      "t = timer.every(0.001, function()\n"
                      "  n = n + 1\n"
                      "  if n == 2 then error('second', 0) end\n"
                      "  if n == 3 then t:cancel() end\n"
                      "  run(n)\n"
                      "end)\n"
                      "gate:get() gate:get() tell(t:cancel())",
                 "1 3 false ");
    assert_logged(LOG_LEVEL_ERROR, "error in timer: second");
}

static void what_repeats_never_runs_twice_at_a_time(void **state)
{
    (void)state;
    assert_tells("local gate, runs, now, most = task.channel(), 0, 0, 0\n"
                 "local t = timer.every(0.001, function()\n"
                 "  now = now + 1 most = math.max(most, now)\n"
                 "  task.sleep(0.005)\n"
                 "  now = now - 1 runs = runs + 1 gate:put(true)\n"
                 "end)\n"
                 "gate:get() gate:get() gate:get() t:cancel() tell(most) tell(runs)",
                 "1 3 ");
}

static void what_is_tied_to_something_is_cancelled_with_it(void **state)
{
    (void)state;
    assert_tells(
        "local core = require 'fsd.timer.core'\n"
        "local function set(what) local t = timer.after(60, tell) core.tie(t, what) return t end\n"
        "local a, b, c = set('x'), set('x'), set('y')\n"
        "local early = timer.after(0, tell, 'ran') core.tie(early, 'x')\n"
        "task.sleep(0.002) tell(early:read()) b:cancel()\n"
        "core.cancel_tied('x') core.cancel_tied('x') core.cancel_tied('nothing')\n"
        "tell(a:read()) tell(c:read() > 0) tell(c:cancel())\n"
        "local again = set('x') tell(again:read() > 0) core.cancel_tied('x') tell(again:cancel())",
        "ran nil nil true true true false ");
}

/* The third run is planned 15 ms behind the call, whatever the first two took; a sum of delays would be later than that by
 * far more than a turn. */
static void what_repeats_keeps_to_its_schedule(void **state)
{
    (void)state;
    assert_tells("local gate, begin, early = task.channel(), fsd.now(), false\n"
                 "local n = 0\n"
                 "local t = timer.every(0.005, function() n = n + 1 early = early or fsd.now() - "
                 "begin < n * 0.005 gate:put(true) end)\n"
                 "gate:get() gate:get() gate:get() t:cancel() tell(early)",
                 "false ");
}

/* block(ms): in C, where nobody else gets the CPU */
static int lua_block(lua_State *L)
{
    uint64_t end_ms = clock_monotonic_ms() + (uint64_t)luaL_checkinteger(L, 1);
    while (clock_monotonic_ms() < end_ms) {
    }
    return 0;
}

static void ticks_that_have_passed_are_left_out(void **state)
{
    (void)state;
    lua_register(runtime.L, "block", lua_block);
    assert_tells("local gate, n = task.channel(10), 0\n"
                 "local t = timer.every(0.002, function() n = n + 1 gate:put(true) end)\n"
                 "block(50)\n"
                 "gate:get() tell(n) t:cancel()",
                 "1 ");
}

static void a_time_of_day_runs_when_it_has_come(void **state)
{
    (void)state;
    assert_tells(GATE "local at = fsd.time() + 0.005\n"
                      "timer.at(at, function() run(fsd.time() >= at) end)\n"
                      "timer.at(0, run, 'long ago')\n"
                      "gate:get() gate:get()",
                 "long ago true ");
}

static void a_schedule_is_set_for_its_next_minute(void **state)
{
    (void)state;
    assert_tells("local t = timer.cron('* * * * *', print)", "");
    struct alarm_set *set = &background_of(runtime.L)->alarms;
    assert_int_equal(set->count, 1);
    uint64_t now_us = clock_wall_us();
    assert_true(set->first->plan.at_us > now_us && set->first->plan.at_us <= now_us + 60000000);
    assert_int_equal(set->first->plan.at_us % 60000000, 0);
    alarm_set_clear(set);
}

/* As if the minute were over: it runs, and is set for the next one. */
static void a_schedule_runs_and_is_set_again(void **state)
{
    (void)state;
    assert_tells("timer.cron('* * * * *', tell, 'ran')", "");
    struct alarm *alarm = background_of(runtime.L)->alarms.first;
    alarm->plan.at_us = clock_wall_us() - 1;
    timer_set(&runtime.loop.timers, &alarm->timer, 0, alarm->timer.on_fire);
    assert_tells("task.sleep(0.001)", "ran ");
    assert_true(alarm->is_set && alarm->plan.at_us > clock_wall_us() - 1000000);
    /* woken before its time, as it is once a minute, it only looks */
    timer_set(&runtime.loop.timers, &alarm->timer, 0, alarm->timer.on_fire);
    alarm->plan.at_us = clock_wall_us() + UINT64_C(3600) * 1000000;
    assert_tells("task.sleep(0.001)", "");
    assert_true(alarm->timer.at_ms <= clock_monotonic_ms() + 60001);
    alarm_set_clear(&background_of(runtime.L)->alarms);
}

static void a_schedule_follows_the_zone_of_the_process(void **state)
{
    (void)state;
    struct alarm_plan plan = {.kind = ALARM_CRON};
    assert_int_equal(cron_parse("30 2 * * *", 10, &plan.cron, NULL), 0);
    assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
    tzset();
    assert_true(alarm_plan_next(&plan, UINT64_C(1774699200) * 1000000)); /* 2026-03-28 12:00 UTC */
    assert_int_equal(plan.at_us, UINT64_C(1774746000) * 1000000); /* where 2:30 is jumped over */
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

static void arguments_are_checked(void **state)
{
    (void)state;
    assert_tells(
        "local function fails(...) local _, err = try(...) tell(err.message:match('%((.*)%)')) "
        "end\n"
        "fails(timer.after, -1, print) fails(timer.after, 0/0, print) fails(timer.after, 1e99, "
        "print)\n"
        "fails(timer.after, 1) fails(timer.every, 0, print) fails(timer.every, 1, 5) "
        "fails(timer.at, 1)\n"
        "fails(timer.cron, '0 0 30 2 *', print) fails(timer.cron, '* * * *', print) "
        "fails(timer.cancel, 5)",
        "must not be negative must be a number too large "
        "function expected, got no value must be at least 0.001 function expected, got number "
        "function expected, got no value no month has such a day: it would never run expected 5 "
        "fields, got 4 "
        "fsd.Timer expected, got number ");
}

static void where_nothing_runs_no_timer_can_be_set(void **state)
{
    (void)state;
    assert_int_equal(luaL_dostring(runtime.L, "timer.after(1, print)"), 1);
    assert_non_null(strstr(lua_tostring(runtime.L, -1),
                           "cannot set a timer here: only requests and tasks can"));
    lua_settop(runtime.L, 0);
}

static void there_is_a_limit_with_an_error_that_says_so(void **state)
{
    (void)state;
    struct alarm_set *set = &background_of(runtime.L)->alarms;
    set->count += ALARM_MAX; /* as if so many were set */
    assert_tells("local _, err = try(timer.after, 1, print) tell(err)",
                 "LimitError: cannot set a timer: 100000 are set, and a worker can have no more "
                 "(timer.limit) ");
    set->count -= ALARM_MAX;
}

static void a_timer_that_finds_too_many_tasks_is_logged(void **state)
{
    (void)state;
    struct spawned_set *set = &background_of(runtime.L)->spawns;
    set->live += SPAWNED_MAX;
    assert_tells("timer.after(0, tell, 'never') task.sleep(0.001)", "");
    set->live -= SPAWNED_MAX;
    assert_logged(LOG_LEVEL_ERROR,
                  "cannot run a timer: 100000 tasks have not ended, and a worker can have no more");
}

static void many_that_are_cancelled_leave_nothing_behind(void **state)
{
    (void)state;
    lua_pushinteger(runtime.L, MANY);
    lua_setglobal(runtime.L, "MANY");
    assert_tells("local function round()\n"
                 "  local timers = {}\n"
                 "  for i = 1, MANY do timers[i] = timer.every(60 + i, function() end) end\n"
                 "  for i = 1, MANY do timers[i]:cancel() end\n"
                 "end\n"
                 "local function settle() collectgarbage() collectgarbage() return "
                 "collectgarbage('count') end\n"
                 "round() local before = settle() round() tell(settle() <= before * 1.05)",
                 "true ");
    assert_int_equal(background_of(runtime.L)->alarms.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_function_runs_later_with_its_arguments),
        T(one_that_is_cancelled_does_not_run),
        T(a_run_may_wait_and_its_error_is_logged_at_once),
        T(what_repeats_goes_on_behind_an_error),
        T(what_repeats_never_runs_twice_at_a_time),
        T(what_is_tied_to_something_is_cancelled_with_it),
        T(what_repeats_keeps_to_its_schedule),
        T(ticks_that_have_passed_are_left_out),
        T(a_time_of_day_runs_when_it_has_come),
        T(a_schedule_is_set_for_its_next_minute),
        T(a_schedule_runs_and_is_set_again),
        T(a_schedule_follows_the_zone_of_the_process),
        T(arguments_are_checked),
        T(where_nothing_runs_no_timer_can_be_set),
        T(there_is_a_limit_with_an_error_that_says_so),
        T(a_timer_that_finds_too_many_tasks_is_logged),
        T(many_that_are_cancelled_leave_nothing_behind),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
