/* route_options.c - the table that may stand behind the path of a route: { name =, params =, query =, headers =, body = }.
 * Owns nothing.  What checks a request becomes a handler before all others: functions are such handlers themselves, anything else is
 * a schema for fsd.schema, which makes one handler of them.
 * Called by register.c.  Must not know what a schema is. */
#include "worker/http/app/route_options.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/options.h"
#include "worker/http/app/handler.h"
#include "worker/http/app/register.h"

bool route_options_test(lua_State *L, int index)
{
    return lua_istable(L, index) && lua_rawlen(L, index) == 0 && !handler_is(L, index);
}

static const char *const option_names[] = {"name", "params", "query", "headers", "body"};

static void check_option_names(lua_State *L, int index)
{
    const char *fault = options_push_fault(L, index, "a route", option_names,
                                           sizeof(option_names) / sizeof(option_names[0]));
    if (fault != NULL) {
        luaL_argerror(L, index, fault);
    }
}

/* The function that checks requests against the schemas of a table, which it takes from the top. */
static void push_check(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "fsd.schema");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "handler");
    lua_replace(L, -2);
    lua_insert(L, -2);
    lua_pushinteger(L, 3); /* the level of who called the method that this runs in */
    lua_call(L, 2, 1);
}

const char *route_options_read(lua_State *L, int options, int into)
{
    bool has_schemas = false;
    check_option_names(L, options);
    int type = lua_getfield(L, options, "name");
    luaL_argcheck(L, type == LUA_TNIL || (type == LUA_TSTRING && lua_rawlen(L, -1) > 0), options,
                  "name must be a string");
    const char *name = lua_tostring(L, -1); /* the options have it */
    lua_pop(L, 1);
    lua_newtable(L);
    for (size_t i = 1; i < sizeof(option_names) / sizeof(option_names[0]); i++) {
        type = lua_getfield(L, options, option_names[i]);
        if (type == LUA_TFUNCTION) {
            register_gather(L, lua_gettop(L), into, false);
        } else if (type != LUA_TNIL) {
            has_schemas = true;
            lua_pushvalue(L, -1);
            lua_setfield(L, -3, option_names[i]);
        }
        lua_pop(L, 1);
    }
    if (has_schemas) {
        push_check(L);
        register_gather(L, lua_gettop(L), into, false);
    }
    lua_pop(L, 1);
    return name;
}
