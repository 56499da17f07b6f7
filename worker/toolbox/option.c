/* option.c - tables of options: every name is known (core/options.c), every value is what it has to be.
 * Owns nothing.  Called by the modules of the toolbox with the arguments that Lua gave them. */
#include "worker/toolbox/option.h"

#include <lauxlib.h>

#include "worker/core/options.h"

void option_check(lua_State *L, int index, const char *function, const char *const *names)
{
    if (lua_isnoneornil(L, index)) {
        return;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    size_t count = 0;
    while (names[count] != NULL) {
        count++;
    }
    options_check(L, index, function, names, count);
}

/* Pushes the option, or nil; returns its type. */
static int push(lua_State *L, int index, const char *name)
{
    if (lua_isnoneornil(L, index)) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    return lua_getfield(L, index, name);
}

bool option_boolean(lua_State *L, int index, const char *name, bool otherwise)
{
    int type = push(L, index, name);
    bool value = type == LUA_TNIL ? otherwise : lua_toboolean(L, -1) != 0;
    if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
        luaL_error(L, "option \"%s\" must be a boolean, got %s", name, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
    return value;
}

lua_Integer option_integer(lua_State *L, int index, const char *name, lua_Integer least,
                           lua_Integer most, lua_Integer otherwise)
{
    int is_integer = 1;
    lua_Integer value = otherwise;
    if (push(L, index, name) != LUA_TNIL) {
        value = lua_tointegerx(L, -1, &is_integer);
        is_integer = is_integer && lua_type(L, -1) == LUA_TNUMBER;
    }
    if (!is_integer || (!lua_isnil(L, -1) && (value < least || value > most))) {
        luaL_error(L, "option \"%s\" must be an integer from %I to %I", name, least, most);
    }
    lua_pop(L, 1);
    return value;
}

lua_Number option_seconds(lua_State *L, int index, const char *name, lua_Number otherwise)
{
    lua_Number value = otherwise;
    if (push(L, index, name) != LUA_TNIL) {
        value = lua_tonumber(L, -1);
        if (lua_type(L, -1) != LUA_TNUMBER || !(value >= 0)) {
            luaL_error(L, "option \"%s\" must be a number of seconds, not negative", name);
        }
    }
    lua_pop(L, 1);
    return value;
}

const char *option_push_string(lua_State *L, int index, const char *name, size_t *ret_len)
{
    if (push(L, index, name) == LUA_TNIL) {
        return NULL;
    }
    if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "option \"%s\" must be a string, got %s", name, luaL_typename(L, -1));
    }
    return lua_tolstring(L, -1, ret_len);
}
