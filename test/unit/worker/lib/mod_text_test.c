#include "worker/lib/mod_text.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/support/lua_aside.h"
#include "worker/core/stdlib/breath.h"

/* As often as a text of a megabyte has to let others run at least: every 256 KiB of it. */
enum { BREATHS_MIN = 4 };

static lua_State *open_state(void)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    breath_open(L);
    luaL_requiref(L, "text", luaopen_fsd_text_core, 1);
    lua_settop(L, 0);
    return L;
}

/* Runs the function that the source returns, aside; returns how often it was put aside. */
static unsigned count_yields(lua_State *L, const char *source)
{
    assert_int_equal(luaL_dostring(L, source), LUA_OK);
    lua_setglobal(L, "run");
    return aside_run(L, "run()");
}

static void a_long_text_is_escaped_as_its_parts_are(void **state)
{
    (void)state;
    lua_State *L = open_state();
    (void)count_yields(L, "local part = ('<a href=\"x\\'y\">&\\0 plain '):rep(100)"
                          "local long, escaped = part:rep(500), text.escape(part):rep(500)"
                          "return function() assert(text.escape(long) == escaped) end");
    (void)count_yields(
        L, "local long = ('x'):rep(1 << 20) .. '<'"
           "return function() assert(text.escape(long) == long:sub(1, -2) .. '&lt;') end");
    lua_close(L);
}

static void a_long_text_lets_others_run(void **state)
{
    (void)state;
    lua_State *L = open_state();
    unsigned idle = count_yields(L, "local t = 'x' return function() return text.escape(t) end");
    unsigned plain =
        count_yields(L, "local t = ('x'):rep(1 << 20) return function() return text.escape(t) end");
    unsigned marked =
        count_yields(L, "local t = ('<'):rep(1 << 20) return function() return text.escape(t) end");
    assert_true(plain >= idle + BREATHS_MIN);
    assert_true(marked >= idle + BREATHS_MIN);
    lua_close(L);
}

static void a_plain_text_is_returned_and_not_copied(void **state)
{
    (void)state;
    lua_State *L = open_state();
    (void)count_yields(
        L, "local t = ('x'):rep(1 << 20)"
           "return function() assert(('%p'):format(text.escape(t)) == ('%p'):format(t)) end");
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_text_is_escaped_as_its_parts_are),
        cmocka_unit_test(a_long_text_lets_others_run),
        cmocka_unit_test(a_plain_text_is_returned_and_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
