/* app_settings.c - settings of an application, as Lua sees them.
 *   app:set(name, value) -> app     app:setting(name) -> value
 *   app:enable(name) -> app         app:disable(name) -> app      app:enabled(name), app:disabled(name) -> boolean
 * Owns the table of values, a user value of the application; settings.c checks what C needs of them.  What an application does not set is
 * as in the one that it is mounted in, else as by default.
 * Called while an application loads; requests ask for settings by exchange_settings and settings_push. */
#include "worker/http/app/app_settings.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/runtime.h"
#include "worker/http/app/app.h"
#include "worker/http/app/plan.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/settings.h"

/* A name of its own that looks like one of ours is told, once; the values are on the top. */
static void warn_of_typo(lua_State *L, const char *name)
{
    const char *meant = lua_isnil(L, 3) ? NULL : settings_find_nearest(name);
    if (meant != NULL && lua_getfield(L, -1, name) == LUA_TNIL) {
        luaL_where(L, 1);
        logger_write(&runtime_of(L)->logger, LOG_LEVEL_WARNING,
                     "%sapp:set: \"%s\" is no setting of fsd's; did you mean \"%s\"?",
                     lua_tostring(L, -1), name, meant);
        lua_pop(L, 1);
    }
    lua_settop(L, 4);
}

static int set(lua_State *L, struct app *app)
{
    const char *name = luaL_checkstring(L, 2);
    settings_set(L, &app->settings, name, 3);
    lua_getiuservalue(L, 1, APP_SETTINGS);
    warn_of_typo(L, name);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, -3);
    lua_settop(L, 1);
    return 1;
}

static int app_set(lua_State *L)
{
    struct app *app = app_check_open(L, "set");
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    return set(L, app);
}

static int app_enable(lua_State *L)
{
    struct app *app = app_check_open(L, "enable");
    lua_settop(L, 2);
    lua_pushboolean(L, 1);
    return set(L, app);
}

static int app_disable(lua_State *L)
{
    struct app *app = app_check_open(L, "disable");
    lua_settop(L, 2);
    lua_pushboolean(L, 0);
    return set(L, app);
}

/* Pushes the setting called by the string at index 2, of the application at index 1. */
static void push_setting(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    lua_pushvalue(L, 1);
    do {
        lua_getiuservalue(L, -1, APP_SETTINGS);
        if (lua_getfield(L, -1, name) != LUA_TNIL) {
            return;
        }
        lua_pop(L, 2);
    } while (lua_getiuservalue(L, -1, APP_PARENT) != LUA_TNIL);
    (void)settings_push_default(L, name);
}

static int app_setting(lua_State *L)
{
    (void)app_check(L, "setting");
    push_setting(L);
    return 1;
}

static int app_enabled(lua_State *L)
{
    (void)app_check(L, "enabled");
    push_setting(L);
    lua_pushboolean(L, lua_toboolean(L, -1));
    return 1;
}

static int app_disabled(lua_State *L)
{
    (void)app_check(L, "disabled");
    push_setting(L);
    lua_pushboolean(L, !lua_toboolean(L, -1));
    return 1;
}

const luaL_Reg app_settings_methods[] = {
    {"set", app_set},
    {"setting", app_setting},
    {"enable", app_enable},
    {"disable", app_disable},
    {"enabled", app_enabled},
    {"disabled", app_disabled},
    {NULL, NULL},
};

const struct scope *exchange_scope(const struct exchange *exchange)
{
    if (exchange->step < exchange->chain.count) {
        const struct app_route *route = exchange->chain.steps[exchange->step].entry->value;
        return route->scope;
    }
    return exchange->scope != NULL ? exchange->scope : exchange->edition->plan->root;
}

const struct settings *exchange_settings(const struct exchange *exchange)
{
    return &exchange_scope(exchange)->app->settings;
}

int settings_push(lua_State *L, const struct exchange *exchange, const char *name)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->edition->values_ref);
    for (const struct scope *scope = exchange_scope(exchange); scope != NULL;
         scope = scope->app->parent) {
        lua_rawgeti(L, -1, scope->app->settings_value);
        lua_pushstring(L, name);
        int type = lua_rawget(L, -2);
        if (type != LUA_TNIL) {
            lua_replace(L, -3);
            lua_pop(L, 1);
            return type;
        }
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    return settings_push_default(L, name);
}
