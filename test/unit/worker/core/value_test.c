#include "worker/core/value.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/msgpack.h"

enum { ROOMY_BYTES = 1 << 20 };

static int open_state(void **state)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_pushlightuserdata(L, NULL);
    lua_setglobal(L, "null");
    value_push_array_mark(L);
    lua_setglobal(L, "array_mark");
    *state = L;
    return 0;
}

static int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

/* Pushes what the chunk returns. */
static void push_lua(lua_State *L, const char *chunk)
{
    if (luaL_dostring(L, chunk) != LUA_OK) {
        fail_msg("%s", lua_tostring(L, -1));
    }
}

static void tables_are_written_as_the_array_or_map_they_are(void **state)
{
    lua_State *L = *state;
    static const struct {
        const char *chunk;
        size_t len;
        const char *bytes;
    } cases[] = {
        {"return nil", 1, "\xc0"},
        {"return null", 1, "\xc0"},
        {"return true", 1, "\xc3"},
        {"return -1", 1, "\xff"},
        {"return 1.0", 9, "\xcb\x3f\xf0\0\0\0\0\0\0"},
        {"return 'a\\0b'", 4,
         "\xa3"
         "a\0b"},
        {"return {}", 1, "\x80"},
        {"return setmetatable({}, array_mark)", 1, "\x90"},
        {"return setmetatable({}, {})", 1, "\x80"},
        {"return {1, 2}", 3, "\x92\x01\x02"},
        {"return {[2] = 2, [1] = 1}", 3, "\x92\x01\x02"},
        {"return setmetatable({1, nil, 3}, array_mark)", 4, "\x93\x01\xc0\x03"},
        {"return setmetatable({1, x = 2}, array_mark)", 2, "\x91\x01"},
        {"return {a = true}", 4,
         "\x81\xa1"
         "a\xc3"},
        {"return {[2] = true}", 3, "\x81\x02\xc3"},
        {"return {[0] = true}", 3, "\x81\x00\xc3"},
        {"return {[-1] = true}", 3, "\x81\xff\xc3"},
        {"return {{}, {1}}", 4, "\x92\x80\x91\x01"},
        {"return {a = {b = null}}", 7,
         "\x81\xa1"
         "a\x81\xa1"
         "b\xc0"},
        {"return {a = null}", 4,
         "\x81\xa1"
         "a\xc0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_writer writer;
        struct fsd_err err;
        push_lua(L, cases[i].chunk);
        msgpack_writer_init(&writer, ROOMY_BYTES);
        int top = lua_gettop(L);
        if (value_write(L, -1, &writer, &err) != 0 || writer.error != 0 ||
            writer.len != cases[i].len || memcmp(writer.data, cases[i].bytes, cases[i].len) != 0) {
            fail_msg("%s: other bytes, %zu of them", cases[i].chunk, writer.len);
        }
        assert_int_equal(lua_gettop(L), top);
        msgpack_writer_fini(&writer);
        lua_settop(L, 0);
    }
}

static void values_that_cannot_be_sent_are_named_with_their_place(void **state)
{
    lua_State *L = *state;
    static const struct {
        const char *chunk;
        const char *text;
    } cases[] = {
        {"return print", "cannot send a function"},
        {"return {items = {1, 2, {cb = print}}}", "cannot send a function at \"items[3].cb\""},
        {"return {[7] = io.stdout}", "cannot send a userdata at \"[7]\""},
        {"return {a = {[-7] = {b = coroutine.create(print)}}}",
         "cannot send a coroutine at \"a[-7].b\""},
        {"return {a = {[1.5] = 1}}", "cannot send a key that is a float at \"a\""},
        {"return {[true] = 1}", "cannot send a key that is a boolean"},
        {"return {a = {[{}] = 1}}", "cannot send a key that is no string or integer at \"a\""},
        {"return {['a\\nb'] = print}", "cannot send a function at \"a?b\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_writer writer;
        struct fsd_err err;
        push_lua(L, cases[i].chunk);
        msgpack_writer_init(&writer, ROOMY_BYTES);
        assert_int_equal(value_write(L, 1, &writer, &err), -EINVAL);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(lua_gettop(L), 1);
        msgpack_writer_fini(&writer);
        lua_settop(L, 0);
    }
}

static void a_cycle_ends_at_the_depth_limit_with_a_path_cut_in_front(void **state)
{
    lua_State *L = *state;
    struct msgpack_writer writer;
    struct fsd_err err;
    push_lua(L, "local t = {} t.myself = t return t");
    msgpack_writer_init(&writer, ROOMY_BYTES);
    assert_int_equal(value_write(L, -1, &writer, &err), -EINVAL);
    assert_non_null(
        strstr(err.text, "cannot send more than 64 levels of tables (a cycle?) at \"..."));
    assert_non_null(strstr(err.text, ".myself.myself\""));
    assert_true(strlen(err.text) < 350);
    assert_int_equal(lua_gettop(L), 1);
    msgpack_writer_fini(&writer);
}

static void exactly_the_limit_of_levels_passes_both_ways(void **state)
{
    lua_State *L = *state;
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, ROOMY_BYTES);
    push_lua(L, "local t = 1 for i = 1, 65 do t = {t} end return t");
    assert_int_equal(value_write(L, -1, &writer, NULL), -EINVAL);
    msgpack_writer_fini(&writer);
    lua_rawgeti(L, -1, 1);
    assert_int_equal(value_write(L, -1, &writer, NULL), 0);
    assert_int_equal(writer.len, VALUE_DEPTH_MAX + 1);

    unsigned char bytes[VALUE_DEPTH_MAX + 2] = {0x91}; /* one level in front of what was written */
    memcpy(bytes + 1, writer.data, writer.len);
    msgpack_writer_fini(&writer);
    lua_settop(L, 0);
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, bytes, sizeof(bytes));
    assert_int_equal(value_push(L, &reader), -EPROTO);
    assert_int_equal(lua_gettop(L), 0);
    msgpack_reader_init(&reader, bytes + 1, sizeof(bytes) - 1);
    assert_int_equal(value_push(L, &reader), 0);
    assert_int_equal(lua_gettop(L), 1);
}

static void what_is_written_comes_back_equal(void **state)
{
    lua_State *L = *state;
    push_lua(L, "function same(a, b)"
                "  if type(a) ~= 'table' or type(b) ~= 'table' then"
                "    return a == b and math.type(a) == math.type(b) end"
                "  for k, v in pairs(a) do if not same(v, b[k]) then return false end end"
                "  for k in pairs(b) do if a[k] == nil then return false end end"
                "  return true end");
    static const char *const chunks[] = {
        "return 'x'",
        "return {1, 2.0, 'three', false, {}, {4}}",
        "return {a = 1, b = {c = 'd', [9007199254740993] = math.mininteger}}",
        "local t = {} for i = 1, 1000 do t[i] = {n = i, s = ('x'):rep(i)} end return t",
        "local t = {} for i = 1, 1000 do t['k' .. i] = i / 8 end return t",
        "return setmetatable({1, null, 3}, array_mark)",
    };
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        struct msgpack_writer writer;
        struct msgpack_reader reader;
        lua_getglobal(L, "same");
        push_lua(L, chunks[i]);
        msgpack_writer_init(&writer, ROOMY_BYTES);
        assert_int_equal(value_write(L, -1, &writer, NULL), 0);
        assert_int_equal(writer.error, 0);
        msgpack_reader_init(&reader, writer.data, writer.len);
        assert_int_equal(value_push(L, &reader), 0);
        assert_ptr_equal(reader.at, reader.end);
        lua_call(L, 2, 1);
        if (!lua_toboolean(L, -1)) {
            fail_msg("changed: %s", chunks[i]);
        }
        msgpack_writer_fini(&writer);
        lua_settop(L, 0);
    }
}

static void arrays_come_marked_and_nil_is_kept_in_arrays_only(void **state)
{
    lua_State *L = *state;
    static const char bytes[] = "\x82\xa1"
                                "a\x92\x01\xc0\xa1"
                                "b\xc0";
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, bytes, sizeof(bytes) - 1);
    assert_int_equal(value_push(L, &reader), 0);
    assert_false(value_is_array(L, -1));
    lua_getfield(L, -1, "b");
    assert_true(lua_isnil(L, -1));
    lua_getfield(L, -2, "a");
    assert_true(value_is_array(L, -1));
    lua_rawgeti(L, -1, 2);
    assert_int_equal(lua_type(L, -1), LUA_TLIGHTUSERDATA);
    assert_false(value_is_array(L, -1));
}

static void malformed_bytes_leave_stack_and_reader_as_they_were(void **state)
{
    lua_State *L = *state;
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"", 0},
        {"\xc1", 1},
        {"\x92\x01", 2},
        {"\x92\x01\x91", 3},
        {"\x81\xc0\x01", 3},                      /* nil as a key */
        {"\x81\xcb\x7f\xf8\0\0\0\0\0\0\x01", 11}, /* NaN as a key */
        {"\x81\x90\x01", 3},                      /* a table as a key */
        {"\x81\x01\xc1", 3},
        {"\x82\x01\x01\x02", 4},
    };
    lua_pushinteger(L, 77);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct msgpack_reader reader;
        msgpack_reader_init(&reader, cases[i].bytes, cases[i].len);
        assert_int_equal(value_push(L, &reader), -EPROTO);
        assert_int_equal(lua_gettop(L), 1);
        assert_ptr_equal(reader.at, cases[i].bytes);
    }
}

static void metamethods_are_not_called(void **state)
{
    lua_State *L = *state;
    push_lua(L, "return setmetatable({1}, {__index = error, __len = error, __pairs = error})");
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, ROOMY_BYTES);
    assert_int_equal(value_write(L, -1, &writer, NULL), 0);
    assert_int_equal(writer.len, 2);
    msgpack_writer_fini(&writer);
}

static void a_full_writer_is_reported_by_the_writer(void **state)
{
    lua_State *L = *state;
    push_lua(L, "return {'abcdefgh', 'ijklmnop'}");
    struct msgpack_writer writer;
    msgpack_writer_init(&writer, 12);
    assert_int_equal(value_write(L, -1, &writer, NULL), 0);
    assert_int_equal(writer.error, -EMSGSIZE);
    msgpack_writer_fini(&writer);
}

static void the_pairs_of_one_table_go_into_the_other(void **state)
{
    lua_State *L = *state;
    int top = lua_gettop(L);
    push_lua(L, "return setmetatable({x = 1, y = 2}, {__newindex = error})");
    push_lua(L, "return setmetatable({y = 3, [1] = 4}, {__index = error, __pairs = error})");
    value_move_pairs(L);
    assert_int_equal(lua_gettop(L), top + 1);
    lua_setglobal(L, "merged");
    push_lua(L, "return merged.x == 1 and merged.y == 3 and merged[1] == 4");
    assert_true(lua_toboolean(L, -1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tables_are_written_as_the_array_or_map_they_are),
        TEST(values_that_cannot_be_sent_are_named_with_their_place),
        TEST(a_cycle_ends_at_the_depth_limit_with_a_path_cut_in_front),
        TEST(exactly_the_limit_of_levels_passes_both_ways),
        TEST(what_is_written_comes_back_equal),
        TEST(arrays_come_marked_and_nil_is_kept_in_arrays_only),
        TEST(malformed_bytes_leave_stack_and_reader_as_they_were),
        TEST(metamethods_are_not_called),
        TEST(a_full_writer_is_reported_by_the_writer),
        TEST(the_pairs_of_one_table_go_into_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
