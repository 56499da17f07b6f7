#include "worker/lib/mod_json.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/lua_aside.h"
#include "worker/core/error.h"
#include "worker/core/heap.h"
#include "worker/core/stdlib/breath.h"

static struct heap heap;

static void on_tight(struct heap *tight)
{
    (void)tight;
}

static int open_state(void **state)
{
    heap_init(&heap, on_tight);
    lua_State *L = lua_newstate(heap_allocate, &heap);
    luaL_openlibs(L);
    error_init(L);
    breath_open(L);
    luaL_requiref(L, "json", luaopen_fsd_json, 1);
    lua_settop(L, 0);
    *state = L;
    return 0;
}

static int close_state(void **state)
{
    lua_close(*state);
    heap_fini(&heap);
    return 0;
}

/* The chunk makes its own assertions. */
static void run(lua_State *L, const char *chunk)
{
    if (luaL_dostring(L, chunk) != LUA_OK) {
        fail_msg("%s", luaL_tolstring(L, -1, NULL));
    }
}

static void values_are_encoded_and_decoded(void **state)
{
    run(*state, "local x = json.decode('{\"a\":[1,2.0,null,{}],\"n\":null}')\n"
                "assert(x.a[1] == 1 and math.type(x.a[2]) == 'float' and x.a[3] == json.null)\n"
                "assert(x.n == nil and json.is_array(x.a) and not json.is_array(x))\n"
                "assert(json.encode(x) == '{\"a\":[1,2.0,null,{}]}')\n"
                "assert(json.encode(nil) == 'null' and json.encode('\\0') == '\"\\\\u0000\"')");
}

static void options_keep_null_and_set_the_depth(void **state)
{
    run(*state, "assert(json.decode('{\"a\":null}', {null = 'keep'}).a == json.null)\n"
                "assert(json.decode('null', {null = 'keep'}) == json.null)\n"
                "assert(json.decode('{\"a\":null}', {null = 'absent'}).a == nil)\n"
                "assert(json.decode('null', nil) == nil)\n"
                "assert(json.decode('[[1]]', {max_depth = 2})[1][1] == 1)\n"
                "assert(not pcall(json.decode, '[[1]]', {max_depth = 1}))\n"
                "assert(not pcall(json.decode, '1', {max_depth = 0}))\n"
                "assert(not pcall(json.decode, '1', {max_depth = 1001}))\n"
                "assert(not pcall(json.decode, '1', {null = 'maybe'}))\n"
                "assert(not pcall(json.decode, '1', 5))\n"
                "assert(not pcall(json.decode, 1))\n"
                "assert(not pcall(json.encode))");
}

static void null_and_arrays_have_their_marks(void **state)
{
    run(*state, "assert(tostring(json.null) == 'null' and type(json.null) == 'userdata')\n"
                "assert(json.encode(json.array{}) == '[]' and json.encode(json.array()) == '[]')\n"
                "local t = {1} assert(json.array(t) == t and getmetatable(t) == json.array_mt)\n"
                "assert(json.array(t) == t and json.is_array(t) and not json.is_array({}))\n"
                "assert(not json.is_array(1) and not json.is_array(setmetatable({}, {})))\n"
                "assert(not pcall(json.array, setmetatable({}, {})))\n"
                "assert(not pcall(json.array, 'x'))");
}

static void failures_raise_structured_errors(void **state)
{
    run(*state,
        "local ok, e = pcall(json.decode, '[1,]')\n"
        "assert(not ok and e.name == 'JsonError' and e.code == 'json.decode' and e.status == 400)\n"
        "assert(e.message == 'invalid JSON at line 1 column 4: unexpected \"]\"', e.message)\n"
        "local ok, e = pcall(json.encode, {items = {{cb = print}}})\n"
        "assert(not ok and e.name == 'JsonError' and e.code == 'json.encode' and e.status == 500)\n"
        "assert(e.message == 'cannot encode a function at \"items[1].cb\"', e.message)\n"
        "assert(json.encode({1}) == '[1]')");
}

static void one_buffer_serves_small_and_large_documents(void **state)
{
    run(*state, "local big = ('x'):rep(1000000)\n"
                "for i = 1, 3 do\n"
                "  assert(#json.encode(big) == 1000002)\n"
                "  assert(json.encode(i) == tostring(i))\n"
                "end");
}

/* Encodes a text aside, while others encode; returns how often. */
static unsigned encode_aside(lua_State *L, lua_Integer len)
{
    unsigned yields = 0;
    lua_pushinteger(L, len);
    lua_setglobal(L, "len");
    lua_State *thread = aside_load(L, "big = ('x'):rep(len) result = json.encode(big)");
    while (aside_step(L, thread)) {
        run(L, "assert(json.encode({ 1, 2 }) == '[1,2]')");
        yields++;
    }
    run(L, "assert(result == '\"' .. big .. '\"')");
    return yields;
}

static void others_encode_while_a_long_text_is_made(void **state)
{
    unsigned base = encode_aside(*state, 3);
    assert_true(encode_aside(*state, 3000000) >= base + 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_state, close_state)

static void a_text_that_passes_the_limit_of_memory_is_refused_while_it_is_written(void **state)
{
    lua_State *L = *state;
    heap_set_limit(&heap, 32 << 20);
    (void)heap_charge(&heap, heap_open_account(&heap, &heap));
    (void)aside_run(L, "part = ('x'):rep(1 << 20) list = {} for i = 1, 1000 do list[i] = part end\n"
                       "local ok, problem = pcall(json.encode, list)\n"
                       "assert(not ok and problem == 'not enough memory', problem)\n"
                       "for i = 6, 1000 do list[i] = nil end\n"
                       "for _ = 1, 3 do assert(#json.encode(list) == 5 * ((1 << 20) + 3) + 1) end\n"
                       "part, list = nil, nil");
    (void)lua_gc(L, LUA_GCCOLLECT);
    (void)lua_gc(L, LUA_GCCOLLECT);
    assert_true(heap.used_bytes < 1 << 20); /* nothing is charged for any more */
    (void)heap_charge(&heap, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_are_encoded_and_decoded),
        TEST(options_keep_null_and_set_the_depth),
        TEST(null_and_arrays_have_their_marks),
        TEST(failures_raise_structured_errors),
        TEST(one_buffer_serves_small_and_large_documents),
        TEST(others_encode_while_a_long_text_is_made),
        TEST(a_text_that_passes_the_limit_of_memory_is_refused_while_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
