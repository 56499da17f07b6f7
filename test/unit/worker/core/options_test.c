#include "worker/core/options.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"max_age", "path"};

static int lua_take(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    options_check(L, 1, "take", names, 2);
    return 0;
}

static int open_state(void **state)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_register(L, "take", lua_take);
    *state = L;
    return 0;
}

static int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

/* The chunk makes its own assertions. */
static void run(lua_State *L, const char *chunk)
{
    if (luaL_dostring(L, chunk) != LUA_OK) {
        fail_msg("%s", luaL_tolstring(L, -1, NULL));
    }
    lua_settop(L, 0);
}

static void options_that_are_known_are_taken(void **state)
{
    run(*state, "take{} take{ max_age = 1 } take{ max_age = 1, path = 2 }");
}

static void an_unknown_option_is_named_with_what_was_meant(void **state)
{
    run(*state, "local ok, err = pcall(take, { maxage = 1 })\n"
                "assert(not ok and err:find('take: unknown option \"maxage\"; did you mean "
                "\"max_age\"?', 1, true), err)");
}

static void an_option_that_is_like_none_is_named_alone(void **state)
{
    run(*state, "local ok, err = pcall(take, { path = 1, zzzzzzzz = 1 })\n"
                "assert(not ok and err:find('take: unknown option \"zzzzzzzz\"$'), err)");
}

static void a_name_that_is_no_text_is_refused(void **state)
{
    run(*state, "local ok, err = pcall(take, { 'path' })\n"
                "assert(not ok and err:find(\"an option's name must be a string, got a number\"), "
                "err)");
}

static void a_fault_is_the_only_thing_on_the_stack(void **state)
{
    lua_State *L = *state;
    lua_newtable(L);
    assert_null(options_push_fault(L, 1, "take", names, 2));
    assert_int_equal(lua_gettop(L), 1);
    lua_pushboolean(L, 1);
    lua_setfield(L, 1, "x");
    assert_string_equal(options_push_fault(L, -1, "take", names, 2), "take: unknown option \"x\"");
    assert_int_equal(lua_gettop(L), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(options_that_are_known_are_taken, open_state, close_state),
        cmocka_unit_test_setup_teardown(an_unknown_option_is_named_with_what_was_meant, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(an_option_that_is_like_none_is_named_alone, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(a_name_that_is_no_text_is_refused, open_state, close_state),
        cmocka_unit_test_setup_teardown(a_fault_is_the_only_thing_on_the_stack, open_state,
                                        close_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
