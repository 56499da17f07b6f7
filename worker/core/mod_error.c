/* mod_error.c - the class Error for lua/fsd/error.lua.
 *   core.wrap(value) -> Error        core.traceback(value) -> Error with the traceback of where it was raised
 * Owns nothing; error.c does the work. */
#include "worker/core/mod_error.h"

#include <lauxlib.h>

#include "worker/core/error.h"

static int mod_wrap(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    error_wrap(L);
    return 1;
}

static const luaL_Reg functions[] = {
    {"wrap", mod_wrap},
    {"traceback", error_traceback},
    {NULL, NULL},
};

int luaopen_fsd_error_core(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
