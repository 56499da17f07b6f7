/* hooks.c - app:hook("send") and app:hook("response"): at the end of a request, whatever has answered it.
 * Owns nothing.  The hooks are those of where the handler that was called last belongs, and of what is around that.  While the hooks of
 * "send" run, the answer that stands is put aside, so that they can set headers; those of "response" run when it has left.  What they raise
 * is logged, and changes nothing.  What middleware adds to one request, without waiting and before an answer is judged, is head.c's:
 * its functions run inside the call that answers, these behind it, as the last that may change a head.
 * Called by dispatch.c and failure.c; an application without such hooks passes through one test.  Must not know routes. */
#include "worker/http/hooks.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/http/app/plan.h"
#include "worker/http/dispatch.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/failure.h"
#include "worker/http/request/request.h"
#include "worker/http/runner.h"
#include "worker/http/service.h"

static const struct scope *find_scope(const struct exchange *exchange)
{
    if (exchange->last_step < exchange->chain.count) {
        const struct app_route *route = exchange->chain.steps[exchange->last_step].entry->value;
        return route->scope;
    }
    return exchange->edition->plan->root;
}

static void push_functions(lua_State *L, const struct exchange *exchange,
                           const struct app_handlers *handlers)
{
    lua_createtable(L, (int)handlers->count, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->edition->values_ref);
    for (size_t i = 0; i < handlers->count; i++) {
        lua_rawgeti(L, -1, handlers->items[i].index);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
    }
    lua_pop(L, 1);
}

bool hooks_hold(const struct exchange *exchange)
{
    return exchange->edition->plan->has_send_hooks && !exchange->is_sealed;
}

static void seal(struct exchange *exchange)
{
    if (exchange->is_open_for_hooks && exchange->state == EXCHANGE_OPEN) {
        exchange->state = EXCHANGE_ANSWERED;
    }
    exchange->is_open_for_hooks = false;
    exchange->is_sealed = true;
}

int hooks_seal(lua_State *L)
{
    seal(request_check(L));
    return 0;
}

static void log_error(lua_State *L, struct exchange *exchange)
{
    error_wrap(L);
    failure_log(L, exchange, "error in a hook", lua_gettop(L));
    lua_pop(L, 1);
}

static int after_finish(lua_State *L, int status, lua_KContext context)
{
    struct exchange *exchange = exchange_of(context);
    if (status != LUA_OK && status != LUA_YIELD && !exchange->is_client_gone) {
        log_error(L, exchange);
    }
    seal(exchange);
    dispatch_close(exchange);
    return 0;
}

static int after_call(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

/* Protected: req, res -> nothing. */
static int run(lua_State *L)
{
    struct exchange *exchange = ((struct http_object *)lua_touserdata(L, 1))->exchange;
    const struct scope *scope = find_scope(exchange);
    bool is_open = exchange->state == EXCHANGE_ANSWERED && exchange->stream == NULL &&
                   !exchange->is_sealed && exchange->req != NULL;
    static const struct app_handlers none = {NULL, 0};
    runner_push(L, "finish");
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    push_functions(L, exchange, is_open ? &scope->send : &none);
    push_functions(L, exchange, &scope->response);
    if (is_open) {
        exchange->is_open_for_hooks = true;
        exchange->state = EXCHANGE_OPEN;
    }
    lua_callk(L, 4, 0, (lua_KContext)exchange, after_call);
    return 0;
}

int hooks_finish(lua_State *L, struct exchange *exchange)
{
    const struct plan *plan = exchange->edition->plan;
    if ((!plan->has_send_hooks && !plan->has_response_hooks) || exchange->is_client_gone) {
        dispatch_close(exchange);
        return 0;
    }
    lua_settop(L, AT_RESPONSE);
    lua_pushcfunction(L, run);
    lua_pushvalue(L, AT_REQUEST);
    lua_pushvalue(L, AT_RESPONSE);
    int status = lua_pcallk(L, 2, 0, AT_TRACEBACK, (lua_KContext)exchange, after_finish);
    return after_finish(L, status, (lua_KContext)exchange);
}

void hooks_before_stream(lua_State *L, struct exchange *exchange)
{
    if (!hooks_hold(exchange) || exchange->state != EXCHANGE_OPEN) {
        return;
    }
    int top = lua_gettop(L);
    exchange->is_sealed = true; /* first: a hook may write as well */
    runner_push(L, "before_stream");
    lua_pushvalue(L, 1);
    push_functions(L, exchange, &find_scope(exchange)->send);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) { /* as of those that see a whole answer */
        log_error(L, exchange);
    }
    lua_settop(L, top);
}
