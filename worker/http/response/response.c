/* response.c - res, as handlers see it: the class, and its status.
 *   res:status(code) -> res      res.status_code (may be set)      res.headers_sent      res.req  res.app  res.locals
 *   headers: response_headers.c, response_fields.c      answers: response_send.c, response_redirect.c
 *   in pieces: stream/response_stream.c      events: stream/events.c      in Lua: lua/fsd/http/response.lua
 * Owns the class "fsd.Response": a userdata (struct http_object).  When the client has gone, setters and senders
 * do nothing: there is nobody to tell.  Nor do setters when new code goes on with a stream whose head has left (resume.c).
 * Called by dispatch.c.  Must not know how an answer leaves (answer.c). */
#include "worker/http/response/response.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/http/cookies.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/file/send_file.h"
#include "worker/http/relation.h"
#include "worker/http/response/response_detach.h"
#include "worker/http/response/response_fields.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/response/response_redirect.h"
#include "worker/http/response/response_send.h"
#include "worker/http/stream/events.h"
#include "worker/http/stream/response_stream.h"
#include "worker/http/stream/trailers.h"

/* Numbers in the upvalue of __index. */
enum field { FIELD_STATUS_CODE = 1, FIELD_HEADERS_SENT, FIELD_REQ, FIELD_APP, FIELD_LOCALS };

/* User values: a table of what the application stores, made on demand, and req. */
enum { RESPONSE_STORE = 1, RESPONSE_REQUEST, RESPONSE_VALUES = RESPONSE_REQUEST };

void response_push(lua_State *L, struct exchange *exchange)
{
    struct http_object *object = lua_newuserdatauv(L, sizeof(*object), RESPONSE_VALUES);
    object->kind = HTTP_RESPONSE;
    object->exchange = exchange;
    exchange->response = object;
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->edition->response_ref);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -2);
    lua_setiuservalue(L, -2, RESPONSE_REQUEST);
}

struct exchange *response_check(lua_State *L)
{
    struct http_object *object = lua_touserdata(L, 1);
    if (object == NULL || lua_rawlen(L, 1) != sizeof(*object) || object->kind != HTTP_RESPONSE) {
        luaL_error(L, "expected res as first argument: call res:method(...) with a colon");
        __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
    }
    if (object->exchange == NULL) {
        luaL_error(L, "this request is over: its answer was sent when the handler ended");
    }
    return object->exchange;
}

bool response_is_open(lua_State *L, const struct exchange *exchange)
{
    if (exchange->is_client_gone) {
        return false;
    }
    if (exchange->state != EXCHANGE_OPEN) {
        error_raise(L, "HttpError", "headers_sent", 500, "the %s was given already (status %d)",
                    exchange->state == EXCHANGE_STREAMING ? "head of the answer" : "answer",
                    exchange->status);
    }
    return true;
}

static int response_status(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    int status = response_send_check_status(L, 2);
    if (response_is_open(L, exchange)) {
        exchange->status = status;
    }
    lua_settop(L, 1);
    return 1;
}

bool response_result_is_table(lua_State *L, const struct exchange *exchange)
{
    return lua_type(L, -1) == LUA_TTABLE && exchange->state == EXCHANGE_OPEN;
}

void response_take_result(lua_State *L, struct exchange *exchange)
{
    if (lua_isnil(L, -1) || exchange->state != EXCHANGE_OPEN ||
        lua_touserdata(L, -1) == exchange->response) {
        return;
    }
    if (!lua_isinteger(L, -1)) {
        response_send_value(L, exchange, lua_gettop(L));
        return;
    }
    lua_Integer status = lua_tointeger(L, -1);
    if (status < 200 || status > 599) {
        luaL_error(L, "a handler returned %I: a number must be an HTTP status, 200 to 599", status);
    }
    response_send_reason(L, exchange, (int)status);
}

static const luaL_Reg methods[] = {
    {"status", response_status},
    {"set", response_headers_set},
    {"header", response_headers_set},
    {"get", response_headers_get},
    {"append", response_headers_append},
    {"unset", response_headers_unset},
    {"has", response_headers_has},
    {"type", response_fields_type},
    {"content_type", response_fields_type},
    {"location", response_fields_location},
    {"vary", response_fields_vary},
    {"links", response_fields_links},
    {"attachment", response_fields_attachment},
    {"no_compress", response_fields_no_compress},
    {"cookie", cookies_set},
    {"clear_cookie", cookies_clear},
    {"send", response_send},
    {"json", response_send_json},
    {"finish", response_send_finish},
    {"send_status", response_send_status},
    {"redirect", response_redirect},
    {"send_file", send_file},
    {"download", send_file_download},
    {"write", response_stream_write},
    {"flush", response_stream_flush},
    {"sse", events_open},
    {"detach", response_detach},
    {"trailer", trailers_add},
    {NULL, NULL},
};

/* The table of what the application stores, made on demand. */
static void push_store(lua_State *L)
{
    if (lua_getiuservalue(L, 1, RESPONSE_STORE) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, 1, RESPONSE_STORE);
    }
}

/* res.locals: what views see; made on demand. */
static void push_locals(lua_State *L)
{
    push_store(L);
    if (lua_getfield(L, -1, "locals") == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, "locals");
    }
}

static void push_field(lua_State *L, struct exchange *exchange, enum field field)
{
    switch (field) {
    case FIELD_STATUS_CODE:
        lua_pushinteger(L, exchange->status);
        break;
    case FIELD_HEADERS_SENT:
        lua_pushboolean(L, exchange->state != EXCHANGE_OPEN);
        break;
    case FIELD_REQ:
        (void)lua_getiuservalue(L, 1, RESPONSE_REQUEST);
        break;
    case FIELD_APP:
        relation_push_app(L, exchange);
        break;
    case FIELD_LOCALS:
        push_locals(L);
        break;
    }
}

/* Upvalue: the table of methods and fields. */
static int response_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    int type = lua_rawget(L, lua_upvalueindex(1));
    if (type == LUA_TFUNCTION) {
        return 1;
    }
    struct exchange *exchange = response_check(L);
    if (type == LUA_TNUMBER) {
        push_field(L, exchange, (enum field)lua_tointeger(L, -1));
        return 1;
    }
    if (lua_getiuservalue(L, 1, RESPONSE_STORE) == LUA_TTABLE) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, -2) != LUA_TNIL) {
            return 1;
        }
    }
    relation_push_extension(L, exchange, true);
    return 1;
}

/* A name of ours that the application sets. */
static int set_own(lua_State *L, int type)
{
    bool is_status = type == LUA_TNUMBER && lua_tointeger(L, -1) == FIELD_STATUS_CODE;
    if (!is_status) {
        return luaL_error(L, "cannot set res.%s: that name is fsd's", luaL_tolstring(L, 2, NULL));
    }
    lua_settop(L, 3);
    lua_remove(L, 2);
    return response_status(L);
}

/* res.name = value: the application's own. */
static int response_newindex(lua_State *L)
{
    (void)response_check(L);
    lua_pushvalue(L, 2);
    int type = lua_rawget(L, lua_upvalueindex(1));
    if (type != LUA_TNIL) {
        return set_own(L, type);
    }
    push_store(L);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, -3);
    return 0;
}

static const struct field_row {
    const char *name;
    enum field field;
} fields[] = {
    {"status_code", FIELD_STATUS_CODE},
    {"headers_sent", FIELD_HEADERS_SENT},
    {"req", FIELD_REQ},
    {"app", FIELD_APP},
    {"locals", FIELD_LOCALS},
};

void response_register(lua_State *L)
{
    luaL_newmetatable(L, RESPONSE_METATABLE);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, methods);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        lua_pushinteger(L, fields[i].field);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, response_index, 1);
    lua_setfield(L, -3, "__index");
    lua_pushcclosure(L, response_newindex, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
}
