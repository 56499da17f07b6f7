/* The timer and the hook, without tasks: a Lua state of our own, and a hook that counts. */
#include "worker/core/slice.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "common/clock.h"

enum { TICK_US = 200, LIMIT_MS = 10000, ENOUGH_MS = 20 };

static struct slice slice;
static lua_State *main_thread;
static lua_State *other; /* a coroutine */
static unsigned hooks;
static lua_State *hooked; /* the last one */

static void on_hook(lua_State *L, lua_Debug *activation)
{
    (void)activation;
    slice_rearm(&slice, L, 0);
    hooks++;
    hooked = L;
    lua_pushboolean(L, 1);
    lua_setglobal(L, "stop");
}

static int set_up(void **state)
{
    (void)state;
    main_thread = luaL_newstate();
    other = lua_newthread(main_thread);
    hooks = 0;
    hooked = NULL;
    int error = slice_open(&slice, on_hook);
    slice.tick_us = TICK_US;
    return error;
}

static int tear_down(void **state)
{
    (void)state;
    slice_close(&slice);
    slice_close(&slice); /* twice is once */
    lua_close(main_thread);
    return 0;
}

static void run(lua_State *L, const char *code)
{
    lua_pushnil(L);
    lua_setglobal(L, "stop");
    assert_int_equal(luaL_loadstring(L, code), LUA_OK);
    assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
}

static void spin_ms(uint64_t duration_ms)
{
    uint64_t end_ms = clock_monotonic_ms() + duration_ms;
    while (clock_monotonic_ms() < end_ms) {
    }
}

static void the_hook_runs_when_a_slice_is_used_up(void **state)
{
    (void)state;
    slice_begin(&slice, main_thread, 0);
    run(main_thread, "while not stop do end");
    assert_true(slice_is_over(&slice));
    assert_true(slice.ticks >= slice.limit_ticks);
    (void)slice_end(&slice);
    assert_int_equal(hooks, 1);
    assert_ptr_equal(hooked, main_thread);
}

static void a_slice_begins_anew_with_each_task(void **state)
{
    (void)state;
    slice.limit_ticks = 5;
    slice_begin(&slice, main_thread, 0);
    run(main_thread, "while not stop do end");
    slice_begin(&slice, main_thread, 0);
    assert_int_equal(slice.used_us, 0);
    assert_true(slice.ticks < 5);
    (void)slice_end(&slice);
}

static void a_tick_that_comes_soon_is_let_pass(void **state)
{
    (void)state;
    slice_begin(&slice, main_thread, clock_monotonic_us() + (uint64_t)LIMIT_MS * 1000);
    spin_ms(ENOUGH_MS);
    assert_true(slice.ticks > slice.limit_ticks);
    assert_false(slice_is_over(&slice));
    (void)slice_end(&slice);
}

static void the_hook_runs_in_the_coroutine_that_has_the_cpu(void **state)
{
    (void)state;
    slice_begin(&slice, main_thread, 0);
    assert_ptr_equal(slice_switch(&slice, other), main_thread);
    run(other, "while not stop do end");
    assert_ptr_equal(hooked, other);
    assert_ptr_equal(slice_switch(&slice, main_thread), other);
    (void)slice_end(&slice);
}

static void nothing_is_interrupted_between_slices(void **state)
{
    (void)state;
    slice.limit_ticks = UINT32_MAX; /* a tick may come before the end */
    slice_begin(&slice, main_thread, 0);
    (void)slice_end(&slice);
    slice.limit_ticks = 1;
    assert_null(slice_switch(&slice, other));
    assert_null(slice.current);
    spin_ms(ENOUGH_MS);
    run(main_thread, "for i = 1, 1e6 do end");
    assert_int_equal(hooks, 0);
}

static void the_cpu_time_is_what_the_thread_has_used(void **state)
{
    (void)state;
    slice.limit_ticks = UINT32_MAX;
    uint64_t begin_us = clock_thread_us();
    slice_begin(&slice, main_thread, 0);
    while (clock_thread_us() < begin_us + 5000) {
    }
    uint64_t used_us = slice_end(&slice);
    uint64_t spent_us = clock_thread_us() - begin_us;
    assert_true(used_us > 0 && used_us <= spent_us);
}

static void the_timer_stops_when_nothing_runs_and_starts_again(void **state)
{
    (void)state;
    uint64_t end_ms = clock_monotonic_ms() + LIMIT_MS;
    slice_begin(&slice, main_thread, 0);
    (void)slice_end(&slice);
    while (slice.is_armed) {
        assert_true(clock_monotonic_ms() < end_ms);
    }
    struct itimerspec times;
    assert_int_equal(timer_gettime(slice.timer, &times), 0);
    assert_int_equal(times.it_value.tv_sec + times.it_value.tv_nsec, 0);
    slice_begin(&slice, main_thread, 0);
    assert_true(slice.is_armed);
    run(main_thread, "while not stop do end");
    (void)slice_end(&slice);
    assert_int_equal(hooks, 1);
}

static void silence_is_for_ever(void **state)
{
    (void)state;
    slice.limit_ticks = UINT32_MAX; /* a tick may come before it is silent */
    slice_begin(&slice, main_thread, 0);
    slice_silence();
    slice.limit_ticks = 1;
    spin_ms(ENOUGH_MS);
    run(main_thread, "for i = 1, 1e6 do end");
    (void)slice_end(&slice);
    assert_int_equal(hooks, 0);
}

static void a_signal_of_before_that_comes_too_late_does_nothing(void **state)
{
    (void)state;
    slice_close(&slice);
    assert_int_equal(raise(SIGVTALRM), 0);
}

static void at_a_deep_stack_the_hook_is_armed_less_often(void **state)
{
    (void)state;
    slice_begin(&slice, main_thread, 0);
    run(main_thread, "local function deep(n) if n == 0 then while not stop do end return 0 end\n"
                     "  return 1 + deep(n - 1) end deep(150000)");
    assert_int_equal(hooks > 0, 1);
    assert_true(slice.rest_until_us > slice.mark_us); /* most of the time is left for Lua */
    (void)slice_end(&slice);
}

static void tests_have_the_hook_run_after_a_number_of_instructions(void **state)
{
    (void)state;
    slice.limit_ticks = UINT32_MAX;
    slice.every = 100;
    slice_begin(&slice, main_thread, 0);
    assert_true(slice_is_over(&slice));
    run(main_thread, "for i = 1, 1000 do end");
    (void)slice_end(&slice);
    assert_true(hooks >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_hook_runs_when_a_slice_is_used_up),
        TEST(a_slice_begins_anew_with_each_task),
        TEST(a_tick_that_comes_soon_is_let_pass),
        TEST(the_hook_runs_in_the_coroutine_that_has_the_cpu),
        TEST(nothing_is_interrupted_between_slices),
        TEST(the_cpu_time_is_what_the_thread_has_used),
        TEST(the_timer_stops_when_nothing_runs_and_starts_again),
        TEST(silence_is_for_ever),
        TEST(a_signal_of_before_that_comes_too_late_does_nothing),
        TEST(at_a_deep_stack_the_hook_is_armed_less_often),
        TEST(tests_have_the_hook_run_after_a_number_of_instructions),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
