/* response_send.c - answers that are given whole.
 *   res:send([value])   res:json(value)   res:send_status(code)   res:finish([bytes])
 * Owns nothing: the body is copied into the request's pool, and the exchange sends it when Lua lets go.
 * Called by response.c, and by dispatch.c for what handlers return.  Must not know how an answer leaves (answer.c). */
#include "worker/http/response_send.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/error.h"
#include "worker/http/exchange.h"
#include "worker/http/response.h"
#include "worker/http/response_validate.h"
#include "worker/http/service.h"
#include "worker/http/settings.h"
#include "worker/http/stream/response_stream.h"
#include "worker/http/text/header_text.h"
#include "worker/http/text/json_text.h"

enum { JSON_KEEP_BYTES = 256 * 1024 };

int response_send_check_status(lua_State *L, int index)
{
    lua_Integer status = luaL_checkinteger(L, index);
    /* 1xx is no answer: the client would wait for the next one, and take that of another request for it */
    luaL_argcheck(L, status >= 200 && status <= 999, index,
                  "status must be a whole number from 200 to 999");
    return (int)status;
}

static void set_default_type(struct exchange *exchange, const char *type)
{
    h2o_req_t *req = exchange->req;
    h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, type, strlen(type), 0);
}

static void send_bytes(lua_State *L, struct exchange *exchange, const char *bytes, size_t len)
{
    response_validate_and_answer(L, exchange, h2o_strdup(&exchange->req->pool, bytes, len));
}

/* Into the service's buffer, which the next answer takes. */
static struct json_buf *encode(lua_State *L, struct exchange *exchange, int index)
{
    struct json_buf *buf = &exchange->service->json;
    const struct settings *settings = exchange_settings(exchange);
    struct fsd_err err;
    json_buf_reset(buf, JSON_KEEP_BYTES);
    if (json_encode(L, index, buf, &err) != 0) {
        error_raise(L, "JsonError", "json.encode", 500, "%s", err.text);
    }
    if (settings->json_spaces[0] != '\0') {
        json_text_indent(buf, settings->json_spaces);
    }
    if (settings->json_escape) {
        json_text_escape(buf, JSON_TEXT_HTML);
    }
    return buf;
}

static void send_json(lua_State *L, struct exchange *exchange, int index)
{
    const struct json_buf *buf = encode(L, exchange, index);
    set_default_type(exchange, "application/json; charset=utf-8");
    send_bytes(L, exchange, buf->data, buf->len);
}

int response_send_encode(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    luaL_checkany(L, 2);
    struct json_buf *buf = encode(L, exchange, 2);
    if (lua_toboolean(L, 3)) {
        json_text_escape(buf, JSON_TEXT_SCRIPT);
    }
    lua_pushlstring(L, buf->data, buf->len);
    lua_pushstring(L, exchange_settings(exchange)->jsonp_callback_name);
    return 2;
}

void response_send_value(lua_State *L, struct exchange *exchange, int index)
{
    if (lua_isnoneornil(L, index)) {
        response_validate_and_answer(L, exchange, h2o_iovec_init(NULL, 0));
    } else if (lua_type(L, index) == LUA_TSTRING) {
        size_t len;
        const char *text = lua_tolstring(L, index, &len);
        set_default_type(exchange, "text/html; charset=utf-8");
        send_bytes(L, exchange, text, len);
    } else {
        send_json(L, exchange, index);
    }
}

void response_send_reason(lua_State *L, struct exchange *exchange, int status)
{
    const char *text = header_text_reason(status);
    char digits[16];
    if (text == header_text_reason(0)) { /* it has none */
        (void)snprintf(digits, sizeof(digits), "%d", status);
        text = digits;
    }
    exchange->status = status;
    h2o_req_t *req = exchange->req;
    h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE,
                   H2O_STRLIT("text/plain; charset=utf-8"), 1);
    send_bytes(L, exchange, text, strlen(text));
}

int response_send(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    if (response_is_open(L, exchange)) {
        response_send_value(L, exchange, 2);
    }
    return 0;
}

int response_send_json(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    luaL_checkany(L, 2);
    if (response_is_open(L, exchange)) {
        send_json(L, exchange, 2);
    }
    return 0;
}

/* Ends the answer without adding a content type (Express's end), also one that was begun by res:write. */
int response_send_finish(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t len;
    const char *bytes = luaL_optlstring(L, 2, "", &len);
    if (exchange->state == EXCHANGE_STREAMING || exchange->drops_body) {
        return response_stream_finish(L, exchange);
    }
    if (response_is_open(L, exchange)) {
        exchange_answer(exchange, exchange->status, h2o_strdup(&exchange->req->pool, bytes, len));
    }
    return 0;
}

int response_send_status(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    int status = response_send_check_status(L, 2);
    if (response_is_open(L, exchange)) {
        response_send_reason(L, exchange, status);
    }
    return 0;
}
