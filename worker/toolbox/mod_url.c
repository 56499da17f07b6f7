/* mod_url.c - what fsd.url (lua/fsd/url.lua) has in C.
 *   core.split(text) -> scheme, user, host, port, path, query, fragment (nil for what is not there); or false and the place
 *   core.resolve(base, reference) -> text; or false, 1 or 2, and the place
 *   core.encode(text, "component" | "whole" | "form") -> text
 *   core.decode(text, "component" | "form") -> text; or nil and the place
 * Owns nothing; url.c knows the rules.  Texts are short: each is done in one go, and its length is limited. */
#include "worker/toolbox/mod_url.h"

#include <lauxlib.h>

#include "worker/toolbox/url.h"

enum { TEXT_BYTES_MAX = 1024 * 1024 };

static const char *check_text(lua_State *L, int index, size_t *ret_len)
{
    const char *text = luaL_checklstring(L, index, ret_len);
    luaL_argcheck(L, *ret_len <= TEXT_BYTES_MAX, index, "too long (1 MiB at most)");
    return text;
}

static enum url_set check_set(lua_State *L)
{
    static const char *const names[] = {"component", "whole", "form", NULL};
    return (enum url_set)luaL_checkoption(L, 2, "component", names);
}

static void push_part(lua_State *L, const struct url_text *part)
{
    if (part->bytes == NULL) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, part->bytes, part->len);
    }
}

static int split(lua_State *L)
{
    struct url url;
    size_t bad = 0;
    size_t len;
    const char *text = check_text(L, 1, &len);
    if (!url_parse(text, len, &url, &bad)) {
        lua_pushboolean(L, false);
        lua_pushinteger(L, (lua_Integer)bad + 1);
        return 2;
    }
    push_part(L, &url.scheme);
    push_part(L, &url.user);
    push_part(L, &url.host);
    push_part(L, &url.port);
    push_part(L, &url.path);
    push_part(L, &url.query);
    push_part(L, &url.fragment);
    return 7;
}

static int resolve(lua_State *L)
{
    struct url urls[2];
    size_t lens[2];
    luaL_Buffer buf;
    for (int i = 0; i < 2; i++) {
        size_t bad = 0;
        const char *text = check_text(L, i + 1, &lens[i]);
        if (!url_parse(text, lens[i], &urls[i], &bad)) {
            lua_pushboolean(L, false);
            lua_pushinteger(L, i + 1);
            lua_pushinteger(L, (lua_Integer)bad + 1);
            return 3;
        }
    }
    char *out = luaL_buffinitsize(L, &buf, lens[0] + lens[1] + 8);
    luaL_pushresultsize(&buf, url_resolve(&urls[0], &urls[1], out));
    return 1;
}

static int encode(lua_State *L)
{
    luaL_Buffer buf;
    size_t len;
    const char *text = check_text(L, 1, &len);
    enum url_set set = check_set(L);
    char *out = luaL_buffinitsize(L, &buf, 3 * len);
    luaL_pushresultsize(&buf, url_encode(text, len, set, out));
    return 1;
}

static int decode(lua_State *L)
{
    luaL_Buffer buf;
    size_t len;
    size_t written = 0;
    const char *text = check_text(L, 1, &len);
    enum url_set set = check_set(L);
    char *out = luaL_buffinitsize(L, &buf, len);
    if (!url_decode(text, len, set, out, &written)) {
        lua_pushnil(L);
        lua_pushinteger(L, (lua_Integer)written + 1);
        return 2;
    }
    luaL_pushresultsize(&buf, written);
    return 1;
}

static const luaL_Reg functions[] = {
    {"split", split}, {"resolve", resolve}, {"encode", encode}, {"decode", decode}, {NULL, NULL},
};

int luaopen_fsd_url_core(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
