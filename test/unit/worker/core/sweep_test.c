#include "worker/core/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_tasks.h"

static void run_lua(const char *chunk)
{
    lua_State *L = tasks.runtime.L;
    if (luaL_dostring(L, chunk) != LUA_OK) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    lua_settop(L, 0);
}

static unsigned finalizers; /* that have run */

static int on_finalize(lua_State *L)
{
    (void)L;
    finalizers++;
    return 0;
}

/* finalized(value): makes garbage that has a finalizer, and the value. */
static int lua_finalized(lua_State *L)
{
    (void)lua_newuserdatauv(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    lua_newtable(L);
    lua_pushcfunction(L, on_finalize);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return 0;
}

static void on_stop(struct loop_job *job)
{
    (void)job;
    loop_stop(&tasks.runtime.loop);
}

/* One turn; what has waited for its share before gets it. */
static void turn(void)
{
    struct loop_job stop = {0};
    tasks.runtime.loop.stopping = false;
    loop_defer(&tasks.runtime.loop, &stop, on_stop);
    loop_run(&tasks.runtime.loop, NULL);
}

static void sweep(void)
{
    for (int i = 0; tasks.runtime.sweep.left > 0; i++) {
        assert_true(i < 100000);
        turn();
    }
}

static void what_nobody_has_is_collected_without_need(void **state)
{
    (void)state;
    run_lua("weak = setmetatable({}, {__mode = 'k'}) weak[{}] = true");
    sweep_begin(&tasks.runtime);
    sweep();
    run_lua("assert(next(weak) == nil)");
}

static void so_is_what_only_finalizers_have(void **state)
{
    (void)state;
    finalizers = 0;
    lua_register(tasks.runtime.L, "finalized", lua_finalized);
    run_lua("weak = setmetatable({}, {__mode = 'k'})\n"
            "local inner = {} weak[inner] = true finalized(inner)");
    sweep_begin(&tasks.runtime);
    sweep();
    assert_int_equal(finalizers, 1);
    run_lua("assert(next(weak) == nil)");
}

static void what_became_garbage_while_a_collection_was_under_way_is_found(void **state)
{
    (void)state;
    run_lua("weak = setmetatable({}, {__mode = 'k'}) kept = {} weak[kept] = true\n"
            "for i = 1, 20000 do kept[i] = {i} end collectgarbage() collectgarbage('stop')");
    for (int i = 0; i < 20; i++) { /* it has marked what there is, or a part of it */
        (void)lua_gc(tasks.runtime.L, LUA_GCSTEP, 0);
    }
    run_lua("kept = nil");
    sweep_begin(&tasks.runtime);
    sweep();
    run_lua("assert(next(weak) == nil)");
}

static void it_is_done_a_bit_in_each_turn(void **state)
{
    (void)state;
    run_lua("kept = {} for i = 1, 200000 do kept[i] = {i} end");
    sweep_begin(&tasks.runtime);
    unsigned turns = 0;
    while (tasks.runtime.sweep.left > 0) {
        turn();
        turns++;
    }
    assert_true(turns > 10);
}

static void begun_again_it_is_begun_anew(void **state)
{
    (void)state;
    sweep_begin(&tasks.runtime);
    unsigned all = tasks.runtime.sweep.left;
    while (tasks.runtime.sweep.left == all) {
        turn();
    }
    sweep_begin(&tasks.runtime);
    assert_int_equal(tasks.runtime.sweep.left, all);
    sweep();
    assert_null(tasks.runtime.loop.later);
}

static void a_collector_in_generations_collects_everything_at_once(void **state)
{
    (void)state;
    run_lua("collectgarbage('generational') weak = setmetatable({}, {__mode = 'k'}) weak[{}] = 1");
    sweep_begin(&tasks.runtime);
    unsigned turns = 0;
    for (; tasks.runtime.sweep.left > 0; turns++) {
        turn();
    }
    assert_true(turns <= 3);
    run_lua("assert(next(weak) == nil)");
    assert_int_equal(lua_gc(tasks.runtime.L, LUA_GCINC, 0, 0, 0), LUA_GCGEN); /* as it was */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tasks_set_up, tasks_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_nobody_has_is_collected_without_need),
        TEST(so_is_what_only_finalizers_have),
        TEST(what_became_garbage_while_a_collection_was_under_way_is_found),
        TEST(it_is_done_a_bit_in_each_turn),
        TEST(begun_again_it_is_begun_anew),
        TEST(a_collector_in_generations_collects_everything_at_once),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
