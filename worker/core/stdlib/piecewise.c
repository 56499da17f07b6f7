/* piecewise.c - string.upper, lower and reverse of long strings.
 * Owns nothing.  Lua's own functions look at each byte, which takes 1 to 3 ms for a mebibyte; so long strings are cut, and the results
 * put together at the end, which is as quick as joining two strings with `..`.  Called by Lua. */
#include "worker/core/stdlib/piecewise.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "worker/core/room.h"
#include "worker/core/stdlib/breath.h"

enum { PIECE_BYTES = 256 * 1024 };

/* Upvalue: Lua's own function, which has none itself and so can be run in our place. */
static int run_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int map_on(lua_State *L, int status, lua_KContext context);

/* The string stands at index 1, above it the results for what is left of done. */
static int map(lua_State *L, size_t done)
{
    size_t len;
    const char *text = lua_tolstring(L, 1, &len);
    while (done < len) {
        size_t part = len - done < PIECE_BYTES ? len - done : PIECE_BYTES;
        luaL_checkstack(L, LUA_MINSTACK, "string too long");
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushlstring(L, text + done, part);
        lua_call(L, 1, 1);
        done += part;
        breath_take(L, (lua_KContext)done, map_on);
    }
    return room_join(L, lua_gettop(L) - 1);
}

static int map_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    return map(L, (size_t)context);
}

/* A string that is not long, or another value, which is Lua's to judge. */
static bool is_short(lua_State *L)
{
    return lua_type(L, 1) != LUA_TSTRING || lua_rawlen(L, 1) <= PIECE_BYTES;
}

int piecewise_map(lua_State *L)
{
    if (is_short(L)) {
        return run_original(L);
    }
    lua_settop(L, 1);
    return map(L, 0);
}

static int reverse_on(lua_State *L, int status, lua_KContext context);

/* As map, from the end on: left is what is not yet done. */
static int reverse(lua_State *L, size_t left)
{
    const char *text = lua_tostring(L, 1);
    while (left > 0) {
        size_t part = left < PIECE_BYTES ? left : PIECE_BYTES;
        luaL_checkstack(L, LUA_MINSTACK, "string too long");
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushlstring(L, text + left - part, part);
        lua_call(L, 1, 1);
        left -= part;
        breath_take(L, (lua_KContext)left, reverse_on);
    }
    return room_join(L, lua_gettop(L) - 1);
}

static int reverse_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    return reverse(L, (size_t)context);
}

int piecewise_reverse(lua_State *L)
{
    if (is_short(L)) {
        return run_original(L);
    }
    lua_settop(L, 1);
    return reverse(L, lua_rawlen(L, 1));
}
