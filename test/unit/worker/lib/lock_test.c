#include "worker/lib/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_chunk.h"

static void a_mutex_lets_one_in_at_a_time_and_in_turn(void **state)
{
    (void)state;
    assert_tells("local m = task.mutex()\n"
                 "for i = 1, 3 do spawn(function()\n"
                 "  m:lock() tell('in' .. i) task.sleep(0.001) tell('out' .. i) m:unlock()\n"
                 "end) end",
                 "in1 out1 in2 out2 in3 out3 ");
}

static void with_gives_back_whatever_happens(void **state)
{
    (void)state;
    assert_tells(
        "local m = task.mutex()\n"
        "local _, err = try(m.with, m, function() error('inside', 0) end) tell(err.message)\n"
        "tell(select('#', m:with(function(...) return ... end, 1, nil, nil)))\n"
        "local s = task.semaphore(1)\n"
        "_, err = try(s.with, s, function() error('inside', 0) end) tell(err.message)\n"
        "tell(s:with(function(x) return x end, 'result'))",
        "inside 3 inside result ");
}

static void a_guard_gives_back_at_the_end_of_its_block(void **state)
{
    (void)state;
    assert_tells("local m = task.mutex()\n"
                 "do local guard <close> = m:lock() tell(m:try_lock()) end\n"
                 "do local guard <close> = m:try_lock() tell(guard ~= nil) end\n"
                 "do local guard <close> = m:lock() m:unlock() end\n"
                 "tell(m:try_lock() ~= nil)",
                 "nil true true ");
}

static void an_old_guard_does_not_open_the_next_ones_lock(void **state)
{
    (void)state;
    assert_tells("local m = task.mutex()\n"
                 "do\n"
                 "  local guard <close> = m:lock() m:unlock()\n"
                 "  spawn(function() m:lock() tell('locked') task.sleep(0.01) m:unlock() end)\n"
                 "  task.yield()\n"
                 "end\n"
                 "tell(m:try_lock())",
                 "locked nil ");
}

static void only_the_holder_may_unlock_a_mutex(void **state)
{
    (void)state;
    assert_tells("local m = task.mutex()\n"
                 "local _, err = try(m.unlock, m) tell(err.message)\n"
                 "m:lock()\n"
                 "_, err = try(m.lock, m) tell(err.message)\n"
                 "spawn(function() local _, err = try(m.unlock, m) tell(err.message) end):join()",
                 "cannot unlock the mutex: it is not locked "
                 "cannot lock the mutex: this task has locked it already "
                 "cannot unlock the mutex: another task has locked it ");
}

static void one_that_is_cancelled_behind_its_wake_hands_the_lock_on(void **state)
{
    (void)state;
    assert_tells("local m = task.mutex()\n"
                 "m:lock()\n"
                 "local a = spawn(function() local g <close> = m:lock() tell('a') end)\n"
                 "local b = spawn(function() local g <close> = m:lock() tell('b') end)\n"
                 "task.yield() m:unlock() tell(m:try_lock()) a:cancel() b:join()\n"
                 "tell(m:try_lock() ~= nil)",
                 "nil b true ");
}

static void one_that_is_cancelled_before_its_wake_is_passed_over(void **state)
{
    (void)state;
    assert_tells(
        "local m = task.mutex()\n"
        "m:lock()\n"
        "local a = spawn(function() m:lock() tell('a') end)\n"
        "local b = spawn(function() m:lock() tell('b') m:unlock() end)\n"
        "task.yield() a:cancel() task.yield() m:unlock() b:join() tell(m:try_lock() ~= nil)",
        "b true ");
}

static void a_task_that_is_killed_gives_back_through_its_guard(void **state)
{
    (void)state;
    assert_tells("local m = task.mutex()\n"
                 "local s = task.semaphore(1)\n"
                 "spawn(function()\n"
                 "  local g <close> = m:lock()\n"
                 "  local h <close> = s:acquire()\n"
                 "  kill() task.sleep(60)\n"
                 "end)\n"
                 "task.yield() m:lock() tell('mutex') s:acquire() tell('semaphore')",
                 "mutex semaphore ");
    assert_logged(LOG_LEVEL_ERROR, "error in task: the task was ended by force: it was closed");
}

static void a_mutex_that_its_holder_does_not_give_back_is_unlocked_at_its_end(void **state)
{
    (void)state;
    assert_tells(
        "local ends = {\n"
        "  done = function() end, failed = function() error('failed', 0) end,\n"
        "  killed = function() kill() task.sleep(60) end,\n"
        "  cancelled = function() task.sleep(60) end }\n"
        "for _, how in ipairs{'done', 'failed', 'killed', 'cancelled'} do\n"
        "  local m, other = task.mutex(), task.mutex()\n"
        "  local holder = spawn(function() m:lock() other:lock() ends[how]() end)\n"
        "  local waiter = spawn(function() m:lock() tell(how) end)\n"
        "  task.yield() if how == 'cancelled' then holder:cancel() end\n"
        "  try(holder.join, holder) waiter:join() tell(m:try_lock() and other:try_lock() ~= nil)\n"
        "end",
        "done true failed true killed true cancelled true ");
}

static void what_was_given_back_is_not_given_back_again_at_the_end(void **state)
{
    (void)state;
    assert_tells("local m = task.mutex()\n"
                 "local first = spawn(function() m:lock() m:unlock() task.sleep(0.001) end)\n"
                 "local second = spawn(function() m:lock() first:join() tell('still') end)\n"
                 "first:join() tell(m:try_lock()) second:join()",
                 "nil still ");
}

static void a_mutex_that_is_collected_while_it_is_locked_leaves_nothing(void **state)
{
    (void)state;
    assert_tells("local a, b, c = task.mutex(), task.mutex(), task.mutex()\n"
                 "spawn(function() a:lock() b:lock() c:lock()\n"
                 "  b = nil collectgarbage() a = nil collectgarbage() end):join()\n"
                 "tell(c:try_lock() ~= nil)",
                 "true ");
}

static void a_task_that_is_killed_or_cancelled_gives_back_what_it_has_with(void **state)
{
    (void)state;
    assert_tells("local m = task.mutex()\n"
                 "local function hold() m:with(function() tell('in') task.sleep(60) end) end\n"
                 "local a, b = spawn(hold), spawn(hold)\n"
                 "task.yield() kill(a) try(a.join, a) task.yield() b:cancel() try(b.join, b)\n"
                 "tell(m:try_lock() ~= nil)",
                 "in in true ");
}

static void one_that_is_killed_behind_its_wake_hands_the_lock_on(void **state)
{
    (void)state;
    assert_tells("local m = task.mutex()\n"
                 "m:lock()\n"
                 "local a = spawn(function() m:lock() end)\n"
                 "local b = spawn(function() m:lock() tell('b') end)\n"
                 "task.yield() m:unlock() kill(a) try(a.join, a) b:join()",
                 "b ");
}

static void a_semaphore_lets_so_many_in(void **state)
{
    (void)state;
    assert_tells("local s, now, most = task.semaphore(3), 0, 0\n"
                 "local all = {}\n"
                 "for i = 1, 10 do all[i] = function() s:with(function()\n"
                 "  now = now + 1 most = math.max(most, now) task.yield() now = now - 1\n"
                 "end) end end\n"
                 "task.all(all) tell(most) tell(now)",
                 "3 0 ");
}

static void anybody_may_release_a_semaphore_but_not_too_often(void **state)
{
    (void)state;
    assert_tells("local s = task.semaphore(2)\n"
                 "s:acquire() s:acquire() tell(s:try_acquire())\n"
                 "spawn(function() s:release() end)\n"
                 "s:acquire() tell('again') s:release() s:release()\n"
                 "local _, err = try(s.release, s) tell(err.message)\n"
                 "do local g <close> = s:acquire() s:release() end\n"
                 "tell(s:try_acquire() ~= nil and s:try_acquire() ~= nil and s:try_acquire())",
                 "nil again cannot release the semaphore: nobody has acquired it nil ");
}

static void one_that_is_cancelled_behind_its_wake_hands_the_place_on(void **state)
{
    (void)state;
    assert_tells("local s = task.semaphore(1)\n"
                 "s:acquire()\n"
                 "local a = spawn(function() s:with(tell, 'a') end)\n"
                 "local b = spawn(function() s:with(tell, 'b') end)\n"
                 "task.yield() s:release() a:cancel() b:join() tell(s:try_acquire() ~= nil)",
                 "b true ");
}

static void a_limit_raises(void **state)
{
    (void)state;
    assert_tells("local m, s = task.mutex(), task.semaphore(1)\n"
                 "m:lock() s:acquire()\n"
                 "spawn(function()\n"
                 "  local _, err = try(m.lock, m, 0.001) tell(err)\n"
                 "  _, err = try(s.acquire, s, 0.001) tell(err)\n"
                 "end):join()\n"
                 "m:unlock() s:release() tell(m:try_lock() ~= nil and s:try_acquire() ~= nil)",
                 "TimeoutError: mutex:lock took too long (timeout) "
                 "TimeoutError: semaphore:acquire took too long (timeout) true ");
}

static void only_a_task_may_lock_a_mutex(void **state)
{
    (void)state;
    assert_int_equal(luaL_dostring(runtime.L, "task.mutex():lock()"), 1);
    assert_non_null(strstr(lua_tostring(runtime.L, -1), "only requests and tasks can"));
    lua_settop(runtime.L, 0);
}

static void a_semaphore_has_at_least_one_place(void **state)
{
    (void)state;
    assert_tells("tell(select(2, try(task.semaphore, 0)).message:match('%((.*)%)'))",
                 "must be at least 1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_mutex_lets_one_in_at_a_time_and_in_turn),
        T(with_gives_back_whatever_happens),
        T(a_guard_gives_back_at_the_end_of_its_block),
        T(an_old_guard_does_not_open_the_next_ones_lock),
        T(only_the_holder_may_unlock_a_mutex),
        T(one_that_is_cancelled_behind_its_wake_hands_the_lock_on),
        T(one_that_is_cancelled_before_its_wake_is_passed_over),
        T(a_task_that_is_killed_gives_back_through_its_guard),
        T(a_task_that_is_killed_or_cancelled_gives_back_what_it_has_with),
        T(a_mutex_that_its_holder_does_not_give_back_is_unlocked_at_its_end),
        T(what_was_given_back_is_not_given_back_again_at_the_end),
        T(a_mutex_that_is_collected_while_it_is_locked_leaves_nothing),
        T(one_that_is_killed_behind_its_wake_hands_the_lock_on),
        T(a_semaphore_lets_so_many_in),
        T(anybody_may_release_a_semaphore_but_not_too_often),
        T(one_that_is_cancelled_behind_its_wake_hands_the_place_on),
        T(a_limit_raises),
        T(only_a_task_may_lock_a_mutex),
        T(a_semaphore_has_at_least_one_place),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
