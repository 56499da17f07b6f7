#include "worker/core/task.h"

#include <lauxlib.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/blackbox.h"
#include "common/clock.h"
#include "common/fd.h"
#include "worker/core/runtime.h"

enum { LIMIT_MS = 30000, TOLD_MAX = 512 };

static struct runtime runtime;
static struct timer limit;     /* a test that hangs fails */
static char told[TOLD_MAX];    /* what Lua said by tell() */
static char outcome[TOLD_MAX]; /* of the task that ended last */
static int last_status;
static unsigned ended;
static unsigned waits;
static size_t stop_after; /* tasks */
static struct task *current;

static int lua_tell(lua_State *L)
{
    size_t len = strlen(told);
    (void)snprintf(told + len, sizeof(told) - len, "%s;", luaL_checkstring(L, 1));
    return 0;
}

static int lua_sleep(lua_State *L)
{
    return task_sleep(L, luaL_checknumber(L, 1));
}

/* cancel([word]): of the task that runs */
static int lua_cancel(lua_State *L)
{
    (void)L;
    task_cancel(current, TASK_CANCEL_SHUTDOWN);
    return 0;
}

static int lua_kill(lua_State *L)
{
    (void)L;
    task_kill(current);
    return 0;
}

/* A C function of somebody else's that yields to nobody. */
static int lua_yield_away(lua_State *L)
{
    return lua_yield(L, 0);
}

static void on_done(struct task *task, int status)
{
    last_status = status;
    outcome[0] = '\0';
    if (status != TASK_CLOSED && lua_gettop(task->L) > 0) {
        (void)snprintf(outcome, sizeof(outcome), "%s", luaL_tolstring(task->L, -1, NULL));
    }
    if (++ended == stop_after) {
        loop_stop(&runtime.loop);
    }
}

static void on_wait(struct task *task)
{
    (void)task;
    waits++;
}

static const struct task_owner owner = {.kind = "test", .on_done = on_done, .on_wait = on_wait};

static void on_limit(struct timer *timer)
{
    (void)timer;
    loop_stop(&runtime.loop);
}

static int set_up(void **state)
{
    (void)state;
    runtime_init(&runtime);
    runtime.slice.limit_ticks = UINT_MAX; /* nothing is preempted: see preempt_test.c */
    lua_register(runtime.L, "tell", lua_tell);
    lua_register(runtime.L, "sleep", lua_sleep);
    lua_register(runtime.L, "cancel", lua_cancel);
    lua_register(runtime.L, "yield_away", lua_yield_away);
    told[0] = '\0';
    outcome[0] = '\0';
    ended = 0;
    waits = 0;
    stop_after = 1;
    limit = (struct timer){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    timer_clear(&runtime.loop.timers, &limit);
    assert_int_equal(runtime.tasks.live, 0);
    assert_int_equal(runtime.loop.timers.count, 0);
    assert_null(runtime.loop.jobs);
    runtime_fini(&runtime);
    return 0;
}

static struct task *start(const char *chunk)
{
    struct task *task = task_new(&runtime, &owner, NULL);
    current = task;
    if (luaL_loadbuffer(task->L, chunk, strlen(chunk), "=t") != LUA_OK) {
        fail_msg("%s", lua_tostring(task->L, -1));
    }
    task_start(task, 0);
    return task;
}

/* Until stop_after tasks have ended. */
static void run(void)
{
    runtime.loop.stopping = ended >= stop_after;
    timer_set(&runtime.loop.timers, &limit, clock_monotonic_ms() + LIMIT_MS, on_limit);
    loop_run(&runtime.loop, NULL);
    assert_int_equal(ended, stop_after);
}

static void a_task_that_does_not_wait_ends_at_once(void **state)
{
    (void)state;
    start("return 'result'");
    assert_int_equal(ended, 1);
    assert_int_equal(last_status, LUA_OK);
    assert_string_equal(outcome, "result");
    assert_int_equal(waits, 0);
}

static void a_task_that_sleeps_goes_on_later(void **state)
{
    (void)state;
    uint64_t begin_ms = clock_monotonic_ms();
    struct task *task = start("tell('a') sleep(0.01) tell('b')");
    assert_string_equal(told, "a;");
    assert_int_equal(task->state, TASK_WAITING);
    assert_int_equal(waits, 1);
    run();
    assert_string_equal(told, "a;b;");
    assert_true(clock_monotonic_ms() - begin_ms >= 10);
}

static void tasks_sleep_side_by_side(void **state)
{
    (void)state;
    stop_after = 3;
    start("sleep(0.012) tell('late')");
    start("sleep(0.004) tell('soon')");
    start("sleep(0) tell('now')");
    run();
    assert_string_equal(told, "now;soon;late;");
}

static void sleeping_is_limited_to_what_a_timer_can_hold(void **state)
{
    (void)state;
    struct task *task = start("sleep(math.huge)");
    assert_true(task->timing->wait.at_ms - clock_monotonic_ms() <=
                (uint64_t)366 * 24 * 3600 * 1000 +
                    1); /* the millisecond under way counts nothing */
    task_cancel(task, TASK_CANCEL_ABORTED);
    run();
}

static void a_cancelled_wait_raises_the_reason(void **state)
{
    static const struct {
        enum task_cancel reason;
        const char *text;
    } rows[] = {
        {TASK_CANCEL_ABORTED, "CancelError: the client has gone (aborted) 499"},
        {TASK_CANCEL_TIMEOUT, "CancelError: the deadline has passed (timeout) 503"},
        {TASK_CANCEL_SHUTDOWN, "CancelError: the worker is leaving (shutdown) 503"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        stop_after = (size_t)ended + 1;
        struct task *task = start("local _, err = pcall(sleep, 100)\n"
                                  "return tostring(err) .. ' ' .. err.status");
        task_cancel(task, rows[i].reason);
        assert_int_equal(task->state, TASK_READY);
        run();
        assert_string_equal(outcome, rows[i].text);
    }
}

static void an_error_of_cancelling_that_nobody_catches_ends_the_task(void **state)
{
    (void)state;
    struct task *task = start("sleep(100)");
    task_cancel(task, TASK_CANCEL_ABORTED);
    run();
    assert_int_equal(last_status, LUA_ERRRUN);
    assert_string_equal(outcome, "CancelError: the client has gone (aborted)");
}

static void unwinding_may_wait_and_later_reasons_are_ignored(void **state)
{
    (void)state;
    struct task *task = start("local ok, err = pcall(function()\n"
                              "local x <close> = setmetatable({}, {__close = function()\n"
                              "  tell('rolling back') sleep(0.01) tell('rolled back') end})\n"
                              "sleep(100) end)\n"
                              "return err");
    task_cancel(task, TASK_CANCEL_ABORTED);
    task_cancel(task, TASK_CANCEL_TIMEOUT);
    run();
    assert_string_equal(told, "rolling back;rolled back;");
    assert_string_equal(outcome, "CancelError: the client has gone (aborted)");
}

static void a_task_that_is_ready_is_cancelled_where_it_goes_on(void **state)
{
    (void)state;
    struct task *task = start("sleep(100) tell('woken')");
    timer_clear(&runtime.loop.timers, &task->timing->wait);
    task_wake(task);
    task_wake(task); /* twice is once */
    assert_int_equal(task->state, TASK_READY);
    task_cancel(task, TASK_CANCEL_ABORTED);
    run();
    assert_string_equal(told, "");
    assert_string_equal(outcome, "CancelError: the client has gone (aborted)");
}

static struct task_wait gift;

static void on_gift_cancel(struct task_wait *wait)
{
    (void)wait;
    (void)strcat(told, "cancelled;");
}

static int on_gift_resume(struct task_wait *wait, lua_State *L)
{
    (void)wait;
    lua_pushliteral(L, "taken");
    return 1;
}

static void on_gift_pass(struct task_wait *wait)
{
    assert_ptr_equal(wait, &gift);
    (void)strcat(told, "passed on;");
}

static int lua_receive(lua_State *L)
{
    (void)task_check(L);
    gift = (struct task_wait){on_gift_cancel, on_gift_resume};
    return task_wait_or_pass(L, &gift, on_gift_pass);
}

/* What a task tells that waits for something: it is woken, cancelled, killed, as asked. */
static void assert_gift(bool is_woken, bool is_cancelled, bool is_killed, const char *expected)
{
    told[0] = '\0';
    stop_after = (size_t)ended + 1;
    struct task *task = start("tell(receive())");
    if (is_woken) {
        task_wake(task);
    }
    if (is_cancelled) {
        task_cancel(task, TASK_CANCEL_ASKED);
    }
    if (is_killed) {
        task_kill(task);
    }
    run();
    assert_string_equal(told, expected);
}

static void what_a_task_does_not_take_is_passed_on_once(void **state)
{
    (void)state;
    lua_register(runtime.L, "receive", lua_receive);
    assert_gift(true, false, false, "taken;");
    assert_gift(false, true, false, "cancelled;");
    assert_gift(false, true, true, "cancelled;");
    assert_gift(false, false, true, "cancelled;");
    assert_gift(true, true, false, "passed on;");
    assert_gift(true, false, true, "passed on;");
    assert_gift(true, true, true, "passed on;");
}

static void a_task_that_cancels_itself_is_told_at_its_next_wait(void **state)
{
    (void)state;
    start("cancel() tell('still here') sleep(100) tell('never')");
    assert_int_equal(ended, 1);
    assert_string_equal(told, "still here;");
    assert_string_equal(outcome, "CancelError: the worker is leaving (shutdown)");
}

static int lua_raise(lua_State *L)
{
    task_raise_cancel(L);
    lua_pushliteral(L, "nothing to raise");
    return 1;
}

static void who_is_told_before_it_waits_is_not_told_again(void **state)
{
    (void)state;
    lua_register(runtime.L, "raise", lua_raise);
    start("tell(raise()) cancel() local _, err = pcall(raise) tell(err.code) tell(raise())\n"
          "sleep(0) tell('on')");
    run();
    assert_int_equal(last_status, LUA_OK);
    assert_string_equal(told, "nothing to raise;shutdown;nothing to raise;on;");
}

static void one_that_goes_on_waiting_is_closed_by_force(void **state)
{
    (void)state;
    uint64_t begin_ms = clock_monotonic_ms();
    struct task *task = start("local x <close> = setmetatable({}, {__close = function()\n"
                              "  tell('closed') local _, err = pcall(sleep, 1) tell(err) end})\n"
                              "while true do pcall(sleep, 100) end");
    task_cancel(task, TASK_CANCEL_ABORTED);
    run();
    uint64_t took_ms = clock_monotonic_ms() - begin_ms;
    assert_true(took_ms >= 1000 && took_ms < LIMIT_MS);
    assert_int_equal(last_status, TASK_CLOSED);
    assert_string_equal(told, "closed;cannot wait here: only requests and tasks can, not code that "
                              "is being loaded, collected or closed;");
}

static int lua_has_grace(lua_State *L)
{
    const struct task *task = runtime_of(L)->tasks.running;
    lua_pushboolean(L, task->timing != NULL && timer_is_set(&task->timing->grace));
    return 1;
}

static void one_that_could_not_go_on_since_it_was_cancelled_has_its_time_all_the_same(void **state)
{
    (void)state;
    lua_register(runtime.L, "has_grace", lua_has_grace);
    struct task *task = start("local _, err = pcall(sleep, 100) tell(err.code)\n"
                              "tell(tostring(has_grace())) sleep(0) tell('unwound')");
    task_cancel(task, TASK_CANCEL_ABORTED);
    assert_int_equal(task->state, TASK_READY);
    assert_false(timer_is_set(&task->timing->grace)); /* others may have the CPU for long */
    run();
    assert_int_equal(last_status, LUA_OK);
    assert_string_equal(told, "aborted;true;unwound;");
}

static const char *const killed_code =
    "local x <close> = setmetatable({}, {__close = function() tell('closed') end})\n"
    "pcall(sleep, 100) tell('caught') sleep(100)";

static void a_task_that_is_killed_is_closed_and_runs_nothing_else(void **state)
{
    (void)state;
    struct task *task = start(killed_code);
    task_kill(task);
    task_kill(task);
    task_cancel(task, TASK_CANCEL_ASKED); /* counts no more */
    run();
    assert_int_equal(last_status, TASK_CLOSED);
    assert_string_equal(told, "closed;");
}

static void a_task_that_is_ready_is_killed_before_it_goes_on(void **state)
{
    (void)state;
    struct task *task = start(killed_code);
    task_cancel(task, TASK_CANCEL_ASKED);
    task_kill(task);
    run();
    assert_int_equal(last_status, TASK_CLOSED);
    assert_string_equal(told, "closed;");
}

static void a_task_that_is_killed_inside_of_xpcall_leaves_no_message_handler(void **state)
{
    (void)state;
    struct task *task = start("xpcall(sleep, function() tell('handler') end, 100)");
    task_kill(task);
    run();
    (void)start("error('of another task', 0)"); /* ends at once */
    assert_int_equal(last_status, LUA_ERRRUN);
    assert_string_equal(told, "");
}

static void a_task_that_kills_itself_is_closed_when_it_waits(void **state)
{
    (void)state;
    lua_register(runtime.L, "kill", lua_kill);
    start("kill() tell('on') sleep(100) tell('never')");
    assert_int_equal(last_status, TASK_CLOSED);
    assert_string_equal(told, "on;");
}

static void a_deadline_cancels(void **state)
{
    (void)state;
    struct task *task = start("sleep(100)");
    task_set_deadline(task, 5);
    run();
    assert_string_equal(outcome, "CancelError: the deadline has passed (timeout)");
}

static void a_deadline_goes_with_its_task(void **state)
{
    (void)state;
    struct task *task = start("sleep(0.001)");
    task_set_deadline(task, 60000);
    run(); /* tear_down finds a timer that is left */
    assert_int_equal(last_status, LUA_OK);
}

static void a_coroutine_is_used_again_also_after_an_error(void **state)
{
    (void)state;
    lua_State *first = start("return 1")->L;
    assert_ptr_equal(start("error('boom')")->L, first);
    assert_int_equal(last_status, LUA_ERRRUN);
    assert_string_equal(outcome, "t:1: boom");
    struct task *third = start("sleep(100)");
    assert_ptr_equal(third->L, first);
    task_cancel(third, TASK_CANCEL_ABORTED);
    stop_after = 3;
    run();
    assert_ptr_equal(start("return 'well'")->L, first);
    assert_string_equal(outcome, "well");
}

static void more_tasks_than_the_pool_keeps_are_given_back(void **state)
{
    enum { COUNT = 300 };
    (void)state;
    stop_after = COUNT;
    for (size_t i = 0; i < COUNT; i++) {
        start("sleep(0)");
    }
    assert_int_equal(runtime.tasks.live, COUNT);
    run();
    assert_int_equal(runtime.tasks.live, 0);
    assert_true(runtime.tasks.free_count > 0 && runtime.tasks.free_count < COUNT);
    size_t kept = runtime.tasks.free_count;
    start("return 1");
    assert_int_equal(runtime.tasks.free_count, kept);
}

static void waiting_where_it_cannot_be_done_says_so(void **state)
{
    static const struct {
        const char *chunk;
        const char *text;
    } rows[] = {
        {"local e local f = coroutine.wrap(function() _, e = pcall(sleep, 1) return '' end) "
         "tostring(setmetatable({}, {__tostring = f})) return e",
         "cannot wait here: called from within a C function (a metamethod, require ...)"},
        {"local e local f = function() _, e = pcall(sleep, 1) return '' end "
         "tostring(setmetatable({}, {__tostring = f})) return e",
         "cannot wait here: called from within a C function (a metamethod, require ...)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(rows[i].chunk);
        assert_string_equal(outcome, rows[i].text);
    }
    assert_true(luaL_dostring(runtime.L, "sleep(1)"));
    assert_non_null(strstr(lua_tostring(runtime.L, -1), "cannot wait here: only requests"));
    assert_int_equal(waits, 0);
}

static void coroutines_of_the_application_work_inside_a_task(void **state)
{
    (void)state;
    start("local next = coroutine.wrap(function(...) local got = coroutine.yield(...) return got "
          "end)\n"
          "tell(next('a')) sleep(0.001) tell(next('b'))\n"
          "local co = coroutine.create(function() coroutine.yield() end)\n"
          "coroutine.resume(co) assert(coroutine.close(co))\n"
          "assert(not coroutine.resume(co))");
    run();
    assert_string_equal(told, "a;b;");
    assert_int_equal(last_status, LUA_OK);
}

static void a_handler_that_yields_itself_is_told(void **state)
{
    (void)state;
    start("local ok, err = pcall(coroutine.yield, 1) return err");
    assert_string_equal(outcome, "cannot yield here: not inside a coroutine of your own (to let "
                                 "others run, use fsd.task.sleep(0))");
}

static void a_c_function_that_yields_to_nobody_ends_the_task(void **state)
{
    (void)state;
    start("local x <close> = setmetatable({}, {__close = function() tell('closed') end})\n"
          "yield_away()");
    assert_int_equal(last_status, TASK_CLOSED);
    assert_string_equal(told, "closed;");
}

static void nobody_else_resumes_or_closes_the_coroutine_of_a_task(void **state)
{
    (void)state;
    stop_after = 3;
    start("saved = coroutine.running() sleep(0.01) tell('slept')");
    start("local ok, err = coroutine.resume(saved) tell(tostring(ok)) return err");
    assert_string_equal(outcome, "cannot resume the coroutine of a request or task: only fsd does");
    start("return select(2, pcall(coroutine.close, saved))");
    assert_string_equal(outcome, "cannot close the coroutine of a request or task: only fsd does");
    run();
    assert_string_equal(told, "false;slept;");
    start("return tostring(coroutine.resume(saved))"); /* also when it is idle in the pool */
    assert_string_equal(outcome, "false");
}

static void errors_in_errors_are_only_errors(void **state)
{
    (void)state;
    start("local function deep(n) local x <close> = setmetatable({}, {__close = function()\n"
          "  error('again ' .. n, 0) end}) if n > 0 then deep(n - 1) end error('first', 0) end\n"
          "error(select(2, pcall(deep, 3)))");
    assert_int_equal(last_status, LUA_ERRRUN);
    assert_string_equal(outcome, "t:3: again 3");
    start("local function f() return 1 + f() end f()");
    assert_non_null(strstr(outcome, "stack overflow"));
    start("return 'well'");
    assert_string_equal(outcome, "well");
}

/* look(): tells what the black box says is on the CPU */
static int lua_look(lua_State *L)
{
    struct blackbox_now now;
    char title[BLACKBOX_TITLE_MAX];
    blackbox_read_now(runtime_of(L)->recorder.box, &now);
    lua_pushstring(L, blackbox_title(&now, title));
    lua_insert(L, 1);
    lua_settop(L, 1);
    return lua_tell(L);
}

static void what_is_on_the_cpu_stands_in_the_black_box(void **state)
{
    (void)state;
    int fd = blackbox_create();
    struct blackbox_now now;
    assert_int_equal(recorder_open(&runtime.recorder, fd), 0);
    lua_register(runtime.L, "look", lua_look);
    start("look() sleep(0.01) look()");
    blackbox_read_now(runtime.recorder.box, &now);
    assert_int_equal(now.kind, BLACKBOX_NOTHING);
    run();
    assert_string_equal(told, "task test;task test;");
    blackbox_read_now(runtime.recorder.box, &now);
    assert_int_equal(now.kind, BLACKBOX_NOTHING);
    fd_close(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_task_that_does_not_wait_ends_at_once),
        TEST(a_task_that_sleeps_goes_on_later),
        TEST(tasks_sleep_side_by_side),
        TEST(sleeping_is_limited_to_what_a_timer_can_hold),
        TEST(a_cancelled_wait_raises_the_reason),
        TEST(an_error_of_cancelling_that_nobody_catches_ends_the_task),
        TEST(unwinding_may_wait_and_later_reasons_are_ignored),
        TEST(a_task_that_is_ready_is_cancelled_where_it_goes_on),
        TEST(what_a_task_does_not_take_is_passed_on_once),
        TEST(a_task_that_cancels_itself_is_told_at_its_next_wait),
        TEST(who_is_told_before_it_waits_is_not_told_again),
        TEST(one_that_goes_on_waiting_is_closed_by_force),
        TEST(one_that_could_not_go_on_since_it_was_cancelled_has_its_time_all_the_same),
        TEST(a_task_that_is_killed_is_closed_and_runs_nothing_else),
        TEST(a_task_that_is_killed_inside_of_xpcall_leaves_no_message_handler),
        TEST(a_task_that_is_ready_is_killed_before_it_goes_on),
        TEST(a_task_that_kills_itself_is_closed_when_it_waits),
        TEST(a_deadline_cancels),
        TEST(a_deadline_goes_with_its_task),
        TEST(a_coroutine_is_used_again_also_after_an_error),
        TEST(more_tasks_than_the_pool_keeps_are_given_back),
        TEST(waiting_where_it_cannot_be_done_says_so),
        TEST(coroutines_of_the_application_work_inside_a_task),
        TEST(a_handler_that_yields_itself_is_told),
        TEST(a_c_function_that_yields_to_nobody_ends_the_task),
        TEST(nobody_else_resumes_or_closes_the_coroutine_of_a_task),
        TEST(errors_in_errors_are_only_errors),
        TEST(what_is_on_the_cpu_stands_in_the_black_box),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
