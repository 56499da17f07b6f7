#include "worker/actor/node/codec.h"

#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/msgpack.h"
#include "test/support/message_values.h"

static struct msgpack_writer writer;

/* What the chunks below use; same(a, b) compares tables by their pairs, and metatables. */
static const char prelude[] =
    "function same(a, b)\n"
    "  if type(a) ~= 'table' or type(b) ~= 'table' then return (rawequal(a, b) or (type(a) == "
    "'userdata' and a == b)) and "
    "math.type(a) == math.type(b) end\n"
    "  if rawequal(a, b) or debug.getmetatable(a) ~= debug.getmetatable(b) then return false end\n"
    "  for k, v in next, a do if k ~= ref and not same(v, rawget(b, k)) then return false end end\n"
    "  for k in next, b do if k ~= ref and rawget(a, k) == nil then return false end end\n"
    "  return true\n"
    "end\n"
    "function deep(n) local t = {} for _ = 2, n do t = {t} end return t end\n"
    "function mixed(n) local t = {} for _ = 2, n do t = {1, t, x = 2} end return t end\n"
    "function hashed() local t = {x = 1, y = 2, z = 3} for i = 1, 3 do t[i] = i end return t end\n"
    "function backwards(n) local t = {} for i = n, 1, -1 do t[i] = i end return t end\n"
    "function many(n) local t = {} for i = 1, n do t[i] = i end return t end\n"
    "function array(t) return debug.setmetatable(t, array_mark) end\n"
    "local setmetatable = setmetatable\n"
    "local function key(depth)\n"
    "  local which = math.random(6)\n"
    "  if which == 1 then return math.random(-5, 1 << 40) end\n"
    "  if which == 2 then return math.random() end\n"
    "  if which == 3 then return math.random(2) == 1 end\n"
    "  if which == 4 then return pid end\n"
    "  return ('k'):rep(math.random(0, 40)) .. math.random(9)\n"
    "end\n"
    "function any(depth)\n"
    "  local which = math.random(depth < 5 and 12 or 8)\n"
    "  if which == 1 then return math.random(0) end\n"
    "  if which == 2 then return math.random(-200, 200) end\n"
    "  if which == 3 then return math.random() * 2.0 ^ math.random(-500, 500) end\n"
    "  if which == 4 then return math.random(2) == 1 end\n"
    "  if which == 5 then return ('v'):rep(math.random(0, 300)) end\n"
    "  if which == 6 then return pid end\n"
    "  if which == 7 then return ref end\n"
    "  if which == 8 then return null end\n"
    "  local t = {}\n"
    "  for i = 1, math.random(0, 20) do t[which < 11 and i or key()] = any(depth + 1) end\n"
    "  if which == 10 then t[math.random(20)] = nil end\n"
    "  if math.random(8) == 1 then debug.setmetatable(t, math.random(2) == 1 and array_mark or "
    "error_mark) end\n"
    "  return t\n"
    "end\n";

static int set_up(void **state)
{
    (void)state;
    msgpack_writer_init(&writer, CODEC_BYTES_MAX);
    message_values_init(prelude);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    msgpack_writer_fini(&writer);
    runtime_fini(&runtime);
    return 0;
}

static const char *const values[] = {
    "nil",
    "true",
    "false",
    "42",
    "-1.5",
    "math.mininteger",
    "'text'",
    "''",
    "null",
    "pid",
    "ref",
    "{}",
    "{1, 2.0, 'three', {4}}",
    "{1, nil, 3, nil}",
    "{a = 1, b = {c = {}}}",
    "{pid, 'get', 42, 'key'}",
    "{[1] = 'a', x = 'b', [2] = 'c', [0] = 0, [-1] = 1}",
    "{[1.5] = 1, [true] = 2, [false] = {}, [pid] = 'p', [ref] = 'r', ['1'] = 'one'}",
    "array{}",
    "array{1, 2, {array{}}}",
    "{null, {x = null, [null] = 1}}",
    "{pid, pid, {[pid] = ref}}",
    "{[1 << 40] = 1, [-(1 << 40)] = 2, [math.mininteger] = 3}",
    "{0.1, 1e300, -0.0, math.huge, -math.huge, 3.0}",
    "{('x'):rep(31), ('x'):rep(32), ('x'):rep(256), ('x'):rep(70000), 'a\\0b'}",
    "array{1, nil, 3, x = 4}",
    "{1, 2, {3}, 4}",
    "{1, 2, 3, x = 4}",
    "hashed()",
    "backwards(9)",
    "mixed(90)", /* would never end if it were walked twice at each level, and twice in there */
    "setmetatable({name = 'E', code = 'c', details = {1, array{}}}, error_mark)",
    "setmetatable({}, error_mark)",
    "deep(100)",
    "many(3000)",
    "(function() local t = many(10) for i = 1, 9 do t[i] = nil end return t end)()",
};

static const struct refusal {
    const char *expression;
    const char *sentence;
} refusals[] = {
    {"print", "cannot send a function"},
    {"{items = {1, 2, {cb = print}}}", "cannot send a function at \"items[3].cb\""},
    {"{coroutine.create(print)}", "cannot send a coroutine at \"[1]\""},
    {"{file = io.stdout}", "cannot send a userdata at \"file\""},
    {"address", "cannot send a userdata"},
    {"{x = setmetatable({}, {})}", "cannot send a table with a metatable at \"x\""},
    {"setmetatable({}, {__index = {}})", "cannot send a table with a metatable"},
    {"{y = {[{}] = 1}}", "cannot send a table as a key at \"y\""},
    {"{[print] = 1}", "cannot send a function at \"[0]\""},
    {"deep(101)", "cannot send more than 100 levels of tables (a cycle?) at \"...[1][1]"},
    {"(function() local t = {} t.t = t return t end)()",
     "cannot send more than 100 levels of tables (a cycle?) at \"t.t.t"},
    {"{data = ('x'):rep(1 << 20)}", "cannot send more than 1 MiB in one message at \"data\""},
    {"('x'):rep((1 << 20) - 4)", "cannot send more than 1 MiB in one message"},
    {"{a = many(200000)}", "cannot send more than 1 MiB in one message at \"a"},
    {"(function() local t = {} for i = 1, 60000 do t['k' .. i] = true end return t end)()",
     "cannot send more than 1 MiB in one message at \"k"},
};

/* Whether the values at two indexes are the same, in other tables. */
static bool is_same(int a, int b)
{
    lua_State *L = runtime.L;
    lua_getglobal(L, "same");
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    bool same = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return same;
}

static int push_written(size_t *ret_bytes)
{
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, writer.data, writer.len);
    int r = codec_push(runtime.L, &reader, ret_bytes);
    if (r == 0) {
        assert_ptr_equal(reader.at, reader.end);
    }
    return r;
}

/* The value at 1 is written and read; returns its size. */
static size_t check_round_trip(const char *what)
{
    lua_State *L = runtime.L;
    struct fsd_err err;
    size_t written = 0;
    size_t read = 0;
    writer.len = 0;
    if (codec_write(L, 1, &marks, &writer, &written, &err) != 0) {
        fail_msg("%s: %s", what, err.text);
    }
    assert_int_equal(writer.error, 0);
    assert_int_equal(lua_gettop(L), 1);
    if (push_written(&read) != 0 || !is_same(1, 2)) {
        fail_msg("%s comes back as something else", what);
    }
    assert_int_equal(read, written); /* or both ends of a link would count differently */
    lua_settop(L, 1);
    return written;
}

static void what_is_written_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        message_values_push(values[i]);
        size_t copied = 0;
        size_t written = check_round_trip(values[i]);
        assert_int_equal(copy_push(runtime.L, 1, &marks, &copied, NULL), 0);
        assert_in_range(written, 1, copied);
        lua_settop(runtime.L, 0);
    }
}

static void anything_that_may_be_sent_comes_back(void **state)
{
    (void)state;
    assert_int_equal(luaL_dostring(runtime.L, "math.randomseed(20240607)"), LUA_OK);
    for (int i = 0; i < 3000; i++) {
        message_values_push("any(0)");
        (void)check_round_trip("a random value");
        lua_settop(runtime.L, 0);
    }
}

static void a_pid_comes_back_as_the_very_same_value(void **state)
{
    (void)state;
    size_t bytes = 0;
    message_values_push("pid");
    assert_int_equal(codec_write(runtime.L, 1, &marks, &writer, &bytes, NULL), 0);
    assert_int_equal(push_written(&bytes), 0);
    assert_true(lua_rawequal(runtime.L, 1, 2));
}

static void what_copy_refuses_is_refused_with_the_same_sentence(void **state)
{
    (void)state;
    lua_State *L = runtime.L;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        size_t bytes = 1;
        struct fsd_err err = {""};
        struct fsd_err copy_err = {""};
        message_values_push(refusals[i].expression);
        writer.len = 0;
        msgpack_write_nil(&writer);
        assert_int_equal(codec_write(L, 1, &marks, &writer, &bytes, &err), -EINVAL);
        if (strncmp(err.text, refusals[i].sentence, strlen(refusals[i].sentence)) != 0) {
            fail_msg("%s: %s", refusals[i].expression, err.text);
        }
        assert_int_equal(writer.len, 1);
        assert_int_equal(bytes, 1);
        assert_int_equal(lua_gettop(L), 1);
        assert_int_equal(copy_push(L, 1, &marks, &bytes, &copy_err), -EINVAL);
        assert_string_equal(err.text, copy_err.text);
        lua_settop(L, 0);
    }
}

/* The dearest there is: integers of eight bytes as keys of marked tables, which cost next to nothing in a copy. */
static void no_message_becomes_longer_than_is_said(void **state)
{
    (void)state;
    message_values_push(
        "(function() local t = {} for i = 1, 200000 do t[(1 << 40) + i] = array{} end "
        "return t end)()");
    (void)check_round_trip("a wide table");
    assert_in_range(writer.len, 3 << 20, CODEC_BYTES_MAX);
}

static void a_writer_without_room_remembers_it(void **state)
{
    (void)state;
    size_t bytes = 0;
    msgpack_writer_fini(&writer);
    msgpack_writer_init(&writer, 8);
    message_values_push("array{'far too long'}");
    assert_int_equal(codec_write(runtime.L, 1, &marks, &writer, &bytes, NULL), 0);
    assert_int_equal(writer.error, -EMSGSIZE);
}

static const struct {
    const char *name;
    size_t len;
    const char *data;
} malformed[] = {
    {"nothing", 0, ""},
    {"a truncated array", 2, "\x92\x01"},
    {"nil in an array", 2, "\x91\xc0"},
    {"nil as a key", 3, "\x81\xc0\x01"},
    {"nil as a value", 3, "\x81\x01\xc0"},
    {"no number as a key", 11, "\x81\xcb\x7f\xf8\0\0\0\0\0\0\1"},
    {"a table as a key", 3, "\x81\x80\x01"},
    {"a marked table as a key", 6, "\x81\xd4\x04\x80\x01\x01"},
    {"bin", 3, "\xc4\x01x"},
    {"an unknown ext", 3, "\xd4\x06\x00"},
    {"a short pid", 4, "\xd5\x01\x00\x00"},
    {"a short ref", 4, "\xd5\x02\x00\x00"},
    {"another null", 3, "\xd4\x03\x01"},
    {"a null of two bytes", 4, "\xd5\x03\x00\x00"},
    {"a mark on a number", 3, "\xd4\x04\x01"},
    {"a mark on two tables", 4, "\xd5\x04\x80\x80"},
    {"a mark on a mark", 5, "\xc7\x03\x04\xd4\x04\x80"},
    {"a mark on nothing", 3, "\xc7\x00\x05"},
    {"a truncated ext", 3, "\xd5\x01\x00"},
};

static void malformed_bytes_are_refused(void **state)
{
    (void)state;
    lua_State *L = runtime.L;
    lua_pushliteral(L, "below");
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        struct msgpack_reader reader;
        size_t bytes = 7;
        msgpack_reader_init(&reader, malformed[i].data, malformed[i].len);
        if (codec_push(L, &reader, &bytes) != -EPROTO || lua_gettop(L) != 1) {
            fail_msg("%s is accepted", malformed[i].name);
        }
        assert_ptr_equal(reader.at, malformed[i].data);
        assert_int_equal(bytes, 7);
    }
}

static void more_levels_than_may_be_sent_are_refused(void **state)
{
    (void)state;
    size_t bytes = 0;
    for (int i = 0; i < 100; i++) {
        msgpack_write_array(&writer, 1);
    }
    msgpack_write_nil(&writer);
    writer.data[writer.len - 1] = 1;
    assert_int_equal(push_written(&bytes), 0);
    writer.data[writer.len - 1] = 0x90;
    assert_int_equal(push_written(&bytes), -EPROTO);
}

static void more_bytes_than_may_be_sent_are_refused(void **state)
{
    (void)state;
    size_t bytes = 0;
    msgpack_write_array(&writer, 200000);
    for (int i = 0; i < 200000; i++) {
        msgpack_write_array(&writer, 0);
    }
    assert_int_equal(push_written(&bytes), -EPROTO);
    msgpack_writer_fini(&writer);
    msgpack_writer_init(&writer, CODEC_BYTES_MAX);
    static const char text[COPY_BYTES_MAX];
    msgpack_write_str(&writer, text, COPY_BYTES_MAX - COPY_HEAD_BYTES);
    assert_int_equal(push_written(&bytes), 0);
    assert_int_equal(bytes, COPY_BYTES_MAX);
    writer.len = 0;
    msgpack_write_str(&writer, text, COPY_BYTES_MAX - COPY_HEAD_BYTES + 1);
    assert_int_equal(push_written(&bytes), -EPROTO);
}

static double seconds_of(const struct timespec *from)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

/* Prints what one message costs; the times decide nothing. */
static void many_messages_go_through_one_writer(void **state)
{
    (void)state;
    enum { ROUNDS = 100000 };
    static const char *const messages[] = {"{'get', 42, 'key'}", "{pid, 'get', 42, 'key'}", "42",
                                           "{op = 'get', id = 42, key = 'key'}"};
    lua_State *L = runtime.L;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        size_t bytes = 0;
        struct timespec start;
        struct msgpack_reader reader;
        lua_settop(L, 0);
        message_values_push(messages[i]);
        writer.len = 0;
        (void)clock_gettime(CLOCK_MONOTONIC, &start);
        for (int round = 0; round < ROUNDS; round++) {
            assert_int_equal(codec_write(L, 1, &marks, &writer, &bytes, NULL), 0);
        }
        double write_s = seconds_of(&start);
        msgpack_reader_init(&reader, writer.data, writer.len);
        (void)clock_gettime(CLOCK_MONOTONIC, &start);
        for (int round = 0; round < ROUNDS; round++) {
            lua_settop(L, 1);
            assert_int_equal(codec_push(L, &reader, &bytes), 0);
        }
        double read_s = seconds_of(&start);
        assert_ptr_equal(reader.at, reader.end);
        assert_true(is_same(1, 2));
        print_message("%s: %zu bytes, write %.0f ns, read %.0f ns\n", messages[i],
                      writer.len / ROUNDS, write_s * 1e9 / ROUNDS, read_s * 1e9 / ROUNDS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(anything_that_may_be_sent_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pid_comes_back_as_the_very_same_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_copy_refuses_is_refused_with_the_same_sentence, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_message_becomes_longer_than_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_writer_without_room_remembers_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(malformed_bytes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_levels_than_may_be_sent_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(more_bytes_than_may_be_sent_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_messages_go_through_one_writer, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
