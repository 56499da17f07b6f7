/* runner.c - the part of dispatching that is written in Lua, for C that calls it.
 * Owns nothing: lua/fsd/http/runner.lua is loaded once a worker, with fsd.http.
 * Called by whoever runs hooks, parameters or tasks of a request.  Must not know what its functions do. */
#include "worker/http/runner.h"

void runner_push(lua_State *L, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "fsd.http.runner");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}
