/* unicode.c - utf8.len and utf8.offset of long strings.
 * Owns nothing.  Lua's own functions look at each byte, about 1 ms for a mebibyte.  A long string is counted in pieces, each of which
 * begins where a character does, behind the last one of the piece before; and a way of many characters is gone in several
 * steps.  utf8.codepoint needs no limit: it gives a million values at most.  Called by Lua. */
#include "worker/core/stdlib/unicode.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "worker/core/stdlib/breath.h"

enum { PIECE = 256 * 1024 }; /* bytes, or characters */

enum { LEN_TEXT = 1, LEN_FIRST, LEN_LAST, LEN_LAX, LEN_COUNT };
enum { OFFSET_TEXT = 1, OFFSET_COUNT, OFFSET_PLACE };

/* Upvalue 1: Lua's own function, which has none itself and so can be run in our place. */
static int run_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* A string that is not long, or another value, which is Lua's to judge. */
static bool is_short(lua_State *L)
{
    return lua_type(L, 1) != LUA_TSTRING || lua_rawlen(L, 1) <= PIECE;
}

/* Positions count from 1; negative ones from the end.  0: before the string. */
static lua_Integer read_position(lua_State *L, int index, lua_Integer by_default)
{
    lua_Integer len = (lua_Integer)lua_rawlen(L, 1);
    lua_Integer position = luaL_optinteger(L, index, by_default);
    if (position >= 0) {
        return position;
    }
    return position < -len ? 0 : len + position + 1;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Behind the character that begins at last or, the nearest one, before it; the string is valid there. */
static lua_Integer skip_character(const char *text, lua_Integer last)
{
    while (is_continuation(text[last - 1])) {
        last--;
    }
    unsigned lead = (unsigned char)text[last - 1];
    return last + (lead < 0x80 ? 1 : __builtin_clz(~(lead << 24))); /* as many as it has 1 bits */
}

static int len_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    const char *text = lua_tostring(L, LEN_TEXT);
    lua_Integer last = lua_tointeger(L, LEN_LAST);
    lua_Integer first = lua_tointeger(L, LEN_FIRST);
    while (first <= last) {
        lua_Integer end = last - first < PIECE ? last : first + PIECE - 1;
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushvalue(L, LEN_TEXT);
        lua_pushinteger(L, first);
        lua_pushinteger(L, end);
        lua_pushvalue(L, LEN_LAX);
        lua_call(L, 4, 2);
        if (lua_isnil(L, -2)) {
            return 2; /* with the place that is not valid */
        }
        lua_pushinteger(L, lua_tointeger(L, LEN_COUNT) + lua_tointeger(L, -2));
        lua_replace(L, LEN_COUNT);
        first = skip_character(text, end);
        lua_pushinteger(L, first);
        lua_replace(L, LEN_FIRST);
        lua_settop(L, LEN_COUNT);
        breath_take(L, 0, len_on);
    }
    lua_settop(L, LEN_COUNT);
    return 1;
}

int unicode_len(lua_State *L)
{
    if (is_short(L)) {
        return run_original(L);
    }
    lua_Integer len = (lua_Integer)lua_rawlen(L, LEN_TEXT);
    lua_Integer first = read_position(L, LEN_FIRST, 1);
    lua_Integer last = read_position(L, LEN_LAST, -1);
    if (first < 1 || first > len + 1 || last > len) {
        return run_original(L); /* an error */
    }
    lua_settop(L, LEN_LAX);
    lua_pushinteger(L, first);
    lua_replace(L, LEN_FIRST);
    lua_pushinteger(L, last);
    lua_replace(L, LEN_LAST);
    lua_pushinteger(L, 0);
    return len_on(L, LUA_OK, 0);
}

/* Pushes where the character is that lies count behind, or before, the one at the place. */
static void push_offset(lua_State *L, lua_Integer count)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, OFFSET_TEXT);
    lua_pushinteger(L, count);
    lua_pushvalue(L, OFFSET_PLACE);
    lua_call(L, 3, 1);
}

static int offset_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_Integer count = lua_tointeger(L, OFFSET_COUNT);
    while ((count > PIECE || count < -PIECE) && !lua_isnil(L, OFFSET_PLACE)) {
        push_offset(L, count > 0 ? PIECE + 1 : -PIECE); /* the first one is that at the place */
        lua_replace(L, OFFSET_PLACE);
        count += count > 0 ? -PIECE : PIECE;
        lua_pushinteger(L, count);
        lua_replace(L, OFFSET_COUNT);
        breath_take(L, 0, offset_on);
    }
    if (!lua_isnil(L, OFFSET_PLACE)) {
        push_offset(L, count);
    }
    return 1;
}

int unicode_offset(lua_State *L)
{
    if (is_short(L)) {
        return run_original(L);
    }
    size_t len;
    const char *text = lua_tolstring(L, OFFSET_TEXT, &len);
    lua_Integer count = luaL_checkinteger(L, OFFSET_COUNT);
    lua_Integer place = read_position(L, OFFSET_PLACE, count > 0 ? 1 : (lua_Integer)len + 1);
    if ((count <= PIECE && count >= -PIECE) || place < 1 || place > (lua_Integer)len + 1 ||
        is_continuation(text[place - 1])) {
        return run_original(L); /* also for an error */
    }
    lua_settop(L, OFFSET_COUNT);
    lua_pushinteger(L, place);
    return offset_on(L, LUA_OK, 0);
}
