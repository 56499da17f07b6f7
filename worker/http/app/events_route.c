/* events_route.c - a route whose answer is a stream of events.
 *   app:sse(path | paths, [options,] [handler...,] function(events, req, res)) -> app
 * Owns nothing.  It is app:get with another last handler: one that opens the stream by res:sse, calls the function with it, and ends the
 * answer when that returns.  What stands before it (a login, a check of the query) is as in app:get.
 * Called while an application loads; the handler for each request.  Must not know what a stream is. */
#include "worker/http/app/events_route.h"

#include <lauxlib.h>

#include "worker/http/app/app.h"
#include "worker/http/app/register.h"

static int after_function(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    lua_settop(L, 0);
    return 0; /* the answer was given */
}

/* req, res, events */
static int after_open(lua_State *L, int status, lua_KContext ctx)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 3, 0, ctx, after_function);
    return after_function(L, status, ctx);
}

/* The handler; the upvalue is the application's function. */
static int answer_events(lua_State *L)
{
    lua_settop(L, 2);
    lua_getfield(L, 2, "sse");
    lua_pushvalue(L, 2);
    lua_callk(L, 1, 1, 0, after_open);
    return after_open(L, LUA_OK, 0);
}

int events_route_add(lua_State *L)
{
    (void)app_check_any_open(L, "sse");
    int last = lua_gettop(L);
    luaL_argexpected(L, last > 2 && lua_isfunction(L, last), last > 2 ? last : 3, "function");
    lua_pushcclosure(L, answer_events, 1);
    return register_verb(L, "sse", "GET");
}
