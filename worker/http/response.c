/* response.c - res, as handlers see it.
 *   res:status(code)  res:set(name, value) | res:set{...}  res:type(word)                -> res
 *   res:get(name) -> string or nil
 *   res:send([value])  res:json(value)  res:redirect([status,] url)  res:send_status(code)  res:finish([bytes])
 *   res.status_code  res.headers_sent      (res:write, res:flush: response_stream.c; res:sse: events.c)
 * Owns the class "fsd.Response": a userdata (struct http_object).  Headers go straight into libh2o's response; the body is
 * copied into the request's pool, and the exchange sends it when Lua lets go.  When the client has gone, setters and senders
 * do nothing: there is nobody to tell.  Nor do setters when new code goes on with a stream whose head has left (resume.c).
 * Called by dispatch.c.  Must not know how an answer leaves (answer.c). */
#include "worker/http/response.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/error.h"
#include "worker/http/exchange.h"
#include "worker/http/service.h"
#include "worker/http/stream/events.h"
#include "worker/http/stream/response_stream.h"
#include "worker/http/text/header_text.h"

enum { JSON_KEEP_BYTES = 256 * 1024, NAME_MAX_BYTES = 256 };

void response_push(lua_State *L, struct exchange *exchange)
{
    struct http_object *object = lua_newuserdatauv(L, sizeof(*object), 1);
    object->kind = HTTP_RESPONSE;
    object->exchange = exchange;
    exchange->response = object;
    luaL_setmetatable(L, RESPONSE_METATABLE);
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

/* Whether what is set now can be part of the head; false also when that has left in the days of other code (resume.c). */
static bool takes_head(lua_State *L, const struct exchange *exchange)
{
    return response_is_open(L, exchange) && exchange->stream == NULL;
}

static int check_status(lua_State *L, int index)
{
    lua_Integer status = luaL_checkinteger(L, index);
    /* 1xx is no answer: the client would wait for the next one, and take that of another request for it */
    luaL_argcheck(L, status >= 200 && status <= 999, index,
                  "status must be a whole number from 200 to 999");
    return (int)status;
}

/* Strings as they are, other values by tostring; pushes it.  Nothing that only has an address as text. */
static const char *push_value(lua_State *L, const char *name, int index, size_t *ret_len)
{
    if (lua_type(L, index) == LUA_TSTRING) {
        lua_pushvalue(L, index);
        return lua_tolstring(L, -1, ret_len);
    }
    bool is_scalar = lua_type(L, index) == LUA_TNUMBER || lua_type(L, index) == LUA_TBOOLEAN;
    if (!is_scalar && luaL_getmetafield(L, index, "__tostring") == LUA_TNIL) {
        luaL_error(L, "cannot set header \"%s\": the value is a %s", name, luaL_typename(L, index));
    }
    return luaL_tolstring(L, index, ret_len);
}

static void set_header(lua_State *L, struct exchange *exchange, int name_index, int value_index)
{
    size_t name_len;
    size_t len;
    const char *name = luaL_checklstring(L, name_index, &name_len);
    if (!header_text_is_name(name, name_len) || name_len > NAME_MAX_BYTES) {
        luaL_error(L, "cannot set header: the name has a character that a header name can't have");
    }
    if (header_text_is_ours(name, name_len)) {
        luaL_error(L, "cannot set header \"%s\": fsd sets it itself", name);
    }
    int top = lua_gettop(L);
    const char *value = push_value(L, name, value_index, &len);
    if (!header_text_is_value(value, len)) {
        luaL_error(L, "cannot set header \"%s\": the value has a line break or control character",
                   name);
    }
    h2o_req_t *req = exchange->req;
    char *lower = h2o_mem_alloc_pool(&req->pool, name_len);
    memcpy(lower, name, name_len);
    h2o_strtolower(lower, name_len);
    h2o_iovec_t copy = h2o_strdup(&req->pool, value, len);
    h2o_set_header_by_str(&req->pool, &req->res.headers, lower, name_len, 1, copy.base, copy.len,
                          1);
    lua_settop(L, top);
}

static void set_type(struct exchange *exchange, const char *type, bool overwrite)
{
    h2o_req_t *req = exchange->req;
    h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, type, strlen(type),
                   overwrite);
}

static int return_self(lua_State *L)
{
    lua_settop(L, 1);
    return 1;
}

static int response_status(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    int status = check_status(L, 2);
    if (response_is_open(L, exchange)) {
        exchange->status = status;
    }
    return return_self(L);
}

static int response_set(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    if (!takes_head(L, exchange)) {
        return return_self(L);
    }
    if (lua_type(L, 2) != LUA_TTABLE) {
        luaL_checkany(L, 3);
        set_header(L, exchange, 2, 3);
        return return_self(L);
    }
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) {
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 2, "header names must be strings");
        int value = lua_gettop(L);
        set_header(L, exchange, value - 1, value);
        lua_pop(L, 1);
    }
    return return_self(L);
}

static int response_get(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    lua_pushnil(L);
    if (exchange->req == NULL) {
        return 1;
    }
    const h2o_headers_t *headers = &exchange->req->res.headers;
    for (size_t i = 0; i < headers->size; i++) {
        const h2o_header_t *header = &headers->entries[i];
        if (header->name->len == len && strncasecmp(header->name->base, name, len) == 0) {
            lua_pushlstring(L, header->value.base, header->value.len);
            break;
        }
    }
    return 1;
}

static int response_type(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t len;
    const char *type = luaL_checklstring(L, 2, &len);
    const char *known = header_text_find_type(type);
    luaL_argcheck(L, known != NULL || strchr(type, '/') != NULL, 2,
                  "neither a content type nor a name of one, such as \"json\"");
    luaL_argcheck(L, header_text_is_value(type, len), 2, "has control characters");
    if (takes_head(L, exchange)) {
        set_type(exchange, known != NULL ? known : h2o_strdup(&exchange->req->pool, type, len).base,
                 true);
    }
    return return_self(L);
}

static void send_bytes(struct exchange *exchange, const char *bytes, size_t len)
{
    exchange_answer(exchange, exchange->status, h2o_strdup(&exchange->req->pool, bytes, len));
}

static void send_json(lua_State *L, struct exchange *exchange, int index)
{
    struct json_buf *buf = &exchange->service->json;
    struct fsd_err err;
    json_buf_reset(buf, JSON_KEEP_BYTES);
    if (json_encode(L, index, buf, &err) != 0) {
        error_raise(L, "JsonError", "json.encode", 500, "%s", err.text);
    }
    set_type(exchange, "application/json; charset=utf-8", false);
    send_bytes(exchange, buf->data, buf->len);
}

static void send_value(lua_State *L, struct exchange *exchange, int index)
{
    if (lua_isnoneornil(L, index)) {
        send_bytes(exchange, "", 0);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        size_t len;
        const char *text = lua_tolstring(L, index, &len);
        set_type(exchange, "text/html; charset=utf-8", false);
        send_bytes(exchange, text, len);
    } else {
        send_json(L, exchange, index);
    }
}

static void send_status(struct exchange *exchange, int status)
{
    const char *text = header_text_reason(status);
    exchange->status = status;
    set_type(exchange, "text/plain; charset=utf-8", true);
    send_bytes(exchange, text, strlen(text));
}

void response_take_result(lua_State *L, struct exchange *exchange)
{
    if (lua_isnil(L, -1) || exchange->state != EXCHANGE_OPEN ||
        lua_touserdata(L, -1) == exchange->response) {
        return;
    }
    if (!lua_isinteger(L, -1)) {
        send_value(L, exchange, lua_gettop(L));
        return;
    }
    lua_Integer status = lua_tointeger(L, -1);
    if (status < 200 || status > 599) {
        luaL_error(L, "a handler returned %I: a number must be an HTTP status, 200 to 599", status);
    }
    send_status(exchange, (int)status);
}

static int response_send(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    if (response_is_open(L, exchange)) {
        send_value(L, exchange, 2);
    }
    return 0;
}

static int response_json(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    luaL_checkany(L, 2);
    if (response_is_open(L, exchange)) {
        send_json(L, exchange, 2);
    }
    return 0;
}

/* res:finish([bytes]): ends the answer without adding a content type (Express's end), also one that was begun by res:write. */
static int response_finish(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t len;
    const char *bytes = luaL_optlstring(L, 2, "", &len);
    if (exchange->state == EXCHANGE_STREAMING || exchange->drops_body) {
        return response_stream_finish(L, exchange);
    }
    if (response_is_open(L, exchange)) {
        send_bytes(exchange, bytes, len);
    }
    return 0;
}

static int response_send_status(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    int status = check_status(L, 2);
    if (response_is_open(L, exchange)) {
        send_status(exchange, status);
    }
    return 0;
}

/* Escapes what can't stand in a URL (controls, blanks, bytes beyond ASCII); what is escaped already stays. */
static void push_url(lua_State *L, const char *url, size_t len)
{
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)url[i];
        if (c > 0x20 && c < 0x7f && strchr("\"<>\\^`{|}", c) == NULL) {
            luaL_addchar(&buffer, url[i]);
        } else {
            char escape[4];
            (void)snprintf(escape, sizeof(escape), "%%%02X", c);
            luaL_addlstring(&buffer, escape, 3);
        }
    }
    luaL_pushresult(&buffer);
}

/* res:redirect([status,] url), 302 by default */
static int response_redirect(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    bool has_status = lua_type(L, 2) == LUA_TNUMBER;
    int url_index = has_status ? 3 : 2;
    int status = has_status ? check_status(L, 2) : 302;
    luaL_argcheck(L, status >= 300 && status <= 399, 2, "status must be 300 to 399");
    size_t len;
    const char *url = luaL_checklstring(L, url_index, &len);
    if (!response_is_open(L, exchange)) {
        return 0;
    }
    lua_pushliteral(L, "location");
    push_url(L, url, len);
    set_header(L, exchange, lua_gettop(L) - 1, lua_gettop(L));
    send_status(exchange, status);
    return 0;
}

static const luaL_Reg methods[] = {
    {"status", response_status},
    {"set", response_set},
    {"header", response_set},
    {"get", response_get},
    {"type", response_type},
    {"send", response_send},
    {"json", response_json},
    {"finish", response_finish},
    {"send_status", response_send_status},
    {"redirect", response_redirect},
    {"write", response_stream_write},
    {"flush", response_stream_flush},
    {"sse", events_open},
    {NULL, NULL},
};

/* Upvalue: the table of methods. */
static int response_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return 1;
    }
    struct exchange *exchange = response_check(L);
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
    if (key != NULL && strcmp(key, "status_code") == 0) {
        lua_pushinteger(L, exchange->status);
    } else if (key != NULL && strcmp(key, "headers_sent") == 0) {
        lua_pushboolean(L, exchange->state != EXCHANGE_OPEN);
    } else if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE) {
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
    }
    return 1; /* else nil */
}

/* res.name = value: the application's own, as in Express's res.locals. */
static int response_newindex(lua_State *L)
{
    (void)response_check(L);
    if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE) {
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, 1, 1);
    }
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, -3);
    return 0;
}

void response_register(lua_State *L)
{
    luaL_newmetatable(L, RESPONSE_METATABLE);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, methods);
    lua_pushcclosure(L, response_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, response_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
}
