#include "worker/core/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_bundle.h"
#include "test/support/lua_tasks.h"
#include "worker/core/app_list.h"
#include "worker/core/generation.h"

static struct trial *trial;
static unsigned overs; /* times that on_over was called */
static bool was_ready;
static char reason[TASKS_TOLD_MAX];
static bool drops_when_over;
static int data; /* the caller's */

/* check(app, function): as app:on_check */
static int lua_check(lua_State *L)
{
    app_list_get(L, APP_LIST_CHECKS, 1);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    return 0;
}

static void judge(lua_State *L, const struct generation *generation)
{
    if (lua_type(L, -1) != LUA_TTABLE) {
        luaL_error(L, "no application: generation %d", (int)generation->number);
    }
    lua_getglobal(L, "tell");
    lua_pushliteral(L, "judged");
    lua_call(L, 1, 0);
}

static void on_over(struct trial *over, bool is_ready)
{
    assert_ptr_equal(over, trial);
    assert_ptr_equal(trial_data(over), &data);
    overs++;
    was_ready = is_ready;
    (void)snprintf(reason, sizeof(reason), "%s", trial_reason(over));
    loop_stop(&tasks.runtime.loop);
    if (drops_when_over) {
        trial_drop(trial);
        trial = NULL;
    }
}

static const struct trial_calls calls = {judge, on_over};

static int set_up(void **state)
{
    (void)tasks_set_up(state);
    lua_State *L = tasks.runtime.L;
    lua_register(L, "check", lua_check);
    assert_int_equal(luaL_dostring(L, "alive = setmetatable({}, { __mode = 'k' })"), LUA_OK);
    trial = NULL;
    overs = 0;
    was_ready = false;
    drops_when_over = false;
    return 0;
}

static int tear_down(void **state)
{
    trial_drop(trial);
    return tasks_tear_down(state);
}

/* Begins a trial of this main file; `alive` knows a global of it. */
static void begin(const char *source)
{
    char text[TASKS_TOLD_MAX];
    struct fsd_err err;
    struct generation *generation = NULL;
    (void)snprintf(text, sizeof(text), "mark = {} alive[mark] = true %s", source);
    const struct lua_file files[] = {{"app.lua", text}, {NULL, NULL}};
    int fd = lua_bundle_make("app.lua", files);
    assert_int_equal(generation_new(&tasks.runtime, fd, 8, &generation, &err), 0);
    fd_close(&fd);
    trial = trial_new(&tasks.runtime, generation, &calls, &data);
    assert_false(trial_is_ready(trial));
    trial_run(trial);
}

static void run_loop(void)
{
    tasks.runtime.loop.stopping = false;
    timer_set(&tasks.runtime.loop.timers, &tasks.limit, clock_monotonic_ms() + TASKS_LIMIT_MS,
              tasks_on_limit);
    loop_run(&tasks.runtime.loop, NULL);
    timer_clear(&tasks.runtime.loop.timers, &tasks.limit);
}

static void assert_failed(const char *wanted)
{
    assert_int_equal(overs, 1);
    assert_false(was_ready);
    if (strstr(reason, wanted) == NULL) {
        fail_msg("%s", reason);
    }
}

/* Until nothing of the code that was tried is left. */
static void assert_collected(void)
{
    lua_State *L = tasks.runtime.L;
    (void)lua_gc(L, LUA_GCCOLLECT);
    (void)lua_gc(L, LUA_GCCOLLECT);
    assert_int_equal(luaL_dostring(L, "assert(next(alive) == nil)"), LUA_OK);
}

static void on_stop(struct loop_job *job)
{
    (void)job;
    loop_stop(&tasks.runtime.loop);
}

/* A few turns, in which what is on its way out goes. */
static void turn(void)
{
    for (int i = 0; i < 5; i++) {
        struct loop_job stop = {0};
        tasks.runtime.loop.stopping = false;
        loop_defer(&tasks.runtime.loop, &stop, on_stop);
        loop_run(&tasks.runtime.loop, NULL);
    }
}

static void code_that_loads_is_ready_and_may_be_taken(void **state)
{
    (void)state;
    begin("tell('loads') return {}");
    assert_string_equal(tasks.told, "loads;judged;");
    assert_int_equal(overs, 1);
    assert_true(was_ready && trial_is_ready(trial));
    struct generation *generation = trial_take(trial);
    trial = NULL;
    assert_int_equal(generation->number, 8);
    lua_rawgeti(tasks.runtime.L, LUA_REGISTRYINDEX, generation->app_ref);
    assert_int_equal(lua_type(tasks.runtime.L, -1), LUA_TTABLE);
    lua_settop(tasks.runtime.L, 0);
    generation_free(&tasks.runtime, generation);
    assert_collected();
}

static void an_error_is_the_reason_with_its_place(void **state)
{
    (void)state;
    begin("\nerror('boom')");
    assert_failed("app.lua:2: boom\nstack traceback:");
    assert_false(trial_is_ready(trial));
}

static void code_that_does_not_compile_is_refused_with_its_place(void **state)
{
    (void)state;
    begin("\n\nreturn = {}");
    assert_failed("app.lua:3: unexpected symbol near '='");
}

static void what_the_judge_says_is_the_reason(void **state)
{
    (void)state;
    begin("return 5");
    assert_failed("no application: generation 8");
}

static void the_top_level_can_not_wait(void **state)
{
    (void)state;
    begin("sleep(0.001) return {}");
    assert_failed("cannot wait here");
}

static void checks_run_in_their_order_behind_the_judge_and_may_wait(void **state)
{
    (void)state;
    begin("local app = {} check(app, function() sleep(0.001) tell('one') end)\n"
          "check(app, function() tell('two') end) tell('loads') return app");
    assert_int_equal(overs, 0);
    assert_false(trial_is_ready(trial));
    run_loop();
    assert_string_equal(tasks.told, "loads;judged;one;two;");
    assert_true(was_ready && trial_is_ready(trial));
}

static void a_check_that_fails_is_the_reason_and_the_last_one(void **state)
{
    (void)state;
    begin("local app = {} check(app, function() sleep(0.001)\nerror('not today') end)\n"
          "check(app, function() tell('two') end) return app");
    run_loop();
    assert_failed("app.lua:2: not today");
    assert_string_equal(tasks.told, "judged;");
}

static void one_that_has_failed_may_be_dropped_when_it_says_so(void **state)
{
    (void)state;
    drops_when_over = true;
    begin("error('boom')");
    assert_failed("boom");
    turn();
    assert_collected();
}

static void one_that_is_ready_leaves_nothing_when_it_is_dropped(void **state)
{
    (void)state;
    begin("return {}");
    trial_drop(trial);
    trial = NULL;
    assert_collected();
}

static void one_that_waits_in_a_check_is_dropped_and_says_nothing(void **state)
{
    (void)state;
    begin("local app = {} check(app, function()\n"
          "  local closed <close> = setmetatable({}, { __close = function() tell('closed') end })\n"
          "  sleep(60) end) return app");
    trial_drop(trial);
    trial = NULL;
    turn();
    assert_string_equal(tasks.told, "judged;closed;");
    assert_int_equal(overs, 0);
    assert_collected();
}

static void one_that_loops_lets_others_run_and_is_dropped(void **state)
{
    (void)state;
    tasks.runtime.slice.limit_ticks = 1;
    begin("while true do end");
    (void)tasks_start("tell('other')");
    assert_string_equal(tasks.told, "other;");
    turn();
    assert_int_equal(overs, 0);
    trial_drop(trial);
    trial = NULL;
    turn();
    assert_int_equal(overs, 0);
    assert_collected();
}

static void one_whose_time_is_over_fails_where_it_stands(void **state)
{
    (void)state;
    tasks.runtime.slice.limit_ticks = 1;
    begin("local function spin()\nwhile true do end\nend\nspin()");
    trial_cut(trial);
    run_loop();
    assert_failed(
        "the code has not come to an end in its time\nstack traceback:\n\tapp.lua:2: in ");
}

static void one_that_goes_on_when_its_time_is_over_is_not_ready(void **state)
{
    (void)state;
    begin("local app = {} check(app, function() pcall(sleep, 60) end) return app");
    trial_cut(trial);
    run_loop();
    assert_failed("the code has not come to an end in its time");
}

static void one_that_is_ended_by_force_has_failed(void **state)
{
    (void)state;
    begin("local app = {} check(app, function() sleep(60) end) return app");
    struct task *task = NULL;
    struct heap *heap = &tasks.runtime.heap;
    for (uint32_t account = 0; (account = heap_next_holder(heap, account)) != 0;) {
        task = heap->accounts[account].holder;
    }
    assert_non_null(task);
    task_kill(task);
    run_loop();
    assert_failed("the code was ended by force while it loaded");
}

static void a_trial_of_nobody_is_dropped_in_vain(void **state)
{
    (void)state;
    trial_drop(NULL);
}

static void code_that_was_taken_is_there_as_long_as_a_coroutine_runs_on_it(void **state)
{
    (void)state;
    begin("return { run = function() sleep(0.001) tell('ran on') end }");
    struct generation *generation = trial_take(trial);
    trial = NULL;
    struct task *task = task_new(&tasks.runtime, &tasks_owner, NULL);
    lua_rawgeti(task->L, LUA_REGISTRYINDEX, generation->app_ref);
    lua_getfield(task->L, -1, "run");
    lua_replace(task->L, -2);
    generation_free(&tasks.runtime, generation);
    tasks.started++;
    task_start(task, 0);
    (void)lua_gc(tasks.runtime.L, LUA_GCCOLLECT);
    (void)lua_gc(tasks.runtime.L, LUA_GCCOLLECT);
    assert_int_equal(luaL_dostring(tasks.runtime.L, "assert(next(alive) ~= nil)"), LUA_OK);
    tasks_run();
    assert_string_equal(tasks.told, "judged;ran on;");
    assert_collected();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(code_that_loads_is_ready_and_may_be_taken),
        TEST(an_error_is_the_reason_with_its_place),
        TEST(code_that_does_not_compile_is_refused_with_its_place),
        TEST(what_the_judge_says_is_the_reason),
        TEST(the_top_level_can_not_wait),
        TEST(checks_run_in_their_order_behind_the_judge_and_may_wait),
        TEST(a_check_that_fails_is_the_reason_and_the_last_one),
        TEST(one_that_has_failed_may_be_dropped_when_it_says_so),
        TEST(one_that_is_ready_leaves_nothing_when_it_is_dropped),
        TEST(one_that_waits_in_a_check_is_dropped_and_says_nothing),
        TEST(one_that_loops_lets_others_run_and_is_dropped),
        TEST(one_whose_time_is_over_fails_where_it_stands),
        TEST(one_that_goes_on_when_its_time_is_over_is_not_ready),
        TEST(one_that_is_ended_by_force_has_failed),
        TEST(a_trial_of_nobody_is_dropped_in_vain),
        TEST(code_that_was_taken_is_there_as_long_as_a_coroutine_runs_on_it),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
