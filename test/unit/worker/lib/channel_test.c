#include "worker/lib/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_chunk.h"

static void values_come_out_in_the_order_in_which_they_went_in(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel(3)\n"
                 "ch:put(1) ch:put('two') ch:put(false)\n"
                 "tell(#ch)\n"
                 "for _ = 1, 3 do tell(ch:get()) end\n"
                 "tell(#ch)",
                 "3 1 two false 0 ");
}

static void a_getter_waits_for_a_value(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel(1)\n"
                 "spawn(function() tell('get') tell(ch:get()) end)\n"
                 "task.yield() tell('put') ch:put('value') tell('went on')",
                 "get put went on value ");
}

static void a_putter_waits_for_room(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel(2)\n"
                 "spawn(function() for i = 1, 4 do ch:put(i) tell('put' .. i) end end)\n"
                 "task.yield() tell(ch:get()) task.yield()\n"
                 "for _ = 1, 3 do tell(ch:get()) end",
                 "put1 put2 1 put3 2 3 4 put4 ");
}

static void without_capacity_a_value_goes_from_hand_to_hand(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel()\n"
                 "spawn(function() ch:put('a') tell('a is taken') end)\n"
                 "task.yield() tell(#ch) tell('take') tell(ch:get()) task.yield()\n"
                 "spawn(function() tell(ch:get()) end)\n"
                 "task.yield() ch:put('b') tell('put b')",
                 "0 take a a is taken put b b ");
}

static void those_who_wait_are_served_in_turn(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel()\n"
                 "for i = 1, 3 do spawn(function() tell(i .. ch:get()) end) end\n"
                 "task.yield()\n"
                 "ch:put('a') ch:put('b') ch:put('c')",
                 "1a 2b 3c ");
    assert_tells("local ch = task.channel()\n"
                 "for i = 1, 3 do spawn(function() ch:put(i) end) end\n"
                 "task.yield()\n"
                 "tell(ch:get()) tell(ch:get()) tell(ch:get())",
                 "1 2 3 ");
}

static void trying_does_not_wait(void **state)
{
    (void)state;
    assert_tells(
        "local ch = task.channel(1)\n"
        "tell(ch:try_get()) tell(ch:try_put('a')) tell(ch:try_put('b')) tell(ch:try_get())\n"
        "local direct = task.channel()\n"
        "tell(direct:try_put('c'))\n"
        "spawn(function() tell(direct:get()) end) task.yield()\n"
        "tell(direct:try_put('d')) task.yield()\n"
        "spawn(function() direct:put('e') end) task.yield() tell(direct:try_get())",
        "nil true false a false true d e ");
}

static void a_closed_channel_gives_what_lies_in_it_and_then_nil(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel(2)\n"
                 "ch:put('a') ch:put('b') ch:close() ch:close()\n"
                 "for value in ch:values() do tell(value) end\n"
                 "tell(ch:get()) tell(ch:try_get())\n"
                 "local _, err = try(ch.put, ch, 'c') tell(err.name) tell(err.code)\n"
                 "_, err = try(ch.try_put, ch, 'c') tell(err.code)",
                 "a b nil nil ChannelError channel.closed channel.closed ");
}

static void closing_ends_all_waits(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel()\n"
                 "for i = 1, 2 do spawn(function() tell(tostring(ch:get()) .. i) end) end\n"
                 "task.yield() ch:close() task.yield()\n"
                 "ch = task.channel()\n"
                 "for i = 1, 2 do spawn(function() local _, err = try(ch.put, ch, i) "
                 "tell(err.code) end) end\n"
                 "task.yield() ch:close() tell(ch:get())",
                 "nil1 nil2 nil channel.closed channel.closed ");
}

static void a_limit_raises(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel()\n"
                 "local _, err = try(ch.get, ch, 0.001) tell(err)\n"
                 "_, err = try(ch.put, ch, 'a', 0.001) tell(err)\n"
                 "tell(ch:try_get())\n"
                 "spawn(function() ch:put('b', 5) end) task.yield() tell(ch:get(5))",
                 "TimeoutError: channel:get took too long (timeout) "
                 "TimeoutError: channel:put took too long (timeout) nil b ");
}

static void a_cancelled_wait_takes_and_leaves_nothing(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel(1)\n"
                 "local a = spawn(function() tell(ch:get()) end)\n"
                 "local b = spawn(function() tell('b' .. ch:get()) end)\n"
                 "task.yield() a:cancel() ch:put(1) task.yield()\n"
                 "ch:put(2)\n"
                 "a = spawn(function() ch:put(3) end)\n"
                 "b = spawn(function() ch:put(4) end)\n"
                 "task.yield() a:cancel() tell(ch:get()) tell(ch:get()) tell(ch:try_get())",
                 "b1 2 4 nil ");
}

static void a_value_that_its_getter_does_not_take_goes_to_the_next(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel()\n"
                 "local a = spawn(function() tell(ch:get()) end)\n"
                 "local b = spawn(function() tell('b' .. ch:get()) end)\n"
                 "task.yield() ch:put(1) tell(a:cancel())",
                 "true b1 ");
}

static void a_value_that_its_getter_does_not_take_goes_back_to_the_front(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel(2)\n"
                 "local a = spawn(function() tell(ch:get()) end)\n"
                 "task.yield() ch:put(1) ch:put(2) ch:put(3)\n"
                 "a:cancel() try(a.join, a)\n"
                 "tell(#ch) spawn(function() ch:put(4) end)\n"
                 "task.yield() for _ = 1, 4 do tell(ch:get()) end",
                 "3 1 2 3 4 ");
}

static void one_that_is_killed_behind_its_wake_loses_nothing(void **state)
{
    (void)state;
    assert_tells("local ch = task.channel()\n"
                 "local a = spawn(function() tell(ch:get()) end)\n"
                 "task.yield() ch:put(1) kill(a)\n"
                 "local _, err = try(a.join, a) tell(err.code) tell(ch:try_get())",
                 "killed 1 ");
}

static void values_are_collected_with_the_channel(void **state)
{
    (void)state;
    assert_tells("local weak = setmetatable({}, { __mode = 'k' })\n"
                 "do\n"
                 "  local ch = task.channel(1)\n"
                 "  local function waste() local t = {} weak[t] = true return t end\n"
                 "  ch:put(waste())\n"
                 "  local putter = spawn(function() ch:put(waste()) end)\n"
                 "  task.yield() putter:cancel() try(putter.join, putter)\n"
                 "end\n"
                 "collectgarbage() collectgarbage() tell(next(weak))",
                 "nil ");
}

static void arguments_are_checked(void **state)
{
    (void)state;
    assert_tells(
        "local ch = task.channel(1)\n"
        "local function fails(...) local _, err = try(...) tell(err.message:match('%((.*)%)')) "
        "end\n"
        "fails(ch.put, ch, nil) fails(ch.get, ch, -1) fails(ch.get, ch, 0/0)\n"
        "fails(task.channel, -1)",
        "must not be nil: get returns that for the end must not be negative must not be negative "
        "must be from 0 to 2147483647 ");
}

static void outside_of_a_task_only_waiting_is_refused(void **state)
{
    (void)state;
    assert_int_equal(luaL_dostring(runtime.L, "ch = task.channel(1) ch:put(5) return ch:get()"), 0);
    assert_int_equal(lua_tointeger(runtime.L, -1), 5);
    assert_int_equal(luaL_dostring(runtime.L, "ch:get()"), 1);
    assert_non_null(strstr(lua_tostring(runtime.L, -1), "cannot wait here"));
    lua_settop(runtime.L, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(values_come_out_in_the_order_in_which_they_went_in),
        T(a_getter_waits_for_a_value),
        T(a_putter_waits_for_room),
        T(without_capacity_a_value_goes_from_hand_to_hand),
        T(those_who_wait_are_served_in_turn),
        T(trying_does_not_wait),
        T(a_closed_channel_gives_what_lies_in_it_and_then_nil),
        T(closing_ends_all_waits),
        T(a_limit_raises),
        T(a_cancelled_wait_takes_and_leaves_nothing),
        T(a_value_that_its_getter_does_not_take_goes_to_the_next),
        T(a_value_that_its_getter_does_not_take_goes_back_to_the_front),
        T(one_that_is_killed_behind_its_wake_loses_nothing),
        T(values_are_collected_with_the_channel),
        T(arguments_are_checked),
        T(outside_of_a_task_only_waiting_is_refused),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
