#include "worker/core/leisure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_tasks.h"

enum { MIB = 1 << 20 };

static struct runtime *runtime(void)
{
    return &tasks.runtime;
}

static void run_lua(const char *chunk)
{
    lua_State *L = tasks.runtime.L;
    if (luaL_dostring(L, chunk) != LUA_OK) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    lua_settop(L, 0);
}

/* Strings that the collector has had no occasion to look at. */
static void make_garbage(void)
{
    run_lua("collectgarbage() collectgarbage('stop') for i = 1, 20 do ('x'):rep(1 << 20) end "
            "collectgarbage('restart')");
}

static void on_stop(struct loop_job *job)
{
    (void)job;
    loop_stop(&tasks.runtime.loop);
}

static void turn(void)
{
    struct loop_job stop = {0};
    tasks.runtime.loop.stopping = false;
    loop_defer(&tasks.runtime.loop, &stop, on_stop);
    loop_run(&tasks.runtime.loop, NULL);
}

/* Looks, and lets a collection that this begins come to its end; whether there was one. */
static bool look(void)
{
    leisure_look(runtime());
    bool has_begun = runtime()->sweep.left > 0;
    for (int i = 0; runtime()->sweep.left > 0; i++) {
        assert_true(i < 100000);
        turn();
    }
    return has_begun;
}

static void garbage_goes_while_nothing_happens(void **state)
{
    (void)state;
    make_garbage();
    assert_true(runtime()->heap.used_bytes > 20 * MIB);
    assert_true(look());
    assert_true(runtime()->heap.used_bytes < 2 * MIB);
    assert_false(look());
}

static void a_busy_worker_is_left_alone(void **state)
{
    (void)state;
    make_garbage();
    for (int i = 0; i < LEISURE_TURNS; i++) {
        turn();
    }
    assert_false(look());
    assert_true(runtime()->heap.used_bytes > 20 * MIB);
    for (int i = 0; i < LEISURE_TURNS - 1; i++) {
        turn();
    }
    assert_true(look()); /* that is not busy */
}

static void what_is_alive_is_looked_at_once(void **state)
{
    (void)state;
    run_lua("kept = {} for i = 1, 20 do kept[i] = ('x'):rep(1 << 20) .. i end");
    assert_true(look());
    for (int i = 0; i < 3; i++) {
        assert_false(look());
    }
    assert_true(runtime()->heap.used_bytes > 20 * MIB);
    run_lua("for i = 21, 40 do kept[i] = ('x'):rep(1 << 20) .. i end");
    assert_true(look());
    assert_false(look());
}

static void little_growth_is_left_to_lua(void **state)
{
    (void)state;
    run_lua(
        "collectgarbage('stop') for i = 1, 6 do ('x'):rep(1 << 17) end collectgarbage('restart')");
    assert_false(look());
    run_lua("kept = {} for i = 1, 80 do kept[i] = ('x'):rep(1 << 20) .. i end");
    assert_true(look());
    assert_false(look());
    run_lua(
        "collectgarbage('stop') for i = 1, 8 do ('x'):rep(1 << 20) end collectgarbage('restart')");
    assert_false(look()); /* less than an eighth */
}

static void what_is_given_up_counts_as_less(void **state)
{
    (void)state;
    run_lua("kept = {} for i = 1, 40 do kept[i] = ('x'):rep(1 << 20) .. i end");
    assert_true(look());
    run_lua("kept = nil collectgarbage() collectgarbage()");
    assert_false(look());
    make_garbage();
    assert_true(look());
    assert_true(runtime()->heap.used_bytes < 2 * MIB);
}

static void a_collector_that_was_stopped_stays_so(void **state)
{
    (void)state;
    run_lua("collectgarbage('stop') for i = 1, 20 do ('x'):rep(1 << 20) end");
    assert_false(look());
    assert_true(runtime()->heap.used_bytes > 20 * MIB);
}

static void free_memory_goes_to_the_system_after_some_work(void **state)
{
    (void)state;
    struct heap_pool *pool = &runtime()->heap.pool;
    run_lua("local t = {} for i = 1, 50000 do t[i] = {} end t = nil collectgarbage()");
#ifndef __SANITIZE_ADDRESS__ /* each block is one of malloc's */
    assert_true(pool->warm_count > 20);
#endif
    uint32_t before = pool->warm_count;
    assert_false(look());
    assert_int_equal(pool->warm_count, before); /* nothing has happened that it knows of */
    for (int i = 0; i < LEISURE_TURNS; i++) {
        turn();
    }
    assert_false(look());
    assert_int_equal(pool->warm_count, before); /* it is busy */
    assert_false(look());
    assert_true(pool->warm_count <= 8);
}

static void it_looks_again_and_again(void **state)
{
    (void)state;
    leisure_start(runtime());
    struct timer *timer = &runtime()->leisure.timer;
    make_garbage();
    assert_true(timer_is_set(timer));
    assert_int_equal(timer_run(&runtime()->loop.timers, timer->at_ms), 1);
    assert_true(runtime()->sweep.left > 0);
    assert_true(timer_is_set(timer));
    while (runtime()->sweep.left > 0) {
        turn();
    }
    timer_clear(&runtime()->loop.timers, timer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tasks_set_up, tasks_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(garbage_goes_while_nothing_happens),
        TEST(a_busy_worker_is_left_alone),
        TEST(what_is_alive_is_looked_at_once),
        TEST(little_growth_is_left_to_lua),
        TEST(what_is_given_up_counts_as_less),
        TEST(a_collector_that_was_stopped_stays_so),
        TEST(free_memory_goes_to_the_system_after_some_work),
        TEST(it_looks_again_and_again),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
