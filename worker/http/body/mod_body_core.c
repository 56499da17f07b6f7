/* mod_body_core.c - what the methods in Lua need to read bodies, require "fsd.body.core".  Each that takes req takes it first:
 *   core.length(req) -> bytes of the body                          core.slice(req, first, len) -> string; first counts from 0
 *   core.limit(req) -> bytes that a body may have                  core.has_body(req) -> whether there is one, maybe empty
 *   core.is_inflated(req) -> boolean
 *   core.inflate(req, "gzip"|"deflate", limit)                     from then on the body is what came out
 *   core.json(req, keep_null, strict, depth) -> value              core.form, core.form_nested, core.nest: body_form.c
 *   core.parts, core.next_part: body_parts.c                       core.create ... core.keep: body_file.c
 *   core.header(req, name) -> string or nil                        core.media_type(text) -> "text/html", "" for none
 *   core.media_fits(type, pattern) -> boolean                      core.parameter(text, name) -> string or nil
 *   core.size(text) -> bytes or nil                                "100kb", "1MiB", "2.5 mb": powers of 1024
 * Owns nothing.  Called by lua/fsd/http.  Must not know options and defaults. */
#include "worker/http/body/mod_body_core.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/collector.h"
#include "worker/http/body/body_bytes.h"
#include "worker/http/body/body_file.h"
#include "worker/http/body/body_form.h"
#include "worker/http/body/body_inflate.h"
#include "worker/http/body/body_json.h"
#include "worker/http/body/body_parameters.h"
#include "worker/http/body/body_parts.h"
#include "worker/http/body/byte_size.h"
#include "worker/http/exchange.h"
#include "worker/http/request/request.h"
#include "worker/http/text/media_type.h"

static int length(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)body_bytes(L).len);
    return 1;
}

static int limit(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)body_bytes_limit(L));
    return 1;
}

static int has_body(lua_State *L)
{
    const struct view *view = &request_check(L)->view;
    lua_pushboolean(L,
                    view->has_content_length || view->has_transfer_encoding || view->body.len > 0);
    return 1;
}

static int is_inflated(lua_State *L)
{
    lua_pushboolean(L, body_bytes_are_kept(L));
    return 1;
}

static int slice(lua_State *L)
{
    struct body_text body = body_bytes(L);
    size_t first = (size_t)luaL_checkinteger(L, 2);
    size_t len = (size_t)luaL_checkinteger(L, 3);
    luaL_argcheck(L, first <= body.len && len <= body.len - first, 3, "is not in the body");
    return collector_settle(L, collector_push_text(L, body.bytes + first, len), 1);
}

static int header(lua_State *L)
{
    struct body_text value = body_bytes_header(L, luaL_checkstring(L, 2));
    if (value.len == 0) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, value.bytes, value.len);
    }
    return 1;
}

static int media_type(lua_State *L)
{
    size_t len = 0;
    const char *text = luaL_checklstring(L, 1, &len);
    char type[MEDIA_TYPE_MAX];
    (void)media_type_parse(text, len, type);
    lua_pushstring(L, type);
    return 1;
}

static int media_fits(lua_State *L)
{
    lua_pushboolean(L, media_type_matches(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
    return 1;
}

static int parameter(lua_State *L)
{
    size_t len = 0;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *name = luaL_checkstring(L, 2);
    struct body_text value;
    char *buf = lua_newuserdatauv(L, len, 0);
    if (body_parameters_find(text, len, name, buf, &value) < 0) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, value.bytes, value.len);
    }
    return 1;
}

static int size(lua_State *L)
{
    size_t len = 0;
    const char *text = luaL_checklstring(L, 1, &len);
    uint64_t bytes = 0;
    if (byte_size_parse(text, len, &bytes) < 0) {
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, (lua_Integer)bytes);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"close", body_file_close},
    {"create", body_file_create},
    {"form", body_form},
    {"form_nested", body_form_nested},
    {"header", header},
    {"inflate", body_inflate},
    {"json", body_json},
    {"keep", body_file_keep},
    {"length", length},
    {"media_fits", media_fits},
    {"media_type", media_type},
    {"next_part", body_next_part},
    {"parameter", parameter},
    {"parts", body_parts},
    {"limit", limit},
    {"has_body", has_body},
    {"is_inflated", is_inflated},
    {"nest", body_form_nest},
    {"size", size},
    {"slice", slice},
    {"temporary", body_file_temporary},
    {"write", body_file_write},
    {NULL, NULL},
};

int luaopen_fsd_body_core(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
