#include "worker/lib/storage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_chunk.h"

static void each_task_has_values_of_its_own(void **state)
{
    (void)state;
    assert_tells("local storage = task.local_storage\n"
                 "storage.user = 'outer'\n"
                 "local function run(name)\n"
                 "  tell(storage.user) storage.user = name task.yield() tell(storage.user) end\n"
                 "task.all{ function() run('a') end, function() run('b') end }\n"
                 "tell(storage.user) storage.user = nil tell(storage.user)",
                 "nil nil a b outer nil ");
}

static void values_are_seen_in_coroutines_and_closes_of_the_task(void **state)
{
    (void)state;
    assert_tells(
        "local storage = task.local_storage\n"
        "storage[1] = 'one'\n"
        "coroutine.wrap(function() tell(storage[1]) task.yield() storage[2] = 'two' end)()\n"
        "do local x <close> = setmetatable({}, { __close = function() tell(storage[2]) end }) end",
        "one two ");
}

static void values_go_with_their_task(void **state)
{
    (void)state;
    assert_tells(
        "local kept = setmetatable({}, { __mode = 'k' })\n"
        "local ends = { done = function() end, failed = function() error('failed', 0) end,\n"
        "  killed = function() kill() task.sleep(60) end }\n"
        "for _, how in ipairs{ 'done', 'failed', 'killed' } do\n"
        "  local h = spawn(function()\n"
        "    local value = {} kept[value] = true task.local_storage.value = value\n"
        "    value = nil collectgarbage() assert(next(kept)) ends[how]() end)\n"
        "  tell((select(2, try(h.join, h)))) h = nil collectgarbage() tell(next(kept))\n"
        "end\n"
        "for i = 1, 3 do spawn(function() tell(next(kept)) tell(task.local_storage.value) "
        "end):join() end",
        "nil nil failed nil "
        "Error: the task was ended by force: it was closed (killed) nil "
        "nil nil nil nil nil nil ");
}

static void pairs_goes_through_them(void **state)
{
    (void)state;
    assert_tells("for _ in pairs(task.local_storage) do tell('never') end\n"
                 "task.local_storage.a = 1\n"
                 "for key, value in pairs(task.local_storage) do tell(key) tell(value) end",
                 "a 1 ");
}

static void wrong_keys_and_places_are_errors(void **state)
{
    (void)state;
    assert_tells(
        "local storage = task.local_storage\n"
        "tell(storage[nil]) tell(getmetatable(storage))\n"
        "tell(try(function() storage[nil] = 1 end)) tell(try(function() storage[0/0] = 1 end))",
        "nil fsd.LocalStorage nil nil ");
    assert_int_not_equal(luaL_dostring(runtime.L, "return task.local_storage.x"), LUA_OK);
    assert_non_null(strstr(lua_tostring(runtime.L, -1), "cannot use task.local_storage here"));
    lua_settop(runtime.L, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(each_task_has_values_of_its_own),
        T(values_are_seen_in_coroutines_and_closes_of_the_task),
        T(values_go_with_their_task),
        T(pairs_goes_through_them),
        T(wrong_keys_and_places_are_errors),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
