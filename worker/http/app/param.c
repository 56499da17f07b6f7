/* param.c - what an application wants to be done with the parameters of its paths.
 *   app:param(name, function(req, res, value, name) ... return converted [, "route" | "router"] end) -> app
 *   app:param(name, "integer" | "number" | "uuid" | "slug") -> app
 * Owns the list of these.  As in Express they count for the paths of the application or router that they are registered on, not for those
 * of what is mounted there.
 * Called while an application loads; flatten.c gives each route what concerns it.  Must not know requests. */
#include "worker/http/app/param.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/app/app.h"

static void add(lua_State *L, struct app *app, enum param_kind kind)
{
    size_t len;
    const char *name = lua_tolstring(L, 2, &len);
    struct app_param *param = calloc(1, sizeof(*param) + len + 1);
    if (param == NULL) {
        abort();
    }
    memcpy(param->name, name, len + 1);
    param->kind = kind;
    struct app_param **end = &app->params;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = param;
    if (kind == PARAM_ANY) {
        lua_getiuservalue(L, 1, APP_HANDLERS);
        lua_pushvalue(L, 3);
        int index = (int)lua_rawlen(L, -2) + 1;
        lua_rawseti(L, -2, index);
        param->index = index;
    }
}

int param_add(lua_State *L)
{
    struct app *app = app_check_any_open(L, "param");
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    luaL_argcheck(L, len > 0 && strlen(name) == len && name[0] != ':', 2,
                  "the name of a parameter, without a colon");
    enum param_kind kind = PARAM_ANY;
    if (lua_type(L, 3) == LUA_TSTRING) {
        kind = param_kind_find(lua_tostring(L, 3));
        luaL_argcheck(L, kind != PARAM_ANY, 3,
                      "must be a function, \"integer\", \"number\", \"uuid\" or \"slug\"");
    } else if (!handler_is(L, 3)) {
        luaL_argerror(L, 3, lua_pushfstring(L, "function expected, got %s", luaL_typename(L, 3)));
    }
    add(L, app, kind);
    lua_settop(L, 1);
    return 1;
}

void param_free_all(struct app *app)
{
    while (app->params != NULL) {
        struct app_param *param = app->params;
        app->params = param->next;
        free(param);
    }
}
