/* app_list.c: each application has a list of its own under each key, and does not live on in it. */
#include "worker/core/app_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lauxlib.h>

static int set_up(void **state)
{
    *state = luaL_newstate();
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    lua_close(*state);
    return 0;
}

static void a_list_is_made_once(void **state)
{
    lua_State *L = *state;
    lua_newtable(L);
    app_list_get(L, "a", 1);
    app_list_get(L, "a", -2);
    assert_true(lua_istable(L, 2));
    assert_true(lua_rawequal(L, 2, 3));
    app_list_find(L, "a", 1);
    assert_true(lua_rawequal(L, 2, 4));
    assert_int_equal(lua_gettop(L), 4);
}

static void lists_of_others_and_under_other_keys_are_others(void **state)
{
    lua_State *L = *state;
    lua_newtable(L);
    lua_newtable(L);
    app_list_get(L, "a", 1);
    app_list_find(L, "a", 2);
    assert_true(lua_isnil(L, -1));
    app_list_find(L, "b", 1);
    assert_true(lua_isnil(L, -1));
    app_list_get(L, "a", 2);
    assert_false(lua_rawequal(L, 3, -1));
    app_list_get(L, "b", 1);
    assert_false(lua_rawequal(L, 3, -1));
    assert_int_equal(lua_gettop(L), 7);
}

static int note_end(lua_State *L)
{
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "ended");
    return 0;
}

static void an_application_that_nobody_has_goes_though_its_list_names_it(void **state)
{
    lua_State *L = *state;
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, note_end);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, 1);
    app_list_get(L, "a", 1);
    lua_pushvalue(L, 1);
    lua_rawseti(L, 2, 1);
    lua_gc(L, LUA_GCCOLLECT, 0);
    assert_int_equal(lua_getfield(L, LUA_REGISTRYINDEX, "ended"), LUA_TNIL);
    lua_settop(L, 0);
    lua_gc(L, LUA_GCCOLLECT, 0);
    assert_int_equal(lua_getfield(L, LUA_REGISTRYINDEX, "ended"), LUA_TBOOLEAN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_list_is_made_once),
        TEST(lists_of_others_and_under_other_keys_are_others),
        TEST(an_application_that_nobody_has_goes_though_its_list_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
