/* reading.c - load, with a limit on the text, and a reader that may wait.
 * Owns nothing.  Lua's compiler can't be put aside, and takes 30 to 70 ms for a mebibyte; so longer text is refused.  It calls a reader
 * where nothing can be put aside either, and one in C that never ends would never be interrupted: so the pieces are read before,
 * into one block of memory on the stack that grows by doubling.  Called by Lua. */
#include "worker/core/stdlib/reading.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "worker/core/stdlib/breath.h"

enum {
    TEXT_MAX = 1024 * 1024,
    TEXT_FIRST = 1024,
    CALLS_BETWEEN_BREATHS = 256,
};

/* The arguments of load stand above the reader; then: */
enum { AT_READER = 1, AT_NAME, AT_MODE, AT_ENV, AT_COUNT, AT_TEXT };

/* What was read, in a userdata. */
struct text {
    size_t len;
    size_t room;
    unsigned calls;
    char bytes[];
};

static struct text *push_text(lua_State *L, size_t room)
{
    struct text *text = lua_newuserdatauv(L, sizeof(*text) + room, 0);
    text->len = 0;
    text->room = room;
    text->calls = 0;
    return text;
}

static int fail(lua_State *L, const char *message)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}

static int fail_for_len(lua_State *L)
{
    return fail(L, "chunk too long (load takes at most 1 MiB)");
}

/* Takes the piece on the top. */
static void append(lua_State *L, size_t len, const char *piece)
{
    struct text *text = lua_touserdata(L, AT_TEXT);
    if (text->room - text->len < len) {
        size_t room = text->room * 2 > text->len + len ? text->room * 2 : text->len + len;
        struct text *larger = push_text(L, room);
        larger->len = text->len;
        larger->calls = text->calls;
        memcpy(larger->bytes, text->bytes, text->len);
        lua_replace(L, AT_TEXT);
        text = larger;
    }
    memcpy(text->bytes + text->len, piece, len);
    text->len += len;
    lua_pop(L, 1);
}

static int run_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* The text is complete. */
static int compile(lua_State *L)
{
    const struct text *text = lua_touserdata(L, AT_TEXT);
    int count = (int)lua_tointeger(L, AT_COUNT);
    lua_pushlstring(L, text->bytes, text->len);
    lua_replace(L, AT_READER);
    if (lua_isnil(L, AT_NAME)) {
        lua_pushliteral(L, "=(load)");
        lua_replace(L, AT_NAME);
    }
    lua_settop(L, count);
    return run_original(L);
}

/* Takes the outcome of the reader's call from the top.  true: there is more to read; else the results of load are on the top. */
static bool take_piece(lua_State *L, int status, int *ret_count)
{
    size_t len = 0;
    const struct text *text = lua_touserdata(L, AT_TEXT);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_pushnil(L);
        lua_insert(L, -2);
        *ret_count = 2;
        return false;
    }
    if (!lua_isnil(L, -1) && !lua_isstring(L, -1)) {
        *ret_count = fail(L, "reader function must return a string");
        return false;
    }
    const char *piece = lua_tolstring(L, -1, &len);
    if (len == 0) {
        *ret_count = compile(L);
        return false;
    }
    if (len > TEXT_MAX - text->len) {
        *ret_count = fail_for_len(L);
        return false;
    }
    append(L, len, piece);
    return true;
}

static int read_all(lua_State *L);

static int on_breath(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return read_all(L);
}

static int on_piece(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    int count = 0;
    return take_piece(L, status, &count) ? read_all(L) : count;
}

static int read_all(lua_State *L)
{
    int count = 0;
    int status = LUA_OK;
    do {
        struct text *text = lua_touserdata(L, AT_TEXT);
        text->calls++;
        if (text->calls % CALLS_BETWEEN_BREATHS == 0) {
            breath_take(L, 0, on_breath);
        }
        lua_pushvalue(L, AT_READER);
        status = lua_pcallk(L, 0, 1, 0, 0, on_piece);
    } while (take_piece(L, status, &count));
    return count;
}

int reading_load(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING && lua_rawlen(L, 1) > TEXT_MAX) {
        return fail_for_len(L);
    }
    if (!lua_isfunction(L, AT_READER)) {
        return run_original(L);
    }
    int count = lua_gettop(L) < AT_NAME ? AT_NAME : lua_gettop(L);
    (void)luaL_optstring(L, AT_NAME, NULL);
    (void)luaL_optstring(L, AT_MODE, NULL);
    lua_settop(L, AT_ENV);
    lua_pushinteger(L, count < AT_ENV ? count : AT_ENV);
    (void)push_text(L, TEXT_FIRST);
    return read_all(L);
}
