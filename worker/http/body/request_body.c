/* request_body.c - the methods of req that read its body and are in C, because nearly every handler with a body calls them:
 *   req:text([options]) -> string           req:json([options]) -> value
 * Owns nothing.  Without options, and where the body stands there plainly, they end here; everything else, and all other
 * methods, is lua/fsd/http/body.lua.
 * Called from Lua, through the class that request.c makes.  Must not know how JSON is read (body_json.c). */
#include "worker/http/body/request_body.h"

#include <lauxlib.h>

#include "worker/core/collector.h"
#include "worker/http/body/body_bytes.h"
#include "worker/http/body/body_json.h"
#include "worker/http/request/request.h"

static int return_all(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L);
}

int request_body_call(lua_State *L, const char *name)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "fsd.http.body"); /* loaded with fsd.http */
    lua_getfield(L, -1, name);
    lua_replace(L, -3);
    lua_pop(L, 1);
    lua_insert(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, return_all);
    return lua_gettop(L);
}

/* req:text() -> string, "" without a body */
static int request_text(lua_State *L)
{
    struct body_text body = body_bytes(L);
    if (lua_gettop(L) > 1 || !body_bytes_are_plain(L)) {
        return request_body_call(L, "text");
    }
    size_t owed_kb = collector_push_text(L, body.bytes, body.len);
    request_push_store(L);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "body");
    lua_pop(L, 1);
    return collector_settle(L, owed_kb, 1);
}

static const luaL_Reg methods[] = {
    {"text", request_text},
    {"json", body_json_request},
    {NULL, NULL},
};

void request_body_register(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
