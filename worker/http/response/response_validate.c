/* response_validate.c - whether the client has what it asks for already: ETag, and the conditions of a request.
 * Owns nothing.  A body that res:send or res:json gives gets an ETag made of it, as in Express (setting etag), unless the handler has set
 * one.  Then, for GET and HEAD and a status of success, the conditions of the request are judged (text/conditional.c).  If-Match and
 * If-Unmodified-Since count only against what the handler itself has set: an ETag of ours says nothing about what is stored.  A range
 * is served where the handler has said that it may be (Accept-Ranges: bytes; response_range.c).
 * Called by response_send.c for each whole answer, so without conditions it is one hash and one look at the request's headers.
 * Must not know how an answer leaves. */
#include "worker/http/response/response_validate.h"

#include <lauxlib.h>

#include "worker/core/error.h"
#include "worker/http/conditions.h"
#include "worker/http/exchange.h"
#include "worker/http/head.h"
#include "worker/http/response/compress.h"
#include "worker/http/response/response_range.h"
#include "worker/http/settings.h"
#include "worker/http/text/conditional.h"
#include "worker/http/text/etag.h"

static const h2o_header_t *find(const h2o_headers_t *headers, const h2o_token_t *token)
{
    ssize_t at = h2o_find_header(headers, token, -1);
    return at != -1 ? &headers->entries[at] : NULL;
}

static void add_etag(h2o_req_t *req, const char *text, size_t len)
{
    h2o_iovec_t copy = h2o_strdup(&req->pool, text, len);
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_ETAG, NULL, copy.base, copy.len);
}

/* The setting etag is a function: of the body, to an ETag or nil. */
static void ask_for_etag(lua_State *L, struct exchange *exchange, h2o_iovec_t body)
{
    size_t len;
    (void)settings_push(L, exchange, "etag");
    lua_pushlstring(L, body.base, body.len);
    lua_call(L, 1, 1);
    if (lua_toboolean(L, -1)) {
        const char *text = lua_tolstring(L, -1, &len);
        if (text == NULL || !etag_is_valid(text, len)) {
            luaL_error(L, "the setting etag gave something that is no ETag: \"...\" or W/\"...\"");
        }
        add_etag(exchange->req, text, len);
    }
    lua_pop(L, 1);
}

/* An ETag of the body, unless there is one. */
static void make_etag(lua_State *L, struct exchange *exchange, h2o_iovec_t body)
{
    char text[ETAG_MAX];
    enum settings_etag kind = exchange_settings(exchange)->etag;
    switch (kind) {
    case SETTINGS_ETAG_WEAK:
    case SETTINGS_ETAG_STRONG:
        add_etag(exchange->req, text,
                 etag_from_body(body.base, body.len, kind == SETTINGS_ETAG_WEAK, text));
        break;
    case SETTINGS_ETAG_FUNCTION:
        ask_for_etag(L, exchange, body);
        break;
    case SETTINGS_ETAG_OFF:
        break;
    }
}

static void answer_without_body(struct exchange *exchange, int status)
{
    compress_add_vary(exchange->service, exchange->req);
    conditions_drop_body_headers(exchange->req);
    exchange_answer(exchange, status, h2o_iovec_init(NULL, 0));
}

static void judge(lua_State *L, struct exchange *exchange, h2o_iovec_t body, bool has_validator)
{
    struct conditions conditions;
    h2o_req_t *req = exchange->req;
    conditions_read(req, &conditions);
    struct conditional conditional = conditions.conditional;
    if (!has_validator) {
        conditional.if_match = conditional.if_unmodified_since = (struct conditional_text){NULL, 0};
    }
    const struct conditional_state state = conditions_state(req);
    switch (conditional_judge(&conditional, &state, true)) {
    case CONDITIONAL_NOT_MODIFIED:
        answer_without_body(exchange, 304);
        return;
    case CONDITIONAL_FAILED:
        error_raise(L, "HttpError", "precondition_failed", 412,
                    "what is there is not what the request asks for");
    case CONDITIONAL_GO_ON:
        break;
    }
    if (conditional_allows_range(&conditional, &state)) {
        response_range_answer(L, exchange, body);
    } else {
        exchange_answer(exchange, exchange->status, body);
    }
}

void response_validate_and_answer(lua_State *L, struct exchange *exchange, h2o_iovec_t body)
{
    head_run(L, exchange);
    h2o_req_t *req = exchange->req;
    const h2o_headers_t *headers = &req->res.headers;
    if (exchange->status == 304 || exchange->status == 204) {
        answer_without_body(exchange, exchange->status);
        return;
    }
    bool has_etag = find(headers, H2O_TOKEN_ETAG) != NULL;
    if (!has_etag && body.base != NULL) {
        make_etag(L, exchange, body);
    }
    bool is_success = exchange->status >= 200 && exchange->status <= 299;
    if (!is_success || !conditions_has_any(req) || !conditions_is_reading(req)) {
        exchange_answer(exchange, exchange->status, body);
        return;
    }
    bool has_validator = has_etag || find(headers, H2O_TOKEN_LAST_MODIFIED) != NULL;
    judge(L, exchange, body, has_validator);
}
