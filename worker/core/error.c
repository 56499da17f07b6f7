/* error.c - the structured Error (lua-facing shape of every failure) and the only way to raise one from C.
 * Owns the metatable "fsd.Error" in the registry.  An Error is a plain table, so that handlers read err.status without a
 * call; tostring gives one line, and err:is / err:rethrow are its methods.  Called by every module that can fail, by the
 * request's protected call (error_traceback), and by mod_error.c.  Must not know HTTP beyond the number in status. */
#include "worker/core/error.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <string.h>

int error_is(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) {
        return 0;
    }
    luaL_getmetatable(L, ERROR_METATABLE);
    int same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

static void set_text(lua_State *L, const char *field, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

void error_push(lua_State *L, const char *name, const char *code, int status, const char *message)
{
    lua_createtable(L, 0, 5);
    set_text(L, "name", name);
    set_text(L, "code", code);
    lua_pushinteger(L, status);
    lua_setfield(L, -2, "status");
    set_text(L, "message", message);
    luaL_setmetatable(L, ERROR_METATABLE);
}

void error_raise(lua_State *L, const char *name, const char *code, int status, const char *format,
                 ...)
{
    va_list args;
    va_start(args, format);
    const char *message = lua_pushvfstring(L, format, args);
    va_end(args);
    error_push(L, name, code, status, message);
    lua_error(L);
    __builtin_unreachable(); /* lua_error does not return, but its prototype can't say so */
}

void error_raise_traced(lua_State *L)
{
    luaL_traceback(L, L, NULL, 0);
    lua_setfield(L, -2, "traceback");
    lua_error(L);
    __builtin_unreachable(); /* as above */
}

/* A table somebody raised by hand: { status = 404, message = "no such user" }. */
static void adopt_table(lua_State *L)
{
    static const char *const defaults[][2] = {
        {"name", "Error"}, {"code", "error"}, {"message", "unknown error"}};
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        if (lua_getfield(L, -1, defaults[i][0]) == LUA_TNIL) {
            lua_pushstring(L, defaults[i][1]);
            lua_setfield(L, -3, defaults[i][0]);
        }
        lua_pop(L, 1);
    }
    if (lua_getfield(L, -1, "status") == LUA_TNIL) {
        lua_pushinteger(L, 500);
        lua_setfield(L, -3, "status");
    }
    lua_pop(L, 1);
    luaL_setmetatable(L, ERROR_METATABLE);
}

/* Only a plain table: a class of somebody else's is not changed. */
static int is_like_error(lua_State *L)
{
    if (lua_type(L, -1) != LUA_TTABLE) {
        return 0;
    }
    if (lua_getmetatable(L, -1)) {
        lua_pop(L, 1);
        return 0;
    }
    int message = lua_getfield(L, -1, "message");
    int status = lua_getfield(L, -2, "status");
    lua_pop(L, 2);
    return message == LUA_TSTRING || (message == LUA_TNIL && status == LUA_TNUMBER);
}

void error_wrap(lua_State *L)
{
    if (error_is(L, -1)) {
        return;
    }
    if (is_like_error(L)) {
        adopt_table(L);
        return;
    }
    const char *message = luaL_tolstring(L, -1, NULL);
    error_push(L, "Error", "error", 500, message);
    if (lua_type(L, -3) != LUA_TSTRING) {
        lua_pushvalue(L, -3);
        lua_setfield(L, -2, "cause");
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

static int push_raw(lua_State *L, int index, const char *field)
{
    index = lua_absindex(L, index);
    lua_pushstring(L, field);
    return lua_rawget(L, index);
}

const char *error_push_text(lua_State *L, int index, const char *field)
{
    int type = push_raw(L, index, field);
    if (type == LUA_TNIL) {
        return NULL;
    }
    if (type != LUA_TSTRING && type != LUA_TNUMBER) {
        lua_pop(L, 1);
        lua_pushfstring(L, "(a %s)", lua_typename(L, type));
    }
    return lua_tostring(L, -1);
}

int error_status(lua_State *L, int index)
{
    (void)push_raw(L, index, "status");
    lua_Integer status = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return status >= 400 && status <= 599 ? (int)status : 500;
}

int error_traceback(lua_State *L)
{
    lua_settop(L, 1);
    error_wrap(L);
    if (lua_getfield(L, 1, "traceback") == LUA_TNIL) {
        luaL_traceback(L, L, NULL, 1);
        lua_setfield(L, 1, "traceback");
    }
    lua_settop(L, 1);
    return 1;
}

/* err:is(word): whether name or code is word. */
static int error_method_is(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkstring(L, 2);
    lua_getfield(L, 1, "name");
    lua_getfield(L, 1, "code");
    lua_pushboolean(L, lua_rawequal(L, 2, -1) || lua_rawequal(L, 2, -2));
    return 1;
}

/* err:rethrow(): raises it again, the first traceback kept. */
static int error_method_rethrow(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    return lua_error(L);
}

/* tostring(err): "JsonError: invalid JSON at line 1 column 7 (json.decode)" */
static int error_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "name");
    lua_getfield(L, 1, "message");
    lua_getfield(L, 1, "code");
    const char *name = luaL_tolstring(L, 2, NULL);
    const char *message = luaL_tolstring(L, 3, NULL);
    const char *code = luaL_tolstring(L, 4, NULL);
    if (strcmp(name, "Error") == 0 && strcmp(code, "error") == 0) {
        lua_pushstring(L, message);
    } else {
        lua_pushfstring(L, "%s: %s (%s)", name, message, code);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"is", error_method_is},
    {"rethrow", error_method_rethrow},
    {NULL, NULL},
};

void error_init(lua_State *L)
{
    luaL_newmetatable(L, ERROR_METATABLE);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(
        L, ERROR_METATABLE); /* what getmetatable gives: the class is the same for everybody */
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
