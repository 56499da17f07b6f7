/* format.c - string.format of long formats, and with long values.
 * Owns nothing.  A conversion takes up to 8 microseconds (%.99f of a large number), a mebibyte of text 2 ms: so a long format is cut
 * into pieces that Lua's own function works on one by one, and the results are put together at the end.  A message about a wrong
 * value counts the arguments of its piece.  A single conversion that takes long is %q alone, which looks at each byte: its value
 * has a limit.  Called by Lua. */
#include "worker/core/stdlib/format.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "worker/core/stdlib/breath.h"

enum {
    SHORT_BYTES = 512, /* a format that is done at once, without a look */
    PIECE_BYTES = 256 * 1024,
    PIECE_CONVERSIONS = 1024,
    QUOTED_MAX = 4 * 1024 * 1024,
};

/* Part of a format. */
struct piece {
    size_t end;          /* in the format */
    int conversions;     /* those that take an argument */
    bool has_long_quote; /* a %q whose value is too long */
};

/* Upvalue 1: Lua's own function, which has none itself and so can be run in our place. */
static int run_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Behind the letter of the conversion that begins at at, or the end. */
static size_t skip_conversion(const char *text, size_t len, size_t at)
{
    size_t width = strspn(text + at + 1, "-+ #0123456789.");
    return at + width + 2 < len ? at + width + 2 : len;
}

static bool is_long(lua_State *L, int index)
{
    return lua_type(L, index) == LUA_TSTRING && lua_rawlen(L, index) > QUOTED_MAX;
}

/* The piece that begins at begin; argument is the index of its first one. */
static struct piece read_piece(lua_State *L, size_t begin, int argument)
{
    size_t len;
    const char *text = lua_tolstring(L, 1, &len);
    size_t limit = len - begin < PIECE_BYTES ? len : begin + PIECE_BYTES;
    struct piece piece = {.end = begin};
    while (piece.end < limit && piece.conversions < PIECE_CONVERSIONS) {
        const char *found = memchr(text + piece.end, '%', limit - piece.end);
        if (found == NULL) {
            piece.end = limit;
            break;
        }
        piece.end = skip_conversion(text, len, (size_t)(found - text));
        if (text[piece.end - 1] == '%') {
            continue; /* itself */
        }
        piece.has_long_quote |=
            text[piece.end - 1] == 'q' && is_long(L, argument + piece.conversions);
        piece.conversions++;
    }
    return piece;
}

static void check_quotes(lua_State *L, const struct piece *piece)
{
    if (piece->has_long_quote) {
        luaL_error(L, "string too long for '%%q' (it may have 4 MiB)");
    }
}

/* Where things stand: the format, this, the arguments, and then the results of the pieces. */
struct progress {
    size_t begin; /* in the format: of the next piece */
    int next;     /* argument */
    int last;
};

enum { AT_FORMAT = 1, AT_PROGRESS, AT_ARGUMENTS };

static int format_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct progress *progress = lua_touserdata(L, AT_PROGRESS);
    size_t len;
    const char *text = lua_tolstring(L, AT_FORMAT, &len);
    while (progress->begin < len) {
        struct piece piece = read_piece(L, progress->begin, progress->next);
        check_quotes(L, &piece);
        luaL_checkstack(L, piece.conversions + LUA_MINSTACK, "too many arguments");
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushlstring(L, text + progress->begin, piece.end - progress->begin);
        int given = 0;
        for (; given < piece.conversions && progress->next <= progress->last; given++) {
            lua_pushvalue(L, progress->next++);
        }
        lua_call(L, given + 1, 1);
        progress->begin = piece.end;
        breath_take(L, 0, format_on);
    }
    lua_concat(L, lua_gettop(L) - progress->last);
    return 1;
}

static bool has_long(lua_State *L)
{
    bool has = false;
    for (int i = lua_gettop(L); i > 1 && !has; i--) {
        has = is_long(L, i);
    }
    return has;
}

int format_call(lua_State *L)
{
    if (lua_type(L, AT_FORMAT) != LUA_TSTRING ||
        (lua_rawlen(L, AT_FORMAT) <= SHORT_BYTES && !has_long(L))) {
        return run_original(L);
    }
    struct piece whole = read_piece(L, 0, 2);
    check_quotes(L, &whole);
    if (whole.end == lua_rawlen(L, AT_FORMAT)) {
        return run_original(L);
    }
    luaL_checkstack(L, LUA_MINSTACK, "too many arguments");
    struct progress *progress = lua_newuserdatauv(L, sizeof(*progress), 0);
    lua_insert(L, AT_PROGRESS);
    *progress = (struct progress){0, AT_ARGUMENTS, lua_gettop(L)};
    return format_on(L, LUA_OK, 0);
}
