/* request_body.c - the body of a request, as handlers read it:
 *   req:text() -> string           req:json([options]) -> value
 * Owns nothing: the bytes are libh2o's, until the request is answered or its client has gone.
 * Called from Lua, through the class that request.c makes.  Must not know how JSON is read (core/json). */
#include "worker/http/body/request_body.h"

#include <lauxlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/error.h"
#include "worker/core/json/json_turns.h"
#include "worker/http/exchange.h"
#include "worker/http/request.h"

static h2o_iovec_t check_body(lua_State *L, const struct exchange *exchange)
{
    if (exchange->view.is_kept) {
        error_raise(
            L, "HttpError", exchange->is_client_gone ? "aborted" : "body.gone", 400,
            "the body has gone: read it before answering or waiting for the client to leave");
    }
    return exchange->view.body;
}

/* req:text() -> string, "" without a body */
static int request_text(lua_State *L)
{
    h2o_iovec_t body = check_body(L, request_check(L));
    lua_pushlstring(L, body.base != NULL ? body.base : "", body.len);
    return 1;
}

static int push_decoded(lua_State *L, int result, const struct fsd_err *err)
{
    if (result < 0) {
        error_raise(L, "JsonError", "entity.parse.failed", 400, "%s",
                    request_check(L)->view.body.len == 0 ? "the body is empty, not JSON"
                                                         : err->text);
    }
    return 1;
}

/* Between two turns the client may have gone, and the body with it. */
static void check_still_there(lua_State *L)
{
    (void)check_body(L, request_check(L));
}

/* req:json([{ null = "keep" }]) -> value */
static int request_json(lua_State *L)
{
    static const struct json_turns_calls calls = {check_still_there, push_decoded};
    h2o_iovec_t body = check_body(L, request_check(L));
    struct json_options options = {.keep_null = false};
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        lua_getfield(L, 2, "null");
        options.keep_null =
            lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "keep") == 0;
    }
    return json_turns_decode(L, body.base != NULL ? body.base : "", body.len, &options, &calls);
}

static const luaL_Reg methods[] = {
    {"text", request_text},
    {"json", request_json},
    {NULL, NULL},
};

void request_body_register(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
