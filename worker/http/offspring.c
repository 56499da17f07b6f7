/* offspring.c - tasks that a request has spawned for itself: req:spawn.
 * Owns nothing; their handles stand in a list in req's own table.  When the handlers have ended, the request waits for these tasks, as
 * fsd.task.all does: the first error is the request's, and ends the others; a request that fails or is cancelled cancels them.
 * Called by dispatch.c and failure.c, for requests that have such tasks.  Must not know how a task runs. */
#include "worker/http/offspring.h"

#include <lauxlib.h>

#include "worker/http/exchange.h"
#include "worker/http/failure.h"
#include "worker/http/request/request.h"
#include "worker/http/response/response_detach.h"
#include "worker/http/runner.h"

static const char list_key = 0; /* its address: where req's own table has the list */

int offspring_adopt(lua_State *L)
{
    struct exchange *exchange = request_check(L);
    lua_settop(L, 2);
    request_push_store(L);
    if (lua_rawgetp(L, 3, &list_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, 3, &list_key);
    }
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    exchange->has_offspring = true;
    return 0;
}

/* Calls a function of runner.lua with the list; req is at index 1. */
static void push_call(lua_State *L, const char *name)
{
    runner_push(L, name);
    request_push_store(L);
    lua_rawgetp(L, -1, &list_key);
    lua_remove(L, -2);
}

static int after_join(lua_State *L, int status, lua_KContext context)
{
    (void)status; /* an error does not come here: the call is not protected */
    struct exchange *exchange = exchange_of(context);
    exchange->has_offspring = false;
    return response_detach_wait(L, exchange);
}

int offspring_join(lua_State *L, struct exchange *exchange)
{
    if (!exchange->has_offspring) {
        return response_detach_wait(L, exchange);
    }
    push_call(L, "join");
    lua_callk(L, 1, 0, (lua_KContext)exchange, after_join);
    return after_join(L, LUA_OK, (lua_KContext)exchange);
}

static int cancel(lua_State *L)
{
    push_call(L, "cancel");
    lua_call(L, 1, 0);
    return 0;
}

void offspring_cancel(lua_State *L, struct exchange *exchange)
{
    if (exchange->has_offspring) {
        exchange->has_offspring = false;
        lua_pushcfunction(L, cancel);
        lua_pushvalue(L, AT_REQUEST);
        if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
            lua_pop(L, 1); /* they end with their own deadlines */
        }
    }
}
