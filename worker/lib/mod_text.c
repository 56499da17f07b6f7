/* mod_text.c - fsd.text.core: texts, for fsd's modules in Lua.
 *   text.escape(value) -> string      text.text(value) -> string      text.nearest(word, list) -> string or nil
 * Owns nothing.  escape (for HTML) and text turn what a template writes into a string; nearly all of it needs no change and is
 * returned as it is.  nearest finds what a person meant who has mistyped a name.
 * Called by lua/fsd only.  Must not know what a template is. */
#include "worker/lib/mod_text.h"

#include <lauxlib.h>
#include <string.h>

#include "common/nearest.h"

enum { CANDIDATES_MAX = 256 };

/* By byte: what stands for it in HTML, in text and in quoted attributes; NULL: itself. */
static const char *const entities[256] = {
    ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
};

static size_t measure(const char *text, size_t len)
{
    size_t more = 0;
    for (size_t i = 0; i < len; i++) {
        const char *entity = entities[(unsigned char)text[i]];
        if (entity != NULL) {
            more += strlen(entity) - 1;
        }
    }
    return len + more;
}

static void fill(char *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char *entity = entities[(unsigned char)text[i]];
        if (entity == NULL) {
            *to++ = text[i];
            continue;
        }
        size_t entity_len = strlen(entity);
        memcpy(to, entity, entity_len); /* NOLINT(bugprone-not-null-terminated-result): a part */
        to += entity_len;
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

static int text_escape(lua_State *L)
{
    to_text(L);
    size_t len;
    const char *text = lua_tolstring(L, 1, &len);
    size_t needed = measure(text, len);
    if (needed == len) {
        return 1;
    }
    luaL_Buffer buffer;
    fill(luaL_buffinitsize(L, &buffer, needed), text, len);
    luaL_pushresultsize(&buffer, needed);
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
