#include "worker/core/collector.h"

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

enum { LEN = 8 * 1024 * 1024 };

static char *bytes; /* LEN of them */

/* text(len) -> string, "behind" */
static int text(lua_State *L)
{
    size_t owed_kb = collector_push_text(L, bytes, (size_t)luaL_checkinteger(L, 1));
    lua_pushliteral(L, "behind");
    return collector_settle(L, owed_kb, 2);
}

/* join(string, string) -> their concatenation */
static int join(lua_State *L)
{
    return collector_settle(L, collector_concat(L, lua_gettop(L)), 1);
}

static lua_State *open_state(void)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    breath_open(L);
    lua_register(L, "text", text);
    lua_register(L, "join", join);
    bytes = malloc(LEN);
    assert_non_null(bytes);
    memset(bytes, 'x', LEN);
    return L;
}

static void close_state(lua_State *L)
{
    lua_close(L);
    free(bytes);
}

static void results_come_whatever_is_owed(void **state)
{
    (void)state;
    lua_State *L = open_state();
    (void)aside_run(L, "local t, b = text(3) assert(t == 'xxx' and b == 'behind')");
    (void)aside_run(L, "local t, b = text(65536) assert(#t == 65536 and b == 'behind')");
    (void)aside_run(
        L, "local t, b = text(8 * 1024 * 1024) assert(#t == 8 * 1024 * 1024 and b == 'behind')");
    (void)aside_run(L, "assert(join('a', 'b') == 'ab' and join('a', 1) == 'a1')");
    (void)aside_run(L, "local t = text(1 << 20) assert(join(t, t) == t .. t)");
    close_state(L);
}

static void what_is_joined_on_credit_is_paid_between_breaths(void **state)
{
    (void)state;
    lua_State *L = open_state();
    unsigned little = aside_run(L, "t = text(1 << 20) .. ''  return join('a', 'b')");
    unsigned much = aside_run(L, "t = text(1 << 20) .. ''  return join(t, t, t, t)");
    assert_true(much > little);
    close_state(L);
}

static void who_owes_much_lets_others_run(void **state)
{
    (void)state;
    lua_State *L = open_state();
    assert_int_equal(
        luaL_dostring(L, "kept = {} for i = 1, 300000 do kept[i] = { i } end collectgarbage()"),
        LUA_OK);
    unsigned base = aside_run(L, "text(1)");
    assert_true(aside_run(L, "text(8 * 1024 * 1024)") > base + 10);
    close_state(L);
}

static void what_is_owed_is_collected(void **state)
{
    (void)state;
    lua_State *L = open_state();
    /* each result is garbage at once: what would be left is 1.6 GB */
    assert_int_equal(luaL_dostring(L, "for i = 1, 200 do text(8 * 1024 * 1024) end"), LUA_OK);
    assert_true(lua_gc(L, LUA_GCCOUNT) < 400 * 1024);
    close_state(L);
}

static void little_is_collected_too(void **state)
{
    (void)state;
    lua_State *L = open_state();
    assert_int_equal(luaL_dostring(L, "for i = 1, 4000 do text(200 * 1024) end"),
                     LUA_OK); /* 800 MB */
    assert_true(lua_gc(L, LUA_GCCOUNT) < 40 * 1024);
    close_state(L);
}

static void what_is_less_than_a_step_never_makes_a_whole_cycle(void **state)
{
    (void)state;
    lua_State *L = open_state();
    static const char source[] = "local kept, is_gone = {}, false\n"
                                 "for i = 1, 300000 do kept[i] = { i } end\n"
                                 "collectgarbage()\n"
                                 "setmetatable({}, { __gc = function() is_gone = true end })\n"
                                 "collectgarbage('step', 0)\n" /* a cycle has begun */
                                 "text(500 * 1024)\n"
                                 "assert(not is_gone)\n"
                                 "for i = 1, 200 do text(500 * 1024) end\n"
                                 "assert(is_gone)";
    (void)aside_run(L, source);
    close_state(L);
}

static void who_ends_with_an_error_pays_before(void **state)
{
    (void)state;
    lua_State *L = open_state();
    for (int i = 0; i < 400; i++) {
        int before_kb = collector_begin_credit(L, 4096);
        (void)lua_newuserdatauv(L, 2 << 20, 0);
        lua_pop(L, 1);
        size_t owed_kb = collector_end_credit(L, 4096, before_kb);
        assert_true(owed_kb >= 2048);
        while (collector_pay(L, &owed_kb)) {
        }
        assert_int_equal(owed_kb, 0);
    }
    assert_true(lua_gc(L, LUA_GCCOUNT) < 100 * 1024);
    close_state(L);
}

static void credit_is_given_back(void **state)
{
    (void)state;
    lua_State *L = open_state();
    (void)lua_gc(L, LUA_GCCOLLECT);
    int before_kb = collector_begin_credit(L, 1024);
    for (int i = 0; i < 512; i++) {
        (void)lua_newuserdatauv(L, 1024, 0);
        lua_pop(L, 1);
    }
    size_t owed_kb = collector_end_credit(L, 1024, before_kb);
    assert_true(owed_kb >= 512 && owed_kb < 700);
    (void)lua_gc(L, LUA_GCCOLLECT);
    before_kb = collector_begin_credit(L, 16); /* more is allocated than that */
    (void)lua_newuserdatauv(L, 64 * 1024, 0);
    owed_kb = collector_end_credit(L, 16, before_kb);
    assert_true(owed_kb >= 64 && owed_kb < 80);
    close_state(L);
}

static void a_collector_that_is_stopped_stays_so(void **state)
{
    (void)state;
    lua_State *L = open_state();
    (void)lua_gc(L, LUA_GCSTOP);
    (void)aside_run(L, "assert(#text(8 * 1024 * 1024) == 8 * 1024 * 1024)");
    assert_false(lua_gc(L, LUA_GCISRUNNING));
    close_state(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_come_whatever_is_owed),
        cmocka_unit_test(what_is_joined_on_credit_is_paid_between_breaths),
        cmocka_unit_test(who_owes_much_lets_others_run),
        cmocka_unit_test(what_is_owed_is_collected),
        cmocka_unit_test(little_is_collected_too),
        cmocka_unit_test(what_is_less_than_a_step_never_makes_a_whole_cycle),
        cmocka_unit_test(who_ends_with_an_error_pays_before),
        cmocka_unit_test(credit_is_given_back),
        cmocka_unit_test(a_collector_that_is_stopped_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
