/* response_send.c - answers that are given whole.
 *   res:send([value])   res:json(value)   res:send_status(code)   res:finish([bytes])
 * Owns nothing: the body is copied or moved into the request's pool, and the exchange sends it when Lua lets go.
 * Called by response.c, and by dispatch.c for what handlers return.  Must not know how an answer leaves (answer.c). */
#include "worker/http/response/response_send.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/http/exchange.h"
#include "worker/http/head.h"
#include "worker/http/response/response.h"
#include "worker/http/response/response_validate.h"
#include "worker/http/service.h"
#include "worker/http/settings.h"
#include "worker/http/stream/response_stream.h"
#include "worker/http/text/header_text.h"
#include "worker/http/text/json_form.h"

enum {
    JSON_KEEP_BYTES = 256 * 1024,
    HOLD_BYTES = 64 * 1024, /* a longer text is kept where it is */
};

int response_send_check_status(lua_State *L, int index)
{
    lua_Integer status = luaL_checkinteger(L, index);
    /* 1xx is no answer: the client would wait for the next one, and take that of another request for it */
    luaL_argcheck(L, status >= 200 && status <= 999, index,
                  "status must be a whole number from 200 to 999");
    return (int)status;
}

/* What runs before the head runs first: when that raises, the error's answer has no type yet. */
static void set_default_type(lua_State *L, struct exchange *exchange, const char *type)
{
    head_run(L, exchange);
    h2o_req_t *req = exchange->req;
    h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, type, strlen(type), 0);
}

/* A string of Lua's that a request's pool keeps alive. */
struct held_text {
    struct runtime *runtime; /* borrowed */
    int ref;                 /* owned, into Lua's registry */
};

static void release_text(void *data)
{
    const struct held_text *held = data;
    luaL_unref(held->runtime->L, LUA_REGISTRYINDEX, held->ref);
}

/* The request's pool has the string at the index from now on; what is long is not copied. */
static h2o_iovec_t keep_text(lua_State *L, struct exchange *exchange, int index)
{
    h2o_mem_pool_t *pool = &exchange->req->pool;
    size_t len;
    const char *text = lua_tolstring(L, index, &len);
    if (len < HOLD_BYTES) {
        return h2o_strdup(pool, text, len);
    }
    struct held_text *held = h2o_mem_alloc_shared(pool, sizeof(*held), release_text);
    *held = (struct held_text){exchange->service->runtime, LUA_NOREF}; /* luaL_ref may raise */
    lua_pushvalue(L, index);
    held->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return h2o_iovec_init(text, len);
}

/* As the settings want it. */
static void dress(const struct exchange *exchange, struct json_buf *buf)
{
    const struct settings *settings = exchange_settings(exchange);
    if (settings->json_spaces[0] != '\0') {
        json_form_indent(buf, settings->json_spaces);
    }
    if (settings->json_escape) {
        json_form_escape(buf, JSON_FORM_HTML);
    }
}

static void check_encoded(lua_State *L, int result, const struct fsd_err *err)
{
    if (result != 0) {
        error_raise(L, "JsonError", "json.encode", 500, "%s", err->text);
    }
}

/* Into the service's buffer, which the next answer takes. */
static struct json_buf *encode(lua_State *L, struct exchange *exchange, int index)
{
    struct json_buf *buf = &exchange->service->json;
    struct fsd_err err;
    json_buf_reset(buf, JSON_KEEP_BYTES);
    check_encoded(L, json_encode(L, index, buf, &err), &err);
    dress(exchange, buf);
    return buf;
}

static void free_text(void *text)
{
    free(*(char **)text);
}

/* The request's pool has the text from now on; what is long is not copied. */
static h2o_iovec_t move_text(struct exchange *exchange, struct json_buf *buf)
{
    h2o_mem_pool_t *pool = &exchange->req->pool;
    if (buf == &exchange->service->json) {
        return h2o_strdup(pool, buf->data, buf->len);
    }
    h2o_iovec_t text = h2o_iovec_init(buf->data, buf->len);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a pointer is what is stored */
    char **owned = h2o_mem_alloc_shared(pool, sizeof(*owned), free_text);
    *owned = buf->data;
    json_buf_init(buf);
    return text;
}

static void send_text(lua_State *L, struct exchange *exchange, struct json_buf *buf)
{
    set_default_type(L, exchange, "application/json; charset=utf-8");
    response_validate_and_answer(L, exchange, move_text(exchange, buf));
}

static void send_json(lua_State *L, struct exchange *exchange, int index)
{
    send_text(L, exchange, encode(L, exchange, index));
}

/* The first argument of the method that this ends is res: others may have run, and the request may be over. */
static int send_encoded(lua_State *L, int result, struct json_buf *buf, const struct fsd_err *err)
{
    struct exchange *exchange = response_check(L);
    check_encoded(L, result, err);
    if (response_is_open(L, exchange)) {
        dress(exchange, buf);
        send_text(L, exchange, buf);
    }
    return 0;
}

void response_send_encoded(lua_State *L, struct exchange *exchange, int result,
                           struct json_buf *buf, const struct fsd_err *err)
{
    check_encoded(L, result, err);
    if (exchange->state == EXCHANGE_OPEN && !exchange->is_client_gone) {
        dress(exchange, buf);
        send_text(L, exchange, buf);
    }
}

int response_send_table(lua_State *L, struct exchange *exchange, json_turns_encoded_fn on_done)
{
    struct json_buf *buf = &exchange->service->json;
    json_buf_reset(buf, JSON_KEEP_BYTES);
    return json_turns_encode(L, -1, buf, on_done);
}

/* In a method of res: a long value is encoded in turns. */
static int send_json_in_turns(lua_State *L, struct exchange *exchange)
{
    struct json_buf *buf = &exchange->service->json;
    json_buf_reset(buf, JSON_KEEP_BYTES);
    return json_turns_encode(L, 2, buf, send_encoded);
}

int response_send_encode(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    luaL_checkany(L, 2);
    struct json_buf *buf = encode(L, exchange, 2);
    if (lua_toboolean(L, 3)) {
        json_form_escape(buf, JSON_FORM_SCRIPT);
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
        set_default_type(L, exchange, "text/html; charset=utf-8");
        response_validate_and_answer(L, exchange, keep_text(L, exchange, index));
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
    head_run(L, exchange);
    h2o_req_t *req = exchange->req;
    h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE,
                   H2O_STRLIT("text/plain; charset=utf-8"), 1);
    h2o_iovec_t body = h2o_strdup(&req->pool, text, strlen(text));
    response_validate_and_answer(L, exchange, body);
}

int response_send(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    if (!response_is_open(L, exchange)) {
        return 0;
    }
    if (lua_type(L, 2) == LUA_TTABLE) {
        return send_json_in_turns(L, exchange);
    }
    response_send_value(L, exchange, 2);
    return 0;
}

int response_send_json(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    luaL_checkany(L, 2);
    return response_is_open(L, exchange) ? send_json_in_turns(L, exchange) : 0;
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
        h2o_iovec_t body = len < HOLD_BYTES ? h2o_strdup(&exchange->req->pool, bytes, len)
                                            : keep_text(L, exchange, 2);
        head_run(L, exchange);
        exchange_answer(exchange, exchange->status, body);
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
