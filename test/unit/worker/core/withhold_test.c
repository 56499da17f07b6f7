/* What an application can't get at, and that everything else of these functions is as Lua has it. */
#include "worker/core/withhold.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/core/runtime.h"

static struct runtime runtime;

static int set_up(void **state)
{
    (void)state;
    runtime_init(&runtime);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    runtime_fini(&runtime);
    return 0;
}

static const struct row {
    const char *code;
    const char *text; /* of what it returns or raises */
} rows[] = {
    {"return setmetatable({}, {__gc = function() end})",
     "t:1: bad argument #2 to 'setmetatable' (has a __gc, which is not available here: use a "
     "<close> "
     "variable)"},
    {"return setmetatable({}, {__gc = false})", "t:1: bad argument #2 to 'setmetatable' (has a "
                                                "__gc, which is not available here: use a <close> "
                                                "variable)"},
    {"return debug.setmetatable(io.stdout, {__gc = print})",
     "t:1: bad argument #2 to 'setmetatable' (has a __gc, which is not available here: use a "
     "<close> "
     "variable)"},
    {"return setmetatable({}, {__index = {x = 'found'}}).x", "found"},
    {"local t = {} return tostring(setmetatable(t, nil) == t)", "true"},
    {"return setmetatable({})",
     "t:1: bad argument #2 to 'setmetatable' (nil or table expected, got no value)"},
    {"return setmetatable(1, {})",
     "t:1: bad argument #1 to 'setmetatable' (table expected, got number)"},
    {"return setmetatable(setmetatable({}, {__metatable = 1}), {})",
     "t:1: cannot change a protected metatable"},
    {"debug.setmetatable(nil, {__index = function() return 'of nil' end}) local x\n"
     "local got = x.y debug.setmetatable(nil, nil) return got",
     "of nil"},
    {"debug.sethook(print, 'l')",
     "t:1: debug.sethook is not available here: fsd needs the hook to share the CPU"},
    {"return select(2, load(string.dump(function() end)))",
     "attempt to load a binary chunk (mode is 't')"},
    {"return select(2, load(string.dump(function() end), 'x', 'b'))",
     "attempt to load a binary chunk (mode is '')"},
    {"return select(2, load('return 1', 'x', 'b'))", "attempt to load a text chunk (mode is '')"},
    {"return load('return 6 * 7')()", "42"},
    {"return load('return x', 'name', 't', {x = 'mine'})()", "mine"},
    {"return load('return x', 'name', 'bt', {x = 'mine'})()", "mine"},
    {"return tostring(pcall(load('return x.y', 'name', 't', nil)))", "false"},
    {"return select(2, load('x =', '=name'))", "name:1: unexpected symbol near <eof>"},
    {"local parts = {'return ', '6 * ', 7} local i = 0\n"
     "return load(function() i = i + 1 return parts[i] end)()",
     "42"},
    {"local parts = {'return ', '5', '', '6'} local i = 0\n"
     "return load(function() i = i + 1 return parts[i] end)()",
     "5"},
    {"return load(function() end)() == nil and 'empty'", "empty"},
    {"return select(2, load(function() return {} end))", "reader function must return a string"},
    {"return select(2, load(function() error('in the reader', 0) end))", "in the reader"},
    {"local text = 'x ='\n"
     "return select(2, load(function() local piece = text text = nil return piece end))",
     "(load):1: unexpected symbol near <eof>"},
    {"local text = 'x ='\n"
     "return select(2, load(function() local piece = text text = nil return piece end, '=name'))",
     "name:1: unexpected symbol near <eof>"},
    {"local text = 'return x'\n"
     "return load(function() local piece = text text = nil return piece end, 'n', 't', {x = "
     "'mine'})()",
     "mine"},
    {"local text = string.dump(function() end)\n"
     "return select(2, load(function() local piece = text text = nil return piece end))",
     "attempt to load a binary chunk (mode is 't')"},
    {"return select(2, load(os.time))", "chunk too long (load takes at most 1 MiB)"},
    {"return select(2, load((' '):rep(1 << 20) .. ' '))",
     "chunk too long (load takes at most 1 MiB)"},
    {"return type(load((' '):rep(1 << 20)))", "function"},
    {"local text = ('x'):rep(1000) local n = 0\n"
     "return #load(function() n = n + 1 return n < 500 and '--' .. text .. '\\n' or n == 500 and "
     "\"return '\" .. text .. \"'\" or nil end)()",
     "1000"},
    {"return load({})", "t:1: bad argument #1 to 'load' (function expected, got table)"},
    {"return load(print, {})", "t:1: bad argument #2 to 'load' (string expected, got table)"},
    {"return loadfile(path)(2)", "3"},
    {"return loadfile(path, 't', {z = 5})(2)", "8"},
    {"return select(2, loadfile(binary))", "attempt to load a binary chunk (mode is 't')"},
    {"return table.concat({dofile(path)}, ' ')", "1 second"},
    {"return dofile(binary)", "attempt to load a binary chunk (mode is 't')"},
    {"return dofile('/nowhere')", "cannot open /nowhere"},
};

/* The message without the names of the files of this test. */
static const char *run(const char *code)
{
    lua_State *L = runtime.L;
    assert_int_equal(luaL_loadbuffer(L, code, strlen(code), "=t"), LUA_OK);
    (void)lua_pcall(L, 0, 1, 0);
    const char *text = luaL_tolstring(L, -1, NULL);
    lua_getglobal(L, "binary");
    return luaL_gsub(L, text, lua_tostring(L, -1), "binary");
}

static void write_file(const char *name, const char *code)
{
    lua_State *L = runtime.L;
    char path[] = "/tmp/withhold-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    lua_pushstring(L, path);
    lua_setglobal(L, name);
    assert_int_equal(luaL_loadstring(L, code), LUA_OK);
    assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
}

static void remove_file(const char *name)
{
    lua_getglobal(runtime.L, name);
    (void)unlink(lua_tostring(runtime.L, -1));
}

static void what_is_withheld_says_so_and_the_rest_is_as_ever(void **state)
{
    (void)state;
    write_file("path", "local f <close> = io.open(path, 'w')\n"
                       "f:write('local a = ... return (a or 0) + 1 + (z or 0), \"second\"')");
    write_file("binary", "local f <close> = io.open(binary, 'wb')\n"
                         "f:write(string.dump(function() end))");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = run(rows[i].code);
        const char *found = strstr(text, rows[i].text);
        if (found == NULL) {
            print_error("%s\n", rows[i].code);
        }
        assert_string_equal(found != NULL ? rows[i].text : text, rows[i].text);
        lua_settop(runtime.L, 0);
    }
    remove_file("path");
    remove_file("binary");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_withheld_says_so_and_the_rest_is_as_ever, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
