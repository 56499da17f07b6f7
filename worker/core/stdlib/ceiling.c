/* ceiling.c - functions that work through a format in one go: os.date and the three of string.pack.
 * Owns nothing.  What they do for one item of a format takes well below a microsecond, so a limit on the format's length is one
 * on their time; padding, of which a few bytes of a format can ask for any amount, has a limit of its own.
 * Called by Lua. */
#include "worker/core/stdlib/ceiling.h"

#include <lauxlib.h>
#include <stddef.h>

enum {
    FORMAT_MAX = 64 * 1024,
    FILL_MAX = 4 * 1024 * 1024, /* bytes */
};

/* Upvalue: Lua's own function, which has none itself and so can be run in our place. */
static int run_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static void check_len(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING && lua_rawlen(L, 1) > FORMAT_MAX) {
        luaL_argerror(L, 1, "format too long (it may have 65536 bytes)");
    }
}

int ceiling_format(lua_State *L)
{
    check_len(L);
    return run_original(L);
}

/* The number behind a c, which is what it fills; other numbers are at most 16. */
static size_t read_size(const char *text)
{
    size_t size = 0;
    for (; *text >= '0' && *text <= '9' && size <= FILL_MAX; text++) {
        size = size * 10 + (size_t)(*text - '0');
    }
    return size;
}

int ceiling_pack(lua_State *L)
{
    check_len(L);
    const char *format = luaL_checkstring(L, 1);
    size_t fill = 0;
    for (; *format != '\0' && fill <= FILL_MAX; format++) {
        fill += *format == 'c' ? read_size(format + 1) : 0;
    }
    if (fill > FILL_MAX) {
        luaL_argerror(L, 1, "strings of fixed size may have 4 MiB together");
    }
    return run_original(L);
}
