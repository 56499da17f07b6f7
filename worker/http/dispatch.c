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
#include "worker/http/app.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/failure.h"
#include "worker/http/native.h"
#include "worker/http/request.h"
#include "worker/http/response.h"
#include "worker/http/service.h"

/* Upvalues of next. */
enum {
    NEXT_REQUEST = 1,
    NEXT_RESPONSE,
    NEXT_POSITION,
    NEXT_STEP,
    NEXT_CALLED,
    NEXT_COUNT = NEXT_CALLED
};

/* A position is a step of the chain and a handler of its route. */
enum { HANDLER_BITS = 8 };

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

/* The next handler at or behind the position that serves the request's method; NULL when there is none. */
static const struct app_handler *find_handler(const struct exchange *exchange, size_t *position)
{
    const struct view *view = &exchange->view;
    size_t step = *position >> HANDLER_BITS;
    size_t handler = *position & ((1U << HANDLER_BITS) - 1);
    for (; step < exchange->chain.count; step++, handler = 0) {
        const struct router_entry *entry = exchange->chain.steps[step].entry;
        const struct app_route *route = entry->value;
        if (handler < route->count &&
            (handler > 0 || router_entry_takes(entry, view->method.base, view->method.len))) {
            *position = step << HANDLER_BITS | handler;
            return &route->handlers[handler];
        }
    }
    return NULL;
}

/* "GET, HEAD" of the routes that match the path but not the method; empty when none does. */
static h2o_iovec_t list_methods(struct exchange *exchange)
{
    h2o_mem_pool_t *pool = &exchange->req->pool;
    h2o_iovec_t list = h2o_iovec_init(NULL, 0);
    for (size_t i = 0; i < exchange->chain.count; i++) {
        const struct router_entry *entry = exchange->chain.steps[i].entry;
        if (entry->kind != ROUTER_ROUTE || entry->method == NULL ||
            (list.len > 0 &&
             h2o_strstr(list.base, list.len, entry->method, entry->method_len) != SIZE_MAX)) {
            continue;
        }
        bool adds_head =
            strcmp(entry->method, "GET") == 0 &&
            (list.len == 0 || h2o_strstr(list.base, list.len, H2O_STRLIT("HEAD")) == SIZE_MAX);
        const char *with_head = adds_head ? ", HEAD" : "";
        list = h2o_concat(pool, list, h2o_iovec_init(", ", list.len > 0 ? 2 : 0),
                          h2o_iovec_init(entry->method, entry->method_len),
                          h2o_iovec_init(with_head, strlen(with_head)));
    }
    return list;
}

static bool is_method(const struct exchange *exchange, const char *method)
{
    return h2o_memis(exchange->view.method.base, exchange->view.method.len, method, strlen(method));
}

/* Whether some route of the chain served the method: then a missing answer is a 404, not a 405. */
static bool was_served(const struct exchange *exchange)
{
    const struct view *view = &exchange->view;
    for (size_t i = 0; i < exchange->chain.count; i++) {
        const struct router_entry *entry = exchange->chain.steps[i].entry;
        if (entry->kind == ROUTER_ROUTE &&
            router_entry_takes(entry, view->method.base, view->method.len)) {
            return true;
        }
    }
    return false;
}

static void answer_page(struct exchange *exchange, int status, const char *message)
{
    exchange_answer(exchange, status, answer_error_body(exchange->req, status, message));
}

/* Nobody serves it: OPTIONS gets the list of methods, another method of a known path 405, the rest 404. */
static void answer_unmatched(struct exchange *exchange)
{
    h2o_iovec_t methods = was_served(exchange) ? h2o_iovec_init(NULL, 0) : list_methods(exchange);
    if (methods.len == 0) {
        answer_page(exchange, 404, "Not Found");
        return;
    }
    answer_set_allow(exchange->req, methods);
    if (is_method(exchange, "OPTIONS")) {
        exchange_answer(exchange, 200, methods);
    } else {
        answer_page(exchange, 405, "Method Not Allowed");
    }
}

static void answer_with_native(struct exchange *exchange, const struct native_answer *native)
{
    h2o_req_t *req = exchange->req;
    h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, native->content_type,
                   strlen(native->content_type), 0);
    exchange_answer(exchange, native->status, h2o_strdup(&req->pool, native->body, native->len));
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
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->edition->handlers_ref);
    lua_rawgeti(L, -1, handler->index);
    lua_replace(L, -2);
    lua_pushvalue(L, request);
    lua_pushvalue(L, response);
    exchange->last = handler;
    recorder_note_place(&exchange->service->runtime->recorder, &exchange->ticket, handler->where);
    return 2;
}

/* Pushes the function at or behind the position with its arguments and returns their number; -1 when the answer was given
 * without Lua. */
static int push_handler(lua_State *L, struct exchange *exchange, size_t position, int request,
                        int response)
{
    bool is_open = exchange->state == EXCHANGE_OPEN;
    const struct app_handler *handler = find_handler(exchange, &position);
    bool is_missing = handler == NULL && is_open && exchange->edition->app->missing.index != 0 &&
                      (was_served(exchange) || list_methods(exchange).len == 0);
    if (is_missing) {
        handler = &exchange->edition->app->missing;
    }
    if (handler == NULL) {
        if (is_open) {
            answer_unmatched(exchange);
        }
        return -1;
    }
    if (handler->native != NULL) {
        if (is_open) {
            answer_with_native(exchange, handler->native);
        }
        return -1;
    }
    int count = push_call(L, exchange, handler, request, response);
    if (is_missing) {
        exchange->step =
            exchange->chain.count; /* it is mounted nowhere, and nothing stands behind it */
        return count;
    }
    exchange->step = position >> HANDLER_BITS;
    if (handler->wants_next) {
        push_next(L, position + 1, exchange->step, request, response);
        count++;
    }
    return count;
}

static int after_chain(lua_State *L, int status, lua_KContext context)
{
    (void)status; /* an error does not come here: the call is not protected */
    response_take_result(L, exchange_of(context));
    return 0;
}

/* Protected: req, res -> nothing.  Upvalue-free; the exchange is found through req. */
static int run_chain(lua_State *L)
{
    struct exchange *exchange = ((struct http_object *)lua_touserdata(L, 1))->exchange;
    int count = push_handler(L, exchange, 0, 1, 2);
    if (count < 0) {
        return 0;
    }
    lua_callk(L, count, 1, (lua_KContext)exchange, after_chain);
    return after_chain(L, LUA_OK, (lua_KContext)exchange);
}

static int after_next(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)
        context; /* a coroutine of the application's own may come back here when the request is long over */
    const struct http_object *request = lua_touserdata(L, lua_upvalueindex(NEXT_REQUEST));
    struct exchange *exchange = request->exchange;
    if (exchange != NULL) {
        response_take_result(L, exchange);
        exchange->step =
            (size_t)lua_tointeger(L, lua_upvalueindex(NEXT_STEP)); /* req.params again */
    }
    return 0;
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
    if (!lua_isnoneornil(L, 1)) {
        lua_settop(L, 1);
        return lua_error(L);
    }
    if (exchange->is_client_gone) {
        error_raise(L, "CancelError", "aborted", 499, "the client has gone");
    }
    size_t position = (size_t)lua_tointeger(L, lua_upvalueindex(NEXT_POSITION));
    int count = push_handler(L, exchange, position, lua_upvalueindex(NEXT_REQUEST),
                             lua_upvalueindex(NEXT_RESPONSE));
    if (count < 0) {
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
            L, "the handler at %s returned without answering: call res:send or next()",
            exchange->last != NULL ? exchange->last->where : "?");
        error_push(L, "HttpError", "no_response", 500, message);
        return failure_answer(L, exchange);
    }
    dispatch_close(exchange);
    return 0;
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
