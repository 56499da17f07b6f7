/* array.c - table.concat, move, insert and remove in pieces.
 * Owns nothing.  What they work on and how far they are stands on Lua's stack; between two pieces they take a breath, in
 * which the coroutine may be put aside.  insert and remove move few elements themselves, and many by array_move: also where a
 * __len that is not true is what says that they are many.  Called by Lua. */
#include "worker/core/stdlib/array.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "worker/core/room.h"
#include "worker/core/stdlib/breath.h"
#include "worker/core/stdlib/stdlib.h"

/* Elements, and bytes, between two breaths: below a millisecond. */
enum { PIECE = 32 * 1024, PIECE_BYTES = 1024 * 1024, LONG_BYTES = 256 * 1024 };

/* Where things stand on the stack of concat ... */
enum { CONCAT_LIST = 1, CONCAT_SEPARATOR, CONCAT_FIRST, CONCAT_LAST, CONCAT_LEN };
/* ... of move, and of insert and remove. */
enum { MOVE_FROM = 1, MOVE_FIRST, MOVE_LAST, MOVE_PLACE, MOVE_TO, MOVE_BACKWARDS };
enum { SHIFT_LIST = 1, SHIFT_PLACE, SHIFT_VALUE, SHIFT_LAST };

/* Whether the metatable on the top has the field. */
static bool has_field(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    bool has = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 1);
    return has;
}

/* A table, or what behaves like one as far as these metamethods go (NULL: no second one). */
static void check_list(lua_State *L, int index, const char *first, const char *second)
{
    if (lua_type(L, index) == LUA_TTABLE) {
        return;
    }
    if (lua_getmetatable(L, index)) {
        bool is_like_list = has_field(L, first) && (second == NULL || has_field(L, second));
        lua_pop(L, 1);
        if (is_like_list) {
            return;
        }
    }
    luaL_checktype(L, index, LUA_TTABLE);
}

/* What is put together: elements of the list, as far as they are not yet on the stack. */
struct rest {
    lua_Integer first;
    lua_Integer last;
    const char *separator; /* borrowed from the stack */
    size_t separator_len;
    size_t done; /* length of the pieces before */
};

static void check_len(lua_State *L, const struct rest *rest)
{
    if (rest->done > STDLIB_STRING_MAX) {
        luaL_error(L, "resulting string too large (table.concat makes at most %d MiB)",
                   STDLIB_STRING_MAX / 1024 / 1024);
    }
}

static void push_result(lua_State *L, struct rest *rest, luaL_Buffer *buf)
{
    rest->done += luaL_bufflen(buf);
    check_len(L, rest);
    luaL_pushresult(buf);
}

/* A long string on the top needs no copy: it is a piece itself, behind the one that has been begun. */
static bool push_long(lua_State *L, struct rest *rest, luaL_Buffer *buf, lua_Integer i)
{
    lua_replace(L, CONCAT_FIRST); /* the buffer is to be on the top */
    push_result(L, rest, buf);
    lua_pushvalue(L, CONCAT_FIRST);
    rest->done += lua_rawlen(L, -1);
    check_len(L, rest);
    if (i == rest->last) {
        return true;
    }
    rest->first = i + 1;
    return false;
}

/* Pushes one piece of the result, with a separator behind it unless it is the last one; returns whether it is. */
static bool push_piece(lua_State *L, struct rest *rest)
{
    luaL_Buffer buf;
    luaL_buffinit(L, &buf);
    lua_Integer i = rest->first;
    for (int count = 0; count < PIECE && luaL_bufflen(&buf) < PIECE_BYTES; count++, i++) {
        (void)lua_geti(L, CONCAT_LIST, i);
        if (!lua_isstring(L, -1)) {
            luaL_error(L, "invalid value (%s) at index %I in table for 'concat'",
                       luaL_typename(L, -1), (LUAI_UACINT)i);
        }
        if (lua_rawlen(L, -1) >= LONG_BYTES && (i == rest->last || rest->separator_len == 0)) {
            return push_long(L, rest, &buf, i);
        }
        luaL_addvalue(&buf);
        if (i == rest->last) {
            push_result(L, rest, &buf);
            return true;
        }
        luaL_addlstring(&buf, rest->separator, rest->separator_len);
    }
    rest->first = i;
    push_result(L, rest, &buf);
    return false;
}

static int concat_on(lua_State *L, int status, lua_KContext context);

/* Stores on the stack what concat_on needs. */
static void keep_rest(lua_State *L, const struct rest *rest)
{
    if (lua_isnil(L, CONCAT_SEPARATOR)) {
        lua_pushliteral(L, "");
        lua_replace(L, CONCAT_SEPARATOR);
    }
    lua_pushinteger(L, rest->last);
    lua_replace(L, CONCAT_LAST);
    lua_pushinteger(L, (lua_Integer)rest->done);
    lua_replace(L, CONCAT_LEN);
}

static int concat(lua_State *L, struct rest *rest)
{
    while (!push_piece(L, rest)) {
        keep_rest(L, rest);
        luaL_checkstack(L, LUA_MINSTACK, "too many elements");
        breath_take(L, rest->first, concat_on);
    }
    int count = lua_gettop(L) - CONCAT_LEN;
    return count > 1 ? room_join(L, count) : 1;
}

/* The context is the index of the element that comes next. */
static int concat_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct rest rest = {.first = context, .last = lua_tointeger(L, CONCAT_LAST)};
    rest.separator = lua_tolstring(L, CONCAT_SEPARATOR, &rest.separator_len);
    rest.done = (size_t)lua_tointeger(L, CONCAT_LEN);
    return concat(L, &rest);
}

int array_concat(lua_State *L)
{
    struct rest rest = {.done = 0};
    check_list(L, CONCAT_LIST, "__index", "__len");
    lua_Integer len = luaL_len(L, CONCAT_LIST);
    rest.separator = luaL_optlstring(L, CONCAT_SEPARATOR, "", &rest.separator_len);
    rest.first = luaL_optinteger(L, CONCAT_FIRST, 1);
    rest.last = luaL_optinteger(L, CONCAT_LAST, len);
    if (rest.first > rest.last) {
        lua_pushliteral(L, "");
        return 1;
    }
    lua_settop(L, CONCAT_LEN);
    return concat(L, &rest);
}

/* The context is how many elements have been moved. */
static int move_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    lua_Integer first = lua_tointeger(L, MOVE_FIRST);
    lua_Integer last = lua_tointeger(L, MOVE_LAST);
    lua_Integer place = lua_tointeger(L, MOVE_PLACE);
    bool backwards = lua_toboolean(L, MOVE_BACKWARDS) != 0;
    lua_Integer until_breath = PIECE;
    for (lua_Integer done = context; done <= last - first; done++) {
        lua_Integer offset = backwards ? last - first - done : done;
        if (until_breath-- == 0) {
            until_breath = PIECE;
            breath_take(L, done, move_on);
        }
        (void)lua_geti(L, MOVE_FROM, first + offset);
        lua_seti(L, MOVE_TO, place + offset);
    }
    lua_pushvalue(L, MOVE_TO);
    return 1;
}

int array_move(lua_State *L)
{
    lua_Integer first = luaL_checkinteger(L, MOVE_FIRST);
    lua_Integer last = luaL_checkinteger(L, MOVE_LAST);
    lua_Integer place = luaL_checkinteger(L, MOVE_PLACE);
    int to = lua_isnoneornil(L, MOVE_TO) ? MOVE_FROM : MOVE_TO;
    check_list(L, MOVE_FROM, "__index", NULL);
    check_list(L, to, "__newindex", NULL);
    lua_settop(L, MOVE_TO);
    if (to == MOVE_FROM) {
        lua_pushvalue(L, MOVE_FROM);
        lua_replace(L, MOVE_TO);
    }
    if (last < first) {
        return 1;
    }
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, MOVE_LAST,
                  "too many elements to move");
    luaL_argcheck(L, place <= LUA_MAXINTEGER - (last - first), MOVE_PLACE,
                  "destination wrap around");
    bool overlaps = place <= last && place > first &&
                    (to == MOVE_FROM || lua_compare(L, MOVE_FROM, MOVE_TO, LUA_OPEQ));
    lua_pushboolean(L, overlaps);
    return move_on(L, LUA_OK, 0);
}

/* Upvalue 1: Lua's own function, which has none itself and so can be run in our place.  For what is no table. */
static int run_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Moves the elements from first on by one place, and goes on with next: few here, many in pieces.  There may be none. */
static int shift(lua_State *L, lua_Integer first, lua_Integer last, lua_Integer to,
                 lua_KFunction next)
{
    if (last - first < PIECE) {
        for (lua_Integer i = 0; i <= last - first; i++) {
            lua_Integer offset = to > first ? last - first - i : i;
            (void)lua_geti(L, SHIFT_LIST, first + offset);
            lua_seti(L, SHIFT_LIST, to + offset);
        }
        return next(L, LUA_OK, 0);
    }
    lua_pushcfunction(L, array_move);
    lua_pushvalue(L, SHIFT_LIST);
    lua_pushinteger(L, first);
    lua_pushinteger(L, last);
    lua_pushinteger(L, to);
    lua_callk(L, 4, 0, 0, next);
    return next(L, LUA_OK, 0);
}

static int on_room_made(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_pushvalue(L, SHIFT_VALUE);
    lua_seti(L, SHIFT_LIST, lua_tointeger(L, SHIFT_PLACE));
    return 0;
}

int array_insert(lua_State *L)
{
    int count = lua_gettop(L);
    if (lua_type(L, SHIFT_LIST) != LUA_TTABLE || (count != 2 && count != SHIFT_VALUE)) {
        return run_original(L);
    }
    /* wraps around behind the largest integer that a __len can give, as Lua's own does */
    lua_Integer end = (lua_Integer)((lua_Unsigned)luaL_len(L, SHIFT_LIST) + 1);
    if (count == 2) {
        lua_seti(L, SHIFT_LIST, end);
        return 0;
    }
    lua_Integer place = luaL_checkinteger(L, SHIFT_PLACE);
    luaL_argcheck(L, (lua_Unsigned)place - 1 < (lua_Unsigned)end, SHIFT_PLACE,
                  "position out of bounds");
    return end > place ? shift(L, place, end - 1, place + 1, on_room_made)
                       : on_room_made(L, LUA_OK, 0);
}

static int on_gap_closed(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_pushnil(L);
    lua_seti(L, SHIFT_LIST, lua_tointeger(L, SHIFT_LAST));
    lua_settop(L, SHIFT_VALUE);
    return 1;
}

int array_remove(lua_State *L)
{
    if (lua_type(L, SHIFT_LIST) != LUA_TTABLE) {
        return run_original(L);
    }
    lua_Integer len = luaL_len(L, SHIFT_LIST);
    lua_Integer place = luaL_optinteger(L, SHIFT_PLACE, len);
    /* one behind the last is a place as well; it is the first argument that Lua 5.4.4 complains about */
    luaL_argcheck(L, place == len || (lua_Unsigned)place - 1 <= (lua_Unsigned)len, SHIFT_LIST,
                  "position out of bounds");
    lua_settop(L, SHIFT_PLACE);
    (void)lua_geti(L, SHIFT_LIST, place);
    lua_pushinteger(L, place < len ? len : place);
    return place < len ? shift(L, place + 1, len, place, on_gap_closed)
                       : on_gap_closed(L, LUA_OK, 0);
}
