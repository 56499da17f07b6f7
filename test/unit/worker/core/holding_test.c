/* Memory outside of Lua that counts: who is charged, what is refused, and that nothing stays behind. */
#include "worker/core/holding.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/heap.h"

enum { MIB = 1 << 20, LIMIT = 8 * MIB };

static struct heap heap;
static struct holding holding;
static uint32_t account;

static void on_tight(struct heap *tight)
{
    (void)tight;
}

/* hold(bytes) */
static int hold(lua_State *L)
{
    holding_set(L, &holding, (size_t)luaL_checkinteger(L, 1));
    return 0;
}

static lua_State *open_state(void)
{
    heap_init(&heap, on_tight);
    lua_State *L = lua_newstate(heap_allocate, &heap);
    assert_non_null(L);
    luaL_openlibs(L);
    lua_register(L, "hold", hold);
    holding = (struct holding){0};
    heap_set_limit(&heap, LIMIT);
    account = heap_open_account(&heap, &holding);
    (void)heap_charge(&heap, account);
    return L;
}

static void close_state(lua_State *L)
{
    (void)heap_charge(&heap, 0);
    holding_clear(L, &holding);
    lua_close(L);
    heap_fini(&heap); /* asserts that nothing is left */
}

static void what_is_held_is_charged_and_given_back(void **state)
{
    (void)state;
    lua_State *L = open_state();
    size_t before = heap_account_bytes(&heap, account);
    holding_set(L, &holding, MIB);
    holding_set(L, &holding, 2 * MIB);
    assert_int_equal(heap_account_bytes(&heap, account), before + 2 * MIB);
    assert_true(heap.used_bytes > 2 * MIB);
    holding_set(L, &holding, MIB);
    assert_int_equal(heap_account_bytes(&heap, account), before + MIB);
    holding_clear(L, &holding);
    assert_int_equal(heap_account_bytes(&heap, account), before);
    close_state(L);
}

static void what_passes_the_limit_is_refused_and_stays_as_it_was(void **state)
{
    (void)state;
    lua_State *L = open_state();
    assert_true(luaL_dostring(L, "for i = 1, 100 do hold(i << 20) end"));
    assert_string_equal(lua_tostring(L, -1), "not enough memory");
    assert_in_range(holding.bytes, LIMIT / 2, LIMIT);
    assert_true(heap.used_bytes <= LIMIT);
    assert_int_equal(luaL_dostring(L, "hold(0) hold(1 << 20)"), LUA_OK);
    close_state(L);
}

static void garbage_is_collected_before_anything_is_refused(void **state)
{
    (void)state;
    lua_State *L = open_state();
    (void)lua_gc(L, LUA_GCSTOP);
    assert_int_equal(luaL_dostring(L, "for _ = 1, 4 do string.rep('x', 1536 * 1024) end\n"
                                      "hold(1 << 20) hold(2 << 20) hold(3 << 20)"),
                     LUA_OK);
    assert_int_equal(holding.bytes, 3 * MIB);
    close_state(L);
}

static void another_allocator_counts_nothing(void **state)
{
    (void)state;
    lua_State *L = luaL_newstate();
    holding = (struct holding){0};
    holding_set(L, &holding, SIZE_MAX / 2);
    assert_int_equal(holding.bytes, 0);
    holding_clear(L, &holding);
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_is_charged_and_given_back),
        cmocka_unit_test(what_passes_the_limit_is_refused_and_stays_as_it_was),
        cmocka_unit_test(garbage_is_collected_before_anything_is_refused),
        cmocka_unit_test(another_allocator_counts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
