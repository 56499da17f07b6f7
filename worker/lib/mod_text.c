/* mod_text.c - fsd.text.core: texts, for fsd's modules in Lua.
 *   text.escape(value) -> string      text.text(value) -> string      text.nearest(word, list) -> string or nil
 * Owns nothing.  escape (for HTML) and text turn what a template writes into a string; nearly all of it needs no change and is
 * returned as it is.  A long text is escaped in pieces, between which others run.  nearest finds what a person meant who has
 * mistyped a name.
 * Called by lua/fsd only.  Must not know what a template is. */
#include "worker/lib/mod_text.h"

#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

#include "common/nearest.h"
#include "worker/core/room.h"
#include "worker/core/stdlib/breath.h"

enum {
    CANDIDATES_MAX = 256,
    PIECE_BYTES = 128 * 1024, /* which are escaped at once: below a millisecond */
};

/* By byte: what stands for it in HTML, in text and in quoted attributes; len 0: itself. */
static const struct entity {
    char text[7];
    uint8_t len;
} entities[256] = {
    ['&'] = {"&amp;", 5},  ['<'] = {"&lt;", 4},   ['>'] = {"&gt;", 4},
    ['"'] = {"&quot;", 6}, ['\''] = {"&#39;", 5},
};

static size_t measure(const char *text, size_t len)
{
    size_t more = 0;
    for (size_t i = 0; i < len; i++) {
        size_t entity_len = entities[(unsigned char)text[i]].len;
        more += entity_len == 0 ? 0 : entity_len - 1;
    }
    return len + more;
}

static void fill(char *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const struct entity *entity = &entities[(unsigned char)text[i]];
        if (entity->len == 0) {
            *to++ = text[i];
            continue;
        }
        memcpy(to, entity->text, entity->len);
        to += entity->len;
    }
}

/* Replaces the value at 1 by its text: nil is nothing, and what only has an address as text is a mistake. */
static void to_text(lua_State *L)
{
    int type = lua_type(L, 1);
    lua_settop(L, 1);
    if (type == LUA_TSTRING) {
        return;
    }
    if (type == LUA_TNIL || type == LUA_TNONE) {
        lua_pushliteral(L, "");
    } else if (type == LUA_TNUMBER || type == LUA_TBOOLEAN ||
               luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) {
        (void)luaL_tolstring(L, 1, NULL);
    } else {
        luaL_error(L, "cannot write a %s into a template", luaL_typename(L, 1));
    }
    lua_replace(L, 1);
    lua_settop(L, 1);
}

static int text_text(lua_State *L)
{
    to_text(L);
    return 1;
}

static void push_escaped(lua_State *L, const char *text, size_t len, size_t needed)
{
    luaL_Buffer buffer;
    fill(luaL_buffinitsize(L, &buffer, needed), text, len);
    luaL_pushresultsize(&buffer, needed);
}

static int escape_on(lua_State *L, int status, lua_KContext context);

static size_t next_part(size_t len, size_t done)
{
    return len - done < PIECE_BYTES ? len - done : PIECE_BYTES;
}

/* The text stands at index 1, above it what has been made of the part of it that is done. */
static int escape_long(lua_State *L, size_t done)
{
    size_t len;
    const char *text = lua_tolstring(L, 1, &len);
    while (done < len) {
        size_t part = next_part(len, done);
        luaL_checkstack(L, LUA_MINSTACK, "text too long");
        push_escaped(L, text + done, part, measure(text + done, part));
        done += part;
        breath_take(L, (lua_KContext)done, escape_on);
    }
    return room_join(L, lua_gettop(L) - 1);
}

static int escape_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    return escape_long(L, (size_t)context);
}

/* Leaves the text as it is, if nothing in it needs more.  The context is how much of it has been looked at. */
static int look_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    size_t len;
    const char *text = lua_tolstring(L, 1, &len);
    for (size_t done = (size_t)context; done < len;) {
        size_t part = next_part(len, done);
        if (measure(text + done, part) > part) {
            return escape_long(L, 0);
        }
        done += part;
        breath_take(L, (lua_KContext)done, look_on);
    }
    return 1;
}

static int text_escape(lua_State *L)
{
    to_text(L);
    size_t len;
    const char *text = lua_tolstring(L, 1, &len);
    if (len > PIECE_BYTES) {
        return look_on(L, LUA_OK, 0);
    }
    size_t needed = measure(text, len);
    if (needed > len) {
        push_escaped(L, text, len, needed);
    }
    return 1;
}

static int text_nearest(lua_State *L)
{
    const char *word = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    const char *candidates[CANDIDATES_MAX];
    size_t count = 0;
    for (lua_Integer i = 1; count < CANDIDATES_MAX && lua_rawgeti(L, 2, i) == LUA_TSTRING; i++) {
        candidates[count++] = lua_tostring(L, -1);
        lua_pop(L, 1); /* the list holds it */
    }
    lua_pushstring(L, nearest_find(word, candidates, count)); /* nil for NULL */
    return 1;
}

static const luaL_Reg functions[] = {
    {"escape", text_escape},
    {"text", text_text},
    {"nearest", text_nearest},
    {NULL, NULL},
};

int luaopen_fsd_text_core(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
