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

struct fixture {
    lua_State *L;
    struct json_buf buf;
    struct fsd_err err;
};

static int open_fixture(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_pushlightuserdata(L, NULL);
    lua_setglobal(L, "null");
    value_push_array_mark(L);
    lua_setglobal(L, "mark");
    (void)luaL_dostring(L, "function array(t) return setmetatable(t, mark) end");
    json_buf_init(&fixture->buf);
    fixture->L = L;
    *state = fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    json_buf_fini(&fixture->buf);
    lua_close(fixture->L);
    free(fixture);
    return 0;
}

/* Encodes what the Lua expression gives; the text is in buf then, NUL-terminated. */
static int encode_lua(struct fixture *fixture, const char *chunk)
{
    lua_State *L = fixture->L;
    lua_settop(L, 0);
    fixture->buf.len = 0;
    if (luaL_dostring(L, chunk) != LUA_OK) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    lua_pushinteger(L, 77);
    int r = json_encode(L, 1, &fixture->buf, &fixture->err);
    assert_int_equal(lua_gettop(L), 2);
    *json_buf_reserve(&fixture->buf, 1) = '\0';
    return r;
}

static void values_are_written_as_json(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *chunk;
        const char *text;
    } cases[] = {
        {"return nil", "null"},
        {"return null", "null"},
        {"return true", "true"},
        {"return false", "false"},
        {"return 0", "0"},
        {"return -7", "-7"},
        {"return math.maxinteger", "9223372036854775807"},
        {"return math.mininteger", "-9223372036854775808"},
        {"return 1.0", "1.0"},
        {"return -0.0", "-0.0"},
        {"return 0.1", "0.1"},
        {"return 0.1 + 0.2", "0.30000000000000004"},
        {"return 1 / 3", "0.3333333333333333"},
        {"return 19.99", "19.99"},
        {"return 2^53", "9007199254740992.0"},
        {"return 1e15", "1e+15"},
        {"return 1e16", "1e+16"},
        {"return 1e20", "1e+20"},
        {"return 1e-7", "1e-07"},
        {"return 5e-324", "5e-324"},
        {"return 1.7976931348623157e308", "1.7976931348623157e+308"},
        {"return ''", "\"\""},
        {"return 'a\"b\\\\c/d'", "\"a\\\"b\\\\c/d\""},
        {"return '\\b\\f\\n\\r\\t\\v\\0\\31\\127'", "\"\\b\\f\\n\\r\\t\\u000b\\u0000\\u001f\x7f\""},
        {"return '12345678\\n12345678\\n1'", "\"12345678\\n12345678\\n1\""},
        {"return 'caf\xc3\xa9 \xf0\x9f\x98\x80'", "\"caf\xc3\xa9 \xf0\x9f\x98\x80\""},
        {"return {}", "{}"},
        {"return array{}", "[]"},
        {"return {{}, array{}}", "[{},[]]"},
        {"return {1, 2, 3}", "[1,2,3]"},
        {"return {[3] = 3, [2] = 2, [1] = 1}", "[1,2,3]"},
        {"local t = {} for i = 9, 1, -1 do t[i] = i end return t", "[1,2,3,4,5,6,7,8,9]"},
        {"local t = {1, 2, 3, 4} t[6] = 6 t[5] = 5 return t", "[1,2,3,4,5,6]"},
        {"return array{1, nil, 3}", "[1,null,3]"},
        {"return array{1, 2, x = 3}", "[1,2]"},
        {"return array{[5] = 1}", "[]"},
        {"return {a = 1}", "{\"a\":1}"},
        {"return {[''] = {[''] = ''}}", "{\"\":{\"\":\"\"}}"},
        {"return {[10] = 'a'}", "{\"10\":\"a\"}"},
        {"return {[-1] = 'a'}", "{\"-1\":\"a\"}"},
        {"return {['a\\n\"'] = null}", "{\"a\\n\\\"\":null}"},
        {"return setmetatable({1}, {__len = error, __index = error, __pairs = error,"
         " __tojson = error, __tostring = error})",
         "[1]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (encode_lua(fixture, cases[i].chunk) != 0) {
            fail_msg("%s: %s", cases[i].chunk, fixture->err.text);
        }
        if (strcmp(fixture->buf.data, cases[i].text) != 0) {
            fail_msg("%s: %s, not %s", cases[i].chunk, fixture->buf.data, cases[i].text);
        }
    }
}

static void what_cannot_be_written_is_named_with_its_place(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *chunk;
        const char *text;
    } cases[] = {
        {"return print", "a function"},
        {"return {items = {1, 2, {cb = print}}}", "a function at \"items[3].cb\""},
        {"return array{1, array{print}}", "a function at \"[2][1]\""},
        {"return {a = io.stdout}", "a userdata at \"a\""},
        {"return {a = coroutine.create(print)}", "a coroutine at \"a\""},
        {"return {a = {b = 0 / 0}}", "NaN at \"a.b\""},
        {"return {a = {b = -1 / 0}}", "an infinite number at \"a.b\""},
        {"return {[7] = {1 / 0}}", "an infinite number at \"[7][1]\""},
        {"return {a = '\xff'}", "a string that is not valid UTF-8 at \"a\""},
        {"return {a = '12345678\xed\xa0\x80'}", "a string that is not valid UTF-8 at \"a\""},
        {"return {a = {['\xc3'] = 1}}", "a key that is not valid UTF-8 at \"a\""},
        {"return {a = {[1.5] = 1}}", "a key that is a float at \"a\""},
        {"return {a = {[true] = 1}}", "a key that is a boolean at \"a\""},
        {"return {a = {1, [print] = 1}}", "a key that is no string or integer at \"a\""},
        {"return {a = {1, 2, x = 3}}", "a table with both integer and string keys at \"a.x\""},
        {"return {a = {1, 2, [4] = 4}}", "an array with a key outside 1 to n at \"a[4]\""},
        {"return {a = {1, 2, [0] = 0}}", "an array with a key outside 1 to n at \"a[0]\""},
        {"return {a = {nil, 2}}", "an array with a hole at \"a[1]\""},
        {"return {a = {1, nil, 3}}", "an array with a hole at \"a[2]\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[128];
        assert_int_equal(encode_lua(fixture, cases[i].chunk), -EINVAL);
        (void)snprintf(expected, sizeof(expected), "cannot encode %s", cases[i].text);
        assert_string_equal(fixture->err.text, expected);
        assert_int_equal(fixture->buf.len, 0);
    }
}

static void integer_and_string_keys_do_not_mix_in_an_object(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(encode_lua(fixture, "return {[10] = 1, x = 2}"), -EINVAL);
    assert_non_null(strstr(fixture->err.text, "both integer and string keys"));
    assert_int_equal(encode_lua(fixture, "return {[10] = 1, ['10'] = 2}"), -EINVAL);
    assert_int_equal(encode_lua(fixture, "return {[10] = 1, [true] = 2}"), -EINVAL);
    assert_non_null(strstr(fixture->err.text, "a key that is a boolean"));
}

static void a_cycle_ends_at_the_depth_limit(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(encode_lua(fixture, "local t = {} t.t = t return t"), -EINVAL);
    assert_non_null(
        strstr(fixture->err.text, "more than 128 levels of nesting (a cycle?) at \"..."));
    assert_non_null(strstr(fixture->err.text, ".t.t.t\""));
    assert_int_equal(encode_lua(fixture, "local t = {} t[1] = t return t"), -EINVAL);
    assert_int_equal(encode_lua(fixture, "local t = array{} t[1] = t return t"), -EINVAL);
    assert_int_equal(encode_lua(fixture, "local t = {} for i = 1, 127 do t = {t} end return t"), 0);
    assert_int_equal(encode_lua(fixture, "local t = {} for i = 1, 128 do t = {t} end return t"),
                     -EINVAL);
}

static void a_refusal_leaves_what_the_buffer_had_before(void **state)
{
    struct fixture *fixture = *state;
    lua_State *L = fixture->L;
    (void)luaL_dostring(L, "return {1, 2, ('x'):rep(5000), print}");
    memcpy(json_buf_reserve(&fixture->buf, 4), "head", 4);
    fixture->buf.len = 4;
    assert_int_equal(json_encode(L, -1, &fixture->buf, NULL), -EINVAL);
    assert_int_equal(fixture->buf.len, 4);
    assert_memory_equal(fixture->buf.data, "head", 4);
    lua_pushboolean(L, 1);
    assert_int_equal(json_encode(L, -1, &fixture->buf, NULL), 0);
    assert_memory_equal(fixture->buf.data, "headtrue", 8);
}

static void a_buffer_is_kept_or_given_back_by_its_size(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(encode_lua(fixture, "return ('x'):rep(100000)"), 0);
    size_t capacity = fixture->buf.capacity;
    assert_true(capacity >= 100002);
    json_buf_reset(&fixture->buf, capacity);
    assert_int_equal(fixture->buf.len, 0);
    assert_int_equal(fixture->buf.capacity, capacity);
    json_buf_reset(&fixture->buf, capacity - 1);
    assert_int_equal(fixture->buf.capacity, 0);
    assert_null(fixture->buf.data);
    json_buf_fini(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_are_written_as_json),
        TEST(what_cannot_be_written_is_named_with_its_place),
        TEST(integer_and_string_keys_do_not_mix_in_an_object),
        TEST(a_cycle_ends_at_the_depth_limit),
        TEST(a_refusal_leaves_what_the_buffer_had_before),
        TEST(a_buffer_is_kept_or_given_back_by_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
