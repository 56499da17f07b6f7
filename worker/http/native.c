/* native.c - handlers that answer without entering Lua.
 *   fsd.respond(body [, { status = 200, type = "text/plain; charset=utf-8" }]) -> handler
 * Owns the class "fsd.Native": a userdata with the finished answer, for health checks, robots.txt and the like.  Static files
 * will be the second kind.  Called while an application loads.  Must not know how an answer is sent (answer.c). */
#include "worker/http/native.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/text/header_text.h"

#define NATIVE_METATABLE "fsd.Native"

const struct native_answer *native_test(lua_State *L, int index)
{
    return luaL_testudata(L, index, NATIVE_METATABLE);
}

static char *copy(const char *bytes, size_t len)
{
    char *text = malloc(len + 1);
    if (text == NULL) {
        abort();
    }
    memcpy(text, bytes, len);
    text[len] = '\0';
    return text;
}

int native_respond(lua_State *L)
{
    size_t len;
    const char *body = luaL_checklstring(L, 1, &len);
    int status = 200;
    size_t type_len = 0;
    const char *type = "text/plain; charset=utf-8";
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        if (lua_getfield(L, 2, "status") != LUA_TNIL) {
            status = (int)luaL_checkinteger(L, -1);
            luaL_argcheck(L, status >= 200 && status <= 599, 2, "status must be 200 to 599");
        }
        if (lua_getfield(L, 2, "type") != LUA_TNIL) {
            type = luaL_checklstring(L, -1, &type_len);
            luaL_argcheck(L, header_text_is_value(type, type_len), 2,
                          "type has control characters");
        }
    }
    struct native_answer *answer = lua_newuserdatauv(L, sizeof(*answer), 0);
    memset(answer, 0, sizeof(*answer));
    luaL_setmetatable(L, NATIVE_METATABLE);
    answer->status = status;
    answer->content_type = copy(type, strlen(type));
    answer->body = copy(body, len);
    answer->len = len;
    return 1;
}

static int native_gc(lua_State *L)
{
    struct native_answer *answer = luaL_checkudata(L, 1, NATIVE_METATABLE);
    free(answer->content_type);
    free(answer->body);
    memset(answer, 0, sizeof(*answer));
    return 0;
}

void native_register(lua_State *L)
{
    luaL_newmetatable(L, NATIVE_METATABLE);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, native_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}
