/* head.c - what wants to see the head of an answer before it stands: a session that is to be saved, a time that is to be told.
 * Owns the list of functions, by a reference into Lua's registry that an exchange without them does not have.  They run where the answer is
 * given, inside the call that gives it (res:send and the others, a handler's return, a page for an error), so headers can still
 * be set; an answer that was given can't be changed any more.  They are of one request and can't wait; app:hook("send"), of an application,
 * can, and runs behind them (hooks.c).
 * Called by whoever answers, and by exchange.c at the end.  Must not know what the functions do. */
#include "worker/http/head.h"

#include <lauxlib.h>

#include "worker/core/runtime.h"
#include "worker/http/exchange.h"
#include "worker/http/response/response.h"
#include "worker/http/service.h"

int head_before(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (exchange->state != EXCHANGE_OPEN || exchange->stream != NULL) {
        return 0;
    }
    if (exchange->head_ref == LUA_NOREF) {
        lua_newtable(L);
        exchange->head_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->head_ref);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    return 0;
}

/* Upvalue-free: the list -> nothing. */
static int run_all(lua_State *L)
{
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, 1); i > 0; i--) {
        lua_rawgeti(L, 1, i);
        lua_call(L, 0, 0);
    }
    return 0;
}

/* Pushes run_all and the list, which nobody else has any more.  False: there is none. */
static bool take(lua_State *L, struct exchange *exchange)
{
    if (exchange->head_ref == LUA_NOREF) {
        return false;
    }
    luaL_checkstack(L, 4, NULL);
    lua_pushcfunction(L, run_all);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->head_ref);
    head_drop(L, exchange);
    return exchange->stream == NULL && !exchange->is_client_gone;
}

void head_run(lua_State *L, struct exchange *exchange)
{
    int top = lua_gettop(L);
    if (exchange->head_ref == LUA_NOREF) {
        return;
    }
    if (take(L, exchange)) {
        lua_call(L, 1, 0);
        if (exchange->state != EXCHANGE_OPEN) {
            luaL_error(L, "a function that runs before the head cannot answer");
        }
    }
    lua_settop(L, top);
}

int head_try(lua_State *L, struct exchange *exchange)
{
    int top = lua_gettop(L);
    if (take(L, exchange) && lua_pcall(L, 1, 0, 0) != LUA_OK) {
        return 0;
    }
    lua_settop(L, top);
    return 1;
}

void head_drop(lua_State *L, struct exchange *exchange)
{
    if (exchange->head_ref != LUA_NOREF) {
        luaL_unref(L, LUA_REGISTRYINDEX, exchange->head_ref);
        exchange->head_ref = LUA_NOREF;
    }
}
