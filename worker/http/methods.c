/* methods.c - the tables of methods of the classes, for the methods that are written in Lua.
 *   core.methods("request"|"response"|"app") -> table, name to function
 *   core.own.option_fault(options, what, {names}) -> what is wrong with a table of options, or nil
 *   core.own.reason(status) -> "Not Found"
 * Owns nothing: the tables stand behind the __index of each class, and what lua/fsd/http/ puts into them is there for every
 * application, as if it were in C.  Methods where speed counts are in C; those that only arrange calls of others may be in Lua.
 * Called once a worker, when fsd.http is loaded.  Must not know what the methods do. */
#include "worker/http/methods.h"

#include <lauxlib.h>

#include "worker/core/options.h"
#include "worker/http/app/app.h"
#include "worker/http/request/request.h"
#include "worker/http/response/response.h"
#include "worker/http/text/header_text.h"

static const char *const classes[] = {REQUEST_METATABLE, RESPONSE_METATABLE, APP_METATABLE};

static void push_methods(lua_State *L, size_t class)
{
    luaL_getmetatable(L, classes[class]);
    if (lua_getfield(L, -1, "__index") == LUA_TFUNCTION) {
        (void)lua_getupvalue(L, -1,
                             1); /* the fields that are made when asked for stand there, too */
    }
}

int methods_get(lua_State *L)
{
    static const char *const names[] = {"request", "response", "app", NULL};
    push_methods(L, (size_t)luaL_checkoption(L, 1, NULL, names));
    return 1;
}

bool methods_have(lua_State *L, const char *name)
{
    int top = lua_gettop(L);
    bool has = false;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]) && !has; i++) {
        push_methods(L, i);
        lua_pushstring(L, name);
        has = lua_rawget(L, -2) == LUA_TFUNCTION;
        lua_settop(L, top);
    }
    return has;
}

enum { OPTIONS_MAX = 64 };

int methods_find_option_fault(lua_State *L)
{
    const char *names[OPTIONS_MAX];
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *what = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    size_t count = 0;
    while (count < OPTIONS_MAX && lua_rawgeti(L, 3, (lua_Integer)count + 1) == LUA_TSTRING) {
        names[count++] = lua_tostring(L, -1); /* the list holds it */
        lua_pop(L, 1);
    }
    if (options_push_fault(L, 1, what, names, count) == NULL) {
        lua_pushnil(L);
    }
    return 1;
}

int methods_get_reason(lua_State *L)
{
    lua_pushstring(L, header_text_reason((int)luaL_checkinteger(L, 1)));
    return 1;
}
