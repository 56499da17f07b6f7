#include "worker/actor/copy.h"

#include <errno.h>
#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "test/support/message_values.h"

/* What the chunks below use; same(a, b) compares tables by their pairs, and metatables. */
static const char prelude[] =
    "function same(a, b)\n"
    "  if type(a) ~= 'table' or type(b) ~= 'table' then return rawequal(a, b) and math.type(a) == "
    "math.type(b) end\n"
    "  if rawequal(a, b) or debug.getmetatable(a) ~= debug.getmetatable(b) then return false end\n"
    "  for k, v in next, a do if not same(v, rawget(b, k)) then return false end end\n"
    "  for k in next, b do if rawget(a, k) == nil then return false end end\n"
    "  return true\n"
    "end\n"
    "function deep(n) local t = {} for _ = 2, n do t = {t} end return t end\n"
    "function many(n) local t = {} for i = 1, n do t[i] = i end return t end\n"
    "function array(t) return setmetatable(t, array_mark) end\n";

static int set_up(void **state)
{
    (void)state;
    message_values_init(prelude);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    runtime_fini(&runtime);
    return 0;
}

static void a_copy_is_the_same_in_other_tables(void **state)
{
    (void)state;
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
        "setmetatable({name = 'E', code = 'c', status = 500, message = 'm'}, nil)",
        "deep(100)",
        "many(3000)",
        "(function() local t = many(10) for i = 1, 9 do t[i] = nil end return t end)()",
    };
    lua_State *L = runtime.L;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        size_t bytes = 0;
        struct fsd_err err;
        lua_getglobal(L, "same");
        message_values_push(values[i]);
        if (copy_push(L, -1, &marks, &bytes, &err) != 0) {
            fail_msg("%s: %s", values[i], err.text);
        }
        lua_call(L, 2, 1);
        if (!lua_toboolean(L, -1)) {
            fail_msg("the copy of %s is another one", values[i]);
        }
        assert_true(bytes > 0);
        lua_settop(L, 0);
    }
}

static void an_error_stays_an_error(void **state)
{
    (void)state;
    lua_State *L = runtime.L;
    size_t bytes = 0;
    error_push(L, "PgError", "23505", 409, "duplicate");
    assert_int_equal(copy_push(L, 1, &marks, &bytes, NULL), 0);
    assert_true(error_is(L, 2));
    assert_false(lua_rawequal(L, 1, 2));
    assert_int_equal(error_status(L, 2), 409);
}

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

static void what_must_not_leave_is_refused_with_its_place(void **state)
{
    (void)state;
    lua_State *L = runtime.L;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        size_t bytes = 1;
        struct fsd_err err = {""};
        message_values_push(refusals[i].expression);
        assert_int_equal(copy_push(L, 1, &marks, &bytes, &err), -EINVAL);
        if (strncmp(err.text, refusals[i].sentence, strlen(refusals[i].sentence)) != 0) {
            fail_msg("%s: %s", refusals[i].expression, err.text);
        }
        assert_int_equal(lua_gettop(L), 1);
        assert_int_equal(bytes, 1);
        lua_settop(L, 0);
    }
}

static void a_message_of_just_less_than_a_mebibyte_is_copied(void **state)
{
    (void)state;
    size_t bytes = 0;
    message_values_push("('x'):rep((1 << 20) - 5)");
    assert_int_equal(copy_push(runtime.L, -1, &marks, &bytes, NULL), 0);
    assert_int_equal(bytes, 1 << 20);
}

static void the_size_is_about_that_of_messagepack(void **state)
{
    (void)state;
    size_t bytes = 0;
    message_values_push("{pid, 'get', 42, 'key'}");
    assert_int_equal(copy_push(runtime.L, -1, &marks, &bytes, NULL), 0);
    assert_in_range(bytes, 40, 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_is_the_same_in_other_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_stays_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_must_not_leave_is_refused_with_its_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_message_of_just_less_than_a_mebibyte_is_copied, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_size_is_about_that_of_messagepack, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
