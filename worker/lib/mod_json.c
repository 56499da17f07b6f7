/* mod_json.c - require "fsd.json":
 *   json.encode(value) -> text
 *   json.decode(text [, {null = "keep"|"absent", max_depth = 1..1000}]) -> value
 *   json.array([t]) -> t         marks t (a new table without it) as an array
 *   json.is_array(value) -> boolean
 *   json.null, json.array_mt
 * Owns one buffer per lua_State, a userdata and upvalue of encode: it outlives a raised error and
 * grows once for many documents; a large one is given back.
 * Failures raise JsonError, json.decode with status 400 and json.encode with status 500.
 * Must not know how JSON is written or read (json.h). */
#include "worker/lib/mod_json.h"

#include <lauxlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/collector.h"
#include "worker/core/error.h"
#include "worker/core/holding.h"
#include "worker/core/json/json.h"
#include "worker/core/json/json_turns.h"
#include "worker/core/room.h"
#include "worker/core/value.h"

enum {
    KEEP_BYTES = 256 * 1024, /* of the buffer between two documents */
    STATUS_BAD_REQUEST = 400,
    STATUS_INTERNAL_ERROR = 500,
};

static const char buffer_metatable[] = "fsd.json.buffer";

struct buffer {
    struct json_buf buf; /* first: what encode has */
    struct holding holding;
};

static void clear_buffer(lua_State *L, struct buffer *buffer)
{
    json_buf_fini(&buffer->buf);
    holding_clear(L, &buffer->holding);
}

static int buffer_gc(lua_State *L)
{
    clear_buffer(L, luaL_checkudata(L, 1, buffer_metatable));
    return 0;
}

static struct buffer *push_buffer(lua_State *L)
{
    struct buffer *buf = lua_newuserdatauv(L, sizeof(*buf), 0);
    *buf = (struct buffer){0};
    json_buf_init(&buf->buf);
    if (luaL_newmetatable(L, buffer_metatable)) {
        lua_pushcfunction(L, buffer_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return buf;
}

/* The context is where the buffer stands; the room is on the top. */
static int push_long(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct buffer *buffer = lua_touserdata(L, (int)context);
    room_lend(L, -1);
    size_t owed_kb = collector_push_text(L, buffer->buf.data, buffer->buf.len);
    clear_buffer(L, buffer);
    return collector_settle(L, owed_kb, 1);
}

/* Takes over what is in the buffer, which others may write into meanwhile. */
static int return_long(lua_State *L, struct json_buf *buf)
{
    luaL_checkstack(L, LUA_MINSTACK, "no room for JSON");
    struct buffer *kept = push_buffer(L);
    kept->buf = *buf;
    json_buf_init(buf);
    holding_set(L, &kept->holding, kept->buf.len);
    return room_prepare(L, kept->buf.len, lua_gettop(L), push_long);
}

static int push_encoded(lua_State *L, int result, struct json_buf *buf, const struct fsd_err *err)
{
    if (result < 0) {
        error_raise(L, "JsonError", "json.encode", STATUS_INTERNAL_ERROR, "%s", err->text);
    }
    if (buf->len > KEEP_BYTES) {
        return return_long(L, buf);
    }
    size_t owed_kb = collector_push_text(L, buf->data, buf->len);
    json_buf_reset(buf, KEEP_BYTES);
    return collector_settle(L, owed_kb, 1);
}

static int encode(lua_State *L)
{
    struct json_buf *buf = lua_touserdata(L, lua_upvalueindex(1));
    luaL_checkany(L, 1);
    json_buf_reset(buf, KEEP_BYTES); /* here, since pushing the text may raise */
    return json_turns_encode(L, 1, buf, push_encoded);
}

static void read_options(lua_State *L, int index, struct json_options *options)
{
    static const char *const null_names[] = {"absent", "keep", NULL};
    if (lua_isnoneornil(L, index)) {
        return;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    lua_getfield(L, index, "null");
    options->keep_null = luaL_checkoption(L, -1, "absent", null_names) == 1;
    lua_getfield(L, index, "max_depth");
    lua_Integer max_depth = luaL_optinteger(L, -1, JSON_DEPTH_DEFAULT);
    luaL_argcheck(L, max_depth >= 1 && max_depth <= JSON_DEPTH_MAX, index,
                  "max_depth must be between 1 and 1000");
    options->max_depth = (unsigned)max_depth;
    lua_pop(L, 2);
}

static int push_decoded(lua_State *L, int result, const struct fsd_err *err)
{
    if (result < 0) {
        error_raise(L, "JsonError", "json.decode", STATUS_BAD_REQUEST, "%s", err->text);
    }
    return 1;
}

static int decode(lua_State *L)
{
    static const struct json_turns_calls calls = {NULL, push_decoded};
    struct json_options options = {0};
    size_t len = 0;
    luaL_checktype(L, 1, LUA_TSTRING); /* it stays on the stack, and so does the text */
    const char *text = lua_tolstring(L, 1, &len);
    read_options(L, 2, &options);
    return json_turns_decode(L, text, len, &options, &calls);
}

static int array(lua_State *L)
{
    if (lua_isnone(L, 1)) {
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    bool has_metatable = lua_getmetatable(L, 1) != 0;
    luaL_argcheck(L, !has_metatable || value_is_array(L, 1), 1, "has another metatable");
    value_push_array_mark(L);
    lua_setmetatable(L, 1);
    lua_settop(L, 1);
    return 1;
}

static int is_array(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, value_is_array(L, 1));
    return 1;
}

static int null_tostring(lua_State *L)
{
    if (lua_touserdata(L, 1) == NULL) {
        lua_pushliteral(L, "null");
    } else {
        lua_pushfstring(L, "userdata: %p", lua_touserdata(L, 1));
    }
    return 1;
}

/* All light userdata share one metatable; an application's own is left alone. */
static void push_null(lua_State *L)
{
    lua_pushlightuserdata(L, NULL);
    if (!lua_getmetatable(L, -1)) {
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, null_tostring);
        lua_setfield(L, -2, "__tostring");
        lua_pushvalue(L, -1);
        lua_setmetatable(L, -3);
    }
    lua_pop(L, 1);
}

static const luaL_Reg functions[] = {
    {"decode", decode},
    {"array", array},
    {"is_array", is_array},
    {NULL, NULL},
};

int luaopen_fsd_json(lua_State *L)
{
    luaL_newlib(L, functions);
    (void)push_buffer(L);
    lua_pushcclosure(L, encode, 1);
    lua_setfield(L, -2, "encode");
    push_null(L);
    lua_setfield(L, -2, "null");
    value_push_array_mark(L);
    lua_setfield(L, -2, "array_mt");
    return 1;
}
