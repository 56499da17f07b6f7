/* body_json.c - JSON of a body: req:json([options]), and core.json(req, keep_null, strict, depth).
 * Owns nothing.  What most handlers do, req:json() of a small plain body, is done here; whatever needs more goes to
 * lua/fsd/http/body.lua, which comes back with core.json.
 * Called from Lua.  Must not know how JSON is read (core/json). */
#include "worker/http/body/body_json.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "common/err.h"
#include "worker/core/error.h"
#include "worker/core/json/json_turns.h"
#include "worker/http/body/body_bytes.h"
#include "worker/http/body/request_body.h"
#include "worker/http/request/request.h"

enum { AT_KEEP_NULL = 2, AT_STRICT, AT_DEPTH };

static int push_decoded(lua_State *L, int result, const struct fsd_err *err)
{
    if (result < 0) {
        error_raise(L, "JsonError", "entity.parse.failed", 400, "%s",
                    body_bytes(L).len == 0 ? "the body is empty, not JSON" : err->text);
    }
    return 1;
}

/* Between two turns the client may have gone, and the body with it. */
static void check_still_there(lua_State *L)
{
    (void)body_bytes(L);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool begins_table(struct body_text body)
{
    size_t at = 0;
    while (at < body.len && is_blank(body.bytes[at])) {
        at++;
    }
    return at < body.len && (body.bytes[at] == '{' || body.bytes[at] == '[');
}

int body_json(lua_State *L)
{
    struct body_text body = body_bytes(L);
    bool keep_null = lua_toboolean(L, AT_KEEP_NULL);
    if (lua_toboolean(L, AT_STRICT) && body.len > 0 && !begins_table(body)) {
        error_raise(L, "JsonError", "entity.parse.failed", 400,
                    "the body is neither a JSON object nor a list");
    }
    lua_Integer depth = luaL_checkinteger(L, AT_DEPTH);
    luaL_argcheck(L, depth >= 1 && depth <= JSON_DEPTH_MAX, AT_DEPTH, "must be between 1 and 1000");
    static const struct json_turns_calls calls = {check_still_there, push_decoded};
    const struct json_options options = {.keep_null = keep_null, .max_depth = (unsigned)depth};
    return json_turns_decode(L, body.bytes, body.len, &options, &calls);
}

static int push_kept(lua_State *L, int result, const struct fsd_err *err)
{
    (void)push_decoded(L, result, err);
    request_push_store(L);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "body");
    lua_pop(L, 1);
    return 1;
}

int body_json_request(lua_State *L)
{
    if (lua_gettop(L) == 1) {
        struct body_text body = body_bytes(L);
        if (body.len <= BODY_JSON_LIMIT && body_bytes_are_plain(L)) {
            static const struct json_turns_calls calls = {check_still_there, push_kept};
            static const struct json_options options = {.max_depth = BODY_JSON_DEPTH};
            return json_turns_decode(L, body.bytes, body.len, &options, &calls);
        }
    }
    return request_body_call(L, "json");
}
