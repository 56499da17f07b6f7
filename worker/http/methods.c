/* methods.c - the tables of methods of the classes, for the methods that are written in Lua.
 *   core.methods("request"|"response"|"app") -> table, name to function
 * Owns nothing: the tables stand behind the __index of each class, and what lua/fsd/http/ puts into them is there for every
 * application, as if it were in C.  Methods where speed counts are in C; those that only arrange calls of others may be in Lua.
 * Called once a worker, when fsd.http is loaded.  Must not know what the methods do. */
#include "worker/http/methods.h"

#include <lauxlib.h>

#include "worker/http/app.h"
#include "worker/http/request.h"
#include "worker/http/response.h"

static const char *const classes[] = {REQUEST_METATABLE, RESPONSE_METATABLE, APP_METATABLE};

int methods_get(lua_State *L)
{
    static const char *const names[] = {"request", "response", "app", NULL};
    int class = luaL_checkoption(L, 1, NULL, names);
    luaL_getmetatable(L, classes[class]);
    if (lua_getfield(L, -1, "__index") == LUA_TFUNCTION) {
        (void)lua_getupvalue(L, -1,
                             1); /* the fields that are made when asked for stand there, too */
    }
    return 1;
}
