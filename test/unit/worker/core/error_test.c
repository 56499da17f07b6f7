#include "worker/core/error.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int lua_wrap(lua_State *L)
{
    lua_settop(L, 1);
    error_wrap(L);
    return 1;
}

static int lua_raise(lua_State *L)
{
    error_raise(L, "NetError", "ECONNRESET", 502, "cannot reach \"%s\": %d", "db", 7);
}

static int open_state(void **state)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    error_init(L);
    lua_register(L, "wrap", lua_wrap);
    lua_register(L, "raise", lua_raise);
    lua_register(L, "traceback", error_traceback);
    *state = L;
    return 0;
}

static int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

/* The chunk makes its own assertions. */
static void run(lua_State *L, const char *chunk)
{
    if (luaL_dostring(L, chunk) != LUA_OK) {
        fail_msg("%s", luaL_tolstring(L, -1, NULL));
    }
    lua_settop(L, 0);
}

static void a_raised_error_has_all_fields(void **state)
{
    run(*state, "local ok, err = pcall(raise)\n"
                "assert(not ok and err.name == 'NetError' and err.code == 'ECONNRESET')\n"
                "assert(err.status == 502 and err.message == 'cannot reach \"db\": 7')\n"
                "assert(err.traceback == nil)");
}

static void its_text_is_one_line(void **state)
{
    run(*state, "local _, err = pcall(raise)\n"
                "assert(tostring(err) == 'NetError: cannot reach \"db\": 7 (ECONNRESET)')\n"
                "assert(tostring(wrap('boom')) == 'boom')\n"
                "assert(tostring(wrap{message = 'm', code = 'c'}) == 'Error: m (c)')");
}

static void methods_compare_and_raise_again(void **state)
{
    run(*state, "local _, err = pcall(raise)\n"
                "assert(err:is('NetError') and err:is('ECONNRESET') and not err:is('Error'))\n"
                "local ok, again = pcall(err.rethrow, err)\n"
                "assert(not ok and rawequal(again, err))\n"
                "assert(not pcall(err.is, 5, 'x') and not pcall(err.is, err))");
}

static void an_error_is_wrapped_as_itself(void **state)
{
    run(*state, "local _, err = pcall(raise)\nassert(rawequal(wrap(err), err))");
}

static void a_plain_table_with_a_message_or_a_status_becomes_an_error(void **state)
{
    run(*state, "local t = {message = 'no such user', status = 404, user = 7}\n"
                "local err = wrap(t)\n"
                "assert(rawequal(err, t) and err.user == 7 and err.status == 404)\n"
                "assert(err.name == 'Error' and err.code == 'error')\n"
                "assert(wrap{message = 'm'}.status == 500)\n"
                "local bare = wrap{status = 409}\n"
                "assert(bare.status == 409 and bare.message == 'unknown error')");
}

static void anything_else_becomes_the_message_and_the_cause(void **state)
{
    run(*state,
        "local class = setmetatable({status = 404}, {__tostring = function() return 'mine' end})\n"
        "local err = wrap(class)\n"
        "assert(err.message == 'mine' and err.status == 500 and rawequal(err.cause, class))\n"
        "local list = {1, 2}\n"
        "assert(wrap(list).message:find('^table: ') and rawequal(wrap(list).cause, list))\n"
        "assert(wrap('text').message == 'text' and wrap('text').cause == nil)\n"
        "assert(wrap(nil).message == 'nil' and wrap(false).message == 'false')\n"
        "assert(wrap{message = {}, status = 404}.status == 500)");
}

static void a_message_that_cannot_be_made_raises_in_the_caller(void **state)
{
    run(*state, "local hostile = setmetatable({}, {__tostring = function() error('boom', 0) end})\n"
                "local ok, err = pcall(wrap, hostile)\n"
                "assert(not ok and err == 'boom')");
}

static void a_protected_call_gets_the_place_that_raised(void **state)
{
    run(*state, "local function inner() error('deep') end\n"
                "local ok, err = xpcall(function() inner() end, traceback)\n"
                "assert(not ok and err.message:find(':1: deep$'))\n"
                "assert(err.traceback:find('inner'))\n"
                "local first = err.traceback\n"
                "local _, again = xpcall(err.rethrow, traceback, err)\n"
                "assert(rawequal(again, err) and again.traceback == first)");
}

static void a_handler_that_fails_still_yields_an_error(void **state)
{
    run(*state, "local hostile = setmetatable({}, {__tostring = function() error('boom', 0) end})\n"
                "local ok, err = xpcall(error, traceback, hostile)\n"
                "assert(not ok and err.message == 'boom')");
}

static void an_application_cannot_change_the_class(void **state)
{
    run(*state, "local _, err = pcall(raise)\n"
                "assert(getmetatable(err) == 'fsd.Error')\n"
                "assert(not pcall(setmetatable, err, {}))");
}

static void only_errors_are_errors(void **state)
{
    lua_State *L = *state;
    error_push(L, "Error", "error", 500, "m");
    lua_newtable(L);
    lua_pushliteral(L, "text");
    luaL_newmetatable(L, "other");
    lua_newtable(L);
    luaL_setmetatable(L, "other");
    assert_true(error_is(L, 1));
    assert_false(error_is(L, 2));
    assert_false(error_is(L, 3));
    assert_false(error_is(L, 5));
    assert_int_equal(lua_gettop(L), 5);
}

static void fields_are_read_without_running_anything(void **state)
{
    lua_State *L = *state;
    assert_int_equal(luaL_dostring(L, "local boom = setmetatable({}, {__tostring = error})\n"
                                      "local t = {message = boom, code = 7, name = 'n'}\n"
                                      "return setmetatable(t, {__index = error})"),
                     LUA_OK);
    assert_string_equal(error_push_text(L, 1, "message"), "(a table)");
    assert_string_equal(error_push_text(L, 1, "code"), "7");
    assert_string_equal(error_push_text(L, -3, "name"), "n");
    assert_null(error_push_text(L, 1, "traceback"));
    assert_int_equal(lua_gettop(L), 5);
}

static void the_status_is_one_that_fits_an_error(void **state)
{
    static const struct {
        const char *value;
        int status;
    } rows[] = {
        {"404", 404}, {"'503'", 503}, {"400.0", 400},   {"599", 599},
        {"200", 500}, {"600", 500},   {"404.5", 500},   {"{}", 500},
        {"nil", 500}, {"'x'", 500},   {"1 << 62", 500}, {"-404", 500},
    };
    lua_State *L = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lua_pushfstring(L, "return {status = %s}", rows[i].value);
        assert_int_equal(luaL_dostring(L, lua_tostring(L, -1)), LUA_OK);
        assert_int_equal(error_status(L, -1), rows[i].status);
        lua_settop(L, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_raised_error_has_all_fields, open_state, close_state),
        cmocka_unit_test_setup_teardown(its_text_is_one_line, open_state, close_state),
        cmocka_unit_test_setup_teardown(methods_compare_and_raise_again, open_state, close_state),
        cmocka_unit_test_setup_teardown(an_error_is_wrapped_as_itself, open_state, close_state),
        cmocka_unit_test_setup_teardown(a_plain_table_with_a_message_or_a_status_becomes_an_error,
                                        open_state, close_state),
        cmocka_unit_test_setup_teardown(anything_else_becomes_the_message_and_the_cause, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(a_message_that_cannot_be_made_raises_in_the_caller,
                                        open_state, close_state),
        cmocka_unit_test_setup_teardown(a_protected_call_gets_the_place_that_raised, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(a_handler_that_fails_still_yields_an_error, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(an_application_cannot_change_the_class, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(only_errors_are_errors, open_state, close_state),
        cmocka_unit_test_setup_teardown(fields_are_read_without_running_anything, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(the_status_is_one_that_fits_an_error, open_state,
                                        close_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
