#include "worker/core/json/json.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "worker/core/value.h"

static int open_state(void **state)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    *state = L;
    return 0;
}

static int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

static void decode_text(lua_State *L, const char *text, bool keep_null)
{
    struct json_options options = {.keep_null = keep_null};
    struct fsd_err err;
    if (json_decode(L, text, strlen(text), &options, &err) != 0) {
        fail_msg("%s", err.text);
    }
}

/* Sets the global x to the decoded text and says whether the Lua expression about it holds. */
static bool holds(lua_State *L, const char *text, bool keep_null, const char *expression)
{
    char chunk[256];
    decode_text(L, text, keep_null);
    lua_setglobal(L, "x");
    (void)snprintf(chunk, sizeof(chunk), "return %s", expression);
    if (luaL_dostring(L, chunk) != LUA_OK) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    bool is_true = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_true;
}

static void decoded_values_are_the_lua_values_they_should_be(void **state)
{
    lua_State *L = *state;
    lua_pushlightuserdata(L, NULL);
    lua_setglobal(L, "null");
    value_push_array_mark(L);
    lua_setglobal(L, "mark");
    static const struct {
        const char *text;
        bool keep_null;
        const char *expression;
    } cases[] = {
        {"9223372036854775807", false, "x == math.maxinteger and math.type(x) == 'integer'"},
        {"-9223372036854775808", false, "x == math.mininteger and math.type(x) == 'integer'"},
        {"9223372036854775808", false, "x == 2^63 and math.type(x) == 'float'"},
        {"-9223372036854775809", false, "x == -2^63 and math.type(x) == 'float'"},
        {"9007199254740993", false, "x == 9007199254740993 and math.type(x) == 'integer'"},
        {"1.0", false, "x == 1 and math.type(x) == 'float'"},
        {"1e2", false, "x == 100 and math.type(x) == 'float'"},
        {"-0", false, "x == 0 and math.type(x) == 'integer'"},
        {"-0.0", false, "1 / x == -1 / 0"},
        {"null", false, "x == nil"},
        {"null", true, "x == null"},
        {"[null, 1, null]", false, "#x == 3 and x[1] == null and x[2] == 1 and x[3] == null"},
        {"{\"a\":null}", false, "next(x) == nil"},
        {"{\"a\":null}", true, "x.a == null"},
        {"{\"a\":[null]}", false, "x.a[1] == null"},
        {"{\"a\":1,\"a\":null}", false, "x.a == nil"},
        {"{\"a\":1,\"b\":2,\"a\":3}", false, "x.a == 3 and x.b == 2"},
        {"[]", false, "getmetatable(x) == mark and #x == 0"},
        {"[[1]]", false, "getmetatable(x) == mark and getmetatable(x[1]) == mark"},
        {"{}", false, "getmetatable(x) == nil"},
        {"{\"1\":2}", false, "x['1'] == 2 and x[1] == nil"},
        {"\"\\u0000\"", false, "x == '\\0'"},
        {"\"\\ud83d\\ude00\"", false, "x == '\\u{1f600}'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!holds(L, cases[i].text, cases[i].keep_null, cases[i].expression)) {
            fail_msg("%s: not %s", cases[i].text, cases[i].expression);
        }
    }
}

/* More than wait on the stack at once, and keys that share rows of the key memory. */
static void objects_and_arrays_of_any_size_come_back(void **state)
{
    lua_State *L = *state;
    static const char chunk[] =
        "local n = ...\n"
        "local object, list = {}, {}\n"
        "for i = 1, n do\n"
        "  object[('k'):rep(i % 20) .. i] = i\n"
        "  list[i] = {id = i, name = 'n' .. i, [('x'):rep(i % 18)] = {i, i / 4}}\n"
        "end\n"
        "return {object, list}";
    static const char same_chunk[] =
        "function same(a, b)\n"
        "  if type(a) ~= 'table' then return a == b and math.type(a) == math.type(b) end\n"
        "  for k, v in pairs(a) do if not same(v, b[k]) then return false end end\n"
        "  for k in pairs(b) do if a[k] == nil then return false end end\n"
        "  return true\n"
        "end";
    static const int sizes[] = {1, 2, 31, 32, 33, 63, 64, 65, 96, 1000};
    struct json_buf buf;
    json_buf_init(&buf);
    assert_int_equal(luaL_dostring(L, same_chunk), LUA_OK);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        lua_getglobal(L, "same");
        assert_int_equal(luaL_loadstring(L, chunk), LUA_OK);
        lua_pushinteger(L, sizes[i]);
        lua_call(L, 1, 1);
        buf.len = 0;
        assert_int_equal(json_encode(L, -1, &buf, NULL), 0);
        assert_int_equal(json_decode(L, buf.data, buf.len, NULL, NULL), 0);
        lua_call(L, 2, 1);
        assert_true(lua_toboolean(L, -1));
        lua_settop(L, 0);
    }
    json_buf_fini(&buf);
}

struct allowance {
    size_t left; /* allocations until none succeeds */
    size_t live;
};

static void *allocate_while_allowed(void *data, void *block, size_t old_size, size_t new_size)
{
    struct allowance *allowance = data;
    if (new_size == 0) {
        allowance->live -= block != NULL;
        free(block);
        return NULL;
    }
    bool is_growing = block == NULL || new_size > old_size;
    if (is_growing && allowance->left == 0) {
        return NULL;
    }
    allowance->left -= is_growing;
    allowance->live += block == NULL;
    return realloc(block, new_size);
}

static const char busy_text[] =
    "{\"a\":[1,2,{\"b\":\"caf\\u00e9\"},[[\"x\"]]],\"long\":\"\\n0123456789012345678901234567890123"
    "456789012345678901234567890123456789\",\"c\":{\"d\":{\"e\":[1.5,null,true]}}}";

static int decode_busy_text(lua_State *L)
{
    static const char unit[] = "\\n12345678901234567890";
    enum { UNITS = 60 }; /* long enough for a scratch of its own */
    char text[2 + UNITS * (sizeof(unit) - 1)];
    size_t len = 0;
    struct fsd_err err;
    if (json_decode(L, busy_text, sizeof(busy_text) - 1, NULL, &err) != 0) {
        return luaL_error(L, "%s", err.text);
    }
    text[len++] = '"';
    for (size_t i = 0; i < UNITS; i++) {
        memcpy(text + len, unit, sizeof(unit) - 1);
        len += sizeof(unit) - 1;
    }
    text[len++] = '"';
    if (json_decode(L, text, len, NULL, &err) != 0) {
        return luaL_error(L, "%s", err.text);
    }
    assert_int_equal(lua_rawlen(L, -1), UNITS * (sizeof(unit) - 2));
    return 0;
}

static void out_of_memory_anywhere_in_decode_raises_and_leaks_nothing(void **state)
{
    (void)state;
    int failures = 0;
    for (size_t allowed = 0;; allowed++) {
        struct allowance allowance = {.left = SIZE_MAX};
        lua_State *L = lua_newstate(allocate_while_allowed, &allowance);
        assert_non_null(L);
        lua_pushcfunction(L, decode_busy_text);
        lua_gc(L, LUA_GCSTOP); /* else a collection makes room again */
        allowance.left = allowed;
        int r = lua_pcall(L, 0, 0, 0);
        allowance.left = SIZE_MAX;
        /* The stack that could not grow is the one failure that Lua does not raise itself. */
        bool is_stack = r == LUA_ERRRUN && strstr(lua_tostring(L, -1), "on the Lua stack") != NULL;
        lua_close(L);
        assert_int_equal(allowance.live, 0);
        if (r == LUA_OK) {
            break;
        }
        assert_true(r == LUA_ERRMEM || is_stack);
        failures++;
    }
    assert_true(failures > 20);
}

static void encode_needs_no_memory_of_lua(void **state)
{
    (void)state;
    struct allowance allowance = {.left = SIZE_MAX};
    struct json_buf buf;
    lua_State *L = lua_newstate(allocate_while_allowed, &allowance);
    assert_non_null(L);
    json_buf_init(&buf);
    decode_text(L, busy_text, false);
    allowance.left = 0;
    assert_int_equal(json_encode(L, -1, &buf, NULL), 0);
    allowance.left = SIZE_MAX;
    json_buf_fini(&buf);
    lua_close(L);
}

static void a_nested_value_without_stack_to_hold_it_is_refused_not_raised(void **state)
{
    (void)state;
    struct allowance allowance = {.left = SIZE_MAX};
    struct json_buf buf;
    struct fsd_err err;
    lua_State *L = lua_newstate(allocate_while_allowed, &allowance);
    assert_non_null(L);
    json_buf_init(&buf);
    lua_newtable(L);
    for (int i = 1; i < 100; i++) {
        lua_newtable(L);
        lua_insert(L, -2);
        lua_rawseti(L, -2, 1);
    }
    lua_gc(L, LUA_GCCOLLECT); /* gives back stack that is not in use */
    allowance.left = 0;
    assert_int_equal(json_encode(L, -1, &buf, &err), -EINVAL);
    allowance.left = SIZE_MAX;
    assert_int_equal(lua_gettop(L), 1);
    assert_non_null(strstr(err.text, "the Lua stack has no room"));
    json_buf_fini(&buf);
    lua_close(L);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(decoded_values_are_the_lua_values_they_should_be),
        TEST(objects_and_arrays_of_any_size_come_back),
        cmocka_unit_test(out_of_memory_anywhere_in_decode_raises_and_leaks_nothing),
        cmocka_unit_test(encode_needs_no_memory_of_lua),
        cmocka_unit_test(a_nested_value_without_stack_to_hold_it_is_refused_not_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
