/* dispatch.c - the handlers of one request, run in order inside its coroutine.
 * Owns nothing; the exchange holds the state.  The whole chain runs under one protected call: the first handler is called,
 * and `next` is a closure that calls the one behind it and returns when that has returned, so that a middleware sees both ways.
 * A chain that ends without an answer becomes an error, and errors are failure.c's.  Everything may yield at any depth.
 * Called by exchange.c as the main function of a coroutine.  Must not know libh2o's life cycle (exchange.c). */
#include "worker/http/dispatch.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/http/answer.h"
#include "worker/http/app/plan.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/failure.h"
#include "worker/http/head.h"
#include "worker/http/hooks.h"
#include "worker/http/native.h"
#include "worker/http/offspring.h"
#include "worker/http/request/params.h"
#include "worker/http/request/request.h"
#include "worker/http/response/response.h"
#include "worker/http/response/response_send.h"
#include "worker/http/service.h"
#include "worker/http/turn.h"

/* Upvalues of next. */
enum {
    NEXT_REQUEST = 1,
    NEXT_RESPONSE,
    NEXT_POSITION,
    NEXT_STEP,
    NEXT_CALLED,
    NEXT_COUNT = NEXT_CALLED
};

/* A position is how deep calls of next() are nested, a step of the chain, and a handler of its route. */
enum { DEPTH_SHIFT = 48 };

/* Each next() is a C call within Lua, which allows 200 (LUAI_MAXCCALLS). */
enum { DEPTH_MAX = 170 };

void dispatch_close(struct exchange *exchange)
{
    if (exchange->request != NULL) {
        exchange->request->exchange = NULL;
        exchange->request = NULL;
    }
    if (exchange->response != NULL) {
        exchange->response->exchange = NULL;
        exchange->response = NULL;
    }
}

static bool is_method(const struct exchange *exchange, const char *method)
{
    return h2o_memis(exchange->view.method.base, exchange->view.method.len, method, strlen(method));
}

static void answer_page(struct exchange *exchange, int status, const char *message)
{
    exchange_answer(exchange, status, answer_error_body(exchange->req, status, message));
}

static void answer_options(struct exchange *exchange, h2o_iovec_t methods)
{
    h2o_mem_pool_t *pool = &exchange->req->pool;
    h2o_headers_t *headers = &exchange->req->res.headers;
    h2o_set_header(pool, headers, H2O_TOKEN_CONTENT_TYPE, H2O_STRLIT("text/plain"), 0);
    h2o_set_header_by_str(pool, headers, H2O_STRLIT("x-content-type-options"), 0,
                          H2O_STRLIT("nosniff"), 1);
    exchange_answer(exchange, 200, methods);
}

/* Nobody serves it: OPTIONS gets the list of methods, another method of a known path 405, the rest 404. */
static void answer_unmatched(struct exchange *exchange)
{
    const struct scope *root = exchange->edition->plan->root;
    struct turn_offer offer = turn_find_offer(exchange, root);
    bool is_options = is_method(exchange, "OPTIONS");
    if (offer.is_served || offer.methods.len == 0 ||
        !(is_options || root->settings.method_not_allowed)) {
        answer_page(exchange, 404, "Not Found");
        return;
    }
    answer_set_allow(exchange->req, offer.methods);
    if (is_options) {
        answer_options(exchange, offer.methods);
    } else {
        answer_page(exchange, 405, "Method Not Allowed");
    }
}

/* As Express, a bad escape in a parameter is an error before its handler runs. */
static void check_params(lua_State *L, const struct exchange *exchange)
{
    const h2o_iovec_t *path = &exchange->view.path;
    if (exchange->step < exchange->chain.count &&
        exchange->chain.steps[exchange->step].captures != NULL &&
        memchr(path->base, '%', path->len) != NULL) {
        params_check(L, exchange);
    }
}

static int dispatch_next(lua_State *L);

static void push_next(lua_State *L, size_t position, size_t step, int request, int response)
{
    lua_pushvalue(L, request);
    lua_pushvalue(L, response);
    lua_pushinteger(L, (lua_Integer)position);
    lua_pushinteger(L, (lua_Integer)step);
    lua_pushboolean(L, 0);
    lua_pushcclosure(L, dispatch_next, NEXT_COUNT);
}

static int push_call(lua_State *L, struct exchange *exchange, const struct app_handler *handler,
                     int request, int response)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->edition->values_ref);
    lua_rawgeti(L, -1, handler->index);
    lua_replace(L, -2);
    lua_pushvalue(L, request);
    lua_pushvalue(L, response);
    exchange->last = handler;
    exchange->last_step = exchange->step;
    recorder_note_place(&exchange->service->runtime->recorder, &exchange->ticket, handler->where);
    return 2;
}

/* app:not_found of the application itself; NULL when there is none, or the path is known. */
static const struct app_handler *find_missing(struct exchange *exchange)
{
    const struct scope *root = exchange->edition->plan->root;
    bool is = root->missing.index != 0 && exchange->state == EXCHANGE_OPEN &&
              turn_is_missing(exchange, root);
    return is ? &root->missing : NULL;
}

/* Asks a native handler; true when it has answered. */
static bool answer_natively(lua_State *L, struct exchange *exchange, const struct native *native)
{
    struct file_request request = native_request(exchange);
    struct file_given given;
    struct file_failure failure;
    check_params(L, exchange);
    switch (native_ask(native, &request, &given, &failure)) {
    case FILE_GIVES:
        head_run(L, exchange);
        native_answer(exchange, &given);
        return true;
    case FILE_FAILS:
        (void)native_raise(L, &failure);
        return true;
    case FILE_PASSES:
        break;
    }
    return false;
}

/* The intake has found the first one already. */
static const struct app_handler *find_at(struct exchange *exchange, size_t *place)
{
    const struct app_handler *first = exchange->first;
    exchange->first = NULL;
    return first != NULL ? first : turn_find(exchange, place);
}

/* The handler at or behind the place that Lua is to call; the native ones before it are asked.  NULL: none is. */
static const struct app_handler *find_handler(lua_State *L, struct exchange *exchange,
                                              size_t *place)
{
    const struct app_handler *handler;
    while ((handler = find_at(exchange, place)) != NULL) {
        exchange->step = *place >> TURN_HANDLER_BITS;
        if (handler->native == NULL) {
            return handler;
        }
        if (exchange->state != EXCHANGE_OPEN || answer_natively(L, exchange, handler->native)) {
            return NULL;
        }
        (*place)++;
    }
    exchange->step = exchange->chain.count;
    handler = find_missing(exchange);
    if (handler != NULL && handler->native != NULL) {
        (void)answer_natively(L, exchange, handler->native);
        handler = NULL;
    }
    if (handler == NULL && exchange->state == EXCHANGE_OPEN) {
        head_run(L, exchange);
        answer_unmatched(exchange);
    }
    return handler;
}

/* Pushes the function at or behind the position with its arguments and returns their number; -1 when the answer was given
 * without Lua. */
static int push_handler(lua_State *L, struct exchange *exchange, size_t position, int request,
                        int response)
{
    size_t depth = position >> DEPTH_SHIFT;
    size_t place = position & ((UINT64_C(1) << DEPTH_SHIFT) - 1);
    exchange->scope = NULL;
    const struct app_handler *handler = find_handler(L, exchange, &place);
    if (handler == NULL) {
        return -1;
    }
    if (depth > DEPTH_MAX) {
        luaL_error(L,
                   "more than %d handlers for one request: calls of next() can't be nested deeper",
                   DEPTH_MAX);
    }
    check_params(L, exchange);
    int count = push_call(L, exchange, handler, request, response);
    if (handler->wants_next && exchange->step < exchange->chain.count) {
        push_next(L, (depth + 1) << DEPTH_SHIFT | (place + 1), exchange->step, request, response);
        count++;
    }
    return count;
}

static struct exchange *exchange_of_object(lua_State *L, int index)
{
    return ((const struct http_object *)lua_touserdata(L, index))->exchange;
}

static int on_chain_encoded(lua_State *L, int result, struct json_buf *buf,
                            const struct fsd_err *err)
{
    struct exchange *exchange = exchange_of_object(L, 1);
    response_send_encoded(L, exchange, result, buf, err);
    return offspring_join(L, exchange);
}

static int after_chain(lua_State *L, int status, lua_KContext context)
{
    (void)status; /* an error does not come here: the call is not protected */
    struct exchange *exchange = exchange_of(context);
    if (response_result_is_table(L, exchange)) {
        return response_send_table(L, exchange, on_chain_encoded);
    }
    response_take_result(L, exchange);
    return offspring_join(L, exchange);
}

/* Protected: req, res -> nothing.  Upvalue-free; the exchange is found through req. */
static int run_chain(lua_State *L)
{
    struct exchange *exchange = exchange_of_object(L, 1);
    int count = push_handler(L, exchange, exchange->start, 1, 2);
    if (count < 0) {
        return 0;
    }
    lua_callk(L, count, 1, (lua_KContext)exchange, after_chain);
    return after_chain(L, LUA_OK, (lua_KContext)exchange);
}

/* Behind next(): req.params and the settings are those of who has called it, again. */
static void return_to_step(lua_State *L, struct exchange *exchange)
{
    exchange->step = (size_t)lua_tointeger(L, lua_upvalueindex(NEXT_STEP));
}

static int on_next_encoded(lua_State *L, int result, struct json_buf *buf,
                           const struct fsd_err *err)
{
    struct exchange *exchange = exchange_of_object(L, lua_upvalueindex(NEXT_REQUEST));
    if (exchange != NULL) {
        response_send_encoded(L, exchange, result, buf, err);
        return_to_step(L, exchange);
    }
    return 0;
}

static int after_next(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)
        context; /* a coroutine of the application's own may come back here when the request is long over */
    struct exchange *exchange = exchange_of_object(L, lua_upvalueindex(NEXT_REQUEST));
    if (exchange == NULL) {
        return 0;
    }
    if (response_result_is_table(L, exchange)) {
        return response_send_table(L, exchange, on_next_encoded);
    }
    response_take_result(L, exchange);
    return_to_step(L, exchange);
    return 0;
}

/* next("route") and next("router") go on elsewhere; anything else is an error. */
static bool leave(lua_State *L, const struct exchange *exchange, size_t *position)
{
    const char *word = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : "";
    size_t step = (size_t)lua_tointeger(L, lua_upvalueindex(NEXT_STEP));
    size_t depth = *position >> DEPTH_SHIFT << DEPTH_SHIFT;
    if (strcmp(word, "route") == 0) {
        *position = depth | turn_skip_route(exchange, step);
    } else if (strcmp(word, "router") == 0) {
        *position = depth | turn_skip_router(exchange, step);
    } else {
        return false;
    }
    return true;
}

/* next([err]): runs what stands behind this handler and returns when that has returned; with an error, raises it. */
static int dispatch_next(lua_State *L)
{
    const struct http_object *request = lua_touserdata(L, lua_upvalueindex(NEXT_REQUEST));
    struct exchange *exchange = request->exchange;
    if (exchange == NULL) {
        return luaL_error(L, "next() was called after the request was over");
    }
    if (lua_toboolean(L, lua_upvalueindex(NEXT_CALLED))) {
        return luaL_error(L, "next() was called twice by one handler");
    }
    lua_pushboolean(L, 1);
    lua_replace(L, lua_upvalueindex(NEXT_CALLED));
    size_t position = (size_t)lua_tointeger(L, lua_upvalueindex(NEXT_POSITION));
    if (!lua_isnoneornil(L, 1) && !leave(L, exchange, &position)) {
        lua_settop(L, 1);
        return lua_error(L);
    }
    if (exchange->is_client_gone) {
        error_raise(L, "CancelError", "aborted", 499, "the client has gone");
    }
    int count = push_handler(L, exchange, position, lua_upvalueindex(NEXT_REQUEST),
                             lua_upvalueindex(NEXT_RESPONSE));
    if (count < 0) {
        exchange->step = (size_t)lua_tointeger(L, lua_upvalueindex(NEXT_STEP));
        return 0;
    }
    lua_callk(L, count, 1, 0, after_next);
    return after_next(L, LUA_OK, 0);
}

static int after_main(lua_State *L, int status, lua_KContext context)
{
    struct exchange *exchange = exchange_of(context);
    if (status != LUA_OK && status != LUA_YIELD) {
        return failure_answer(L, exchange);
    }
    if (exchange->state == EXCHANGE_OPEN) {
        const char *message = lua_pushfstring(
            L,
            "the handler at %s returned without answering: call res:send or next(), "
            "or res:detach() when another task answers",
            exchange->last != NULL ? exchange->last->where : "?");
        error_push(L, "HttpError", "no_response", 500, message);
        return failure_answer(L, exchange);
    }
    return hooks_finish(L, exchange);
}

int dispatch_main(lua_State *L)
{
    struct exchange *exchange = lua_touserdata(L, AT_EXCHANGE);
    lua_pushcfunction(L, error_traceback);
    request_push(L, exchange);
    response_push(L, exchange);
    request_set_response(L, AT_REQUEST, AT_RESPONSE);
    lua_pushcfunction(L, run_chain);
    lua_pushvalue(L, AT_REQUEST);
    lua_pushvalue(L, AT_RESPONSE);
    int status = lua_pcallk(L, 2, 0, AT_TRACEBACK, (lua_KContext)exchange, after_main);
    return after_main(L, status, (lua_KContext)exchange);
}
