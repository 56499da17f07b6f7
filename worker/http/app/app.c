/* app.c - the objects that applications are made of: what fsd.app() and fsd.router() return.
 *   fsd.app([{ name = }]) -> app      fsd.router([{ case_sensitive =, merge_params =, strict = }]) -> router
 *   app.locals  app.request  app.response      tables of the application's own
 *   app.mountpath  app.parent  app.settings  app.router  app.name      app:path() -> string
 * Owns the classes "fsd.App" and "fsd.Router", two faces of one struct; the Lua functions that it is given stand in an array that hangs
 * on the userdata, so that Lua's collector sees the cycle between an application and its handlers.  Its methods stand in app/.
 * Called while a generation loads; frozen when the server adopts it.  Must not know requests. */
#include "worker/http/app/app.h"

#include <lauxlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/options.h"
#include "worker/core/value.h"
#include "worker/http/app/app_settings.h"
#include "worker/http/app/events_route.h"
#include "worker/http/app/flatten.h"
#include "worker/http/app/mount.h"
#include "worker/http/app/param.h"
#include "worker/http/app/plan.h"
#include "worker/http/app/register.h"
#include "worker/http/app/rule.h"
#include "worker/http/app/url.h"

#define OTHER_METHODS "fsd.App.methods" /* in the registry */

enum field { /* numbers in the upvalue of __index */
             FIELD_LOCALS = 1,
             FIELD_REQUEST,
             FIELD_RESPONSE,
             FIELD_MOUNTPATH,
             FIELD_PARENT,
             FIELD_SETTINGS,
             FIELD_ROUTER,
};

struct app *app_test(lua_State *L, int index)
{
    return luaL_testudata(L, index, APP_METATABLE);
}

struct app *app_test_any(lua_State *L, int index)
{
    struct app *app = luaL_testudata(L, index, APP_METATABLE);
    return app != NULL ? app : luaL_testudata(L, index, ROUTER_METATABLE);
}

struct app *app_check(lua_State *L, const char *verb)
{
    struct app *app = app_test(L, 1);
    if (app == NULL) {
        luaL_error(L, "call app:%s(...) with a colon", verb);
        __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
    }
    return app;
}

struct app *app_check_any(lua_State *L, const char *verb)
{
    struct app *app = app_test_any(L, 1);
    return app != NULL ? app : app_check(L, verb);
}

static struct app *check_open(lua_State *L, struct app *app)
{
    if (app->frozen) {
        luaL_error(L, APP_FROZEN);
    }
    return app;
}

struct app *app_check_open(lua_State *L, const char *verb)
{
    return check_open(L, app_check(L, verb));
}

struct app *app_check_any_open(lua_State *L, const char *verb)
{
    return check_open(L, app_check_any(L, verb));
}

void app_push_table(lua_State *L, int index, int value)
{
    index = lua_absindex(L, index);
    if (lua_getiuservalue(L, index, value) == LUA_TTABLE) {
        return;
    }
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, index, value);
}

static struct app *push_new(lua_State *L, const char *metatable)
{
    struct app *app = lua_newuserdatauv(L, sizeof(*app), APP_VALUES);
    memset(app, 0, sizeof(*app));
    luaL_setmetatable(L, metatable);
    app_push_table(L, -1, APP_HANDLERS);
    app_push_table(L, -2, APP_SETTINGS);
    lua_pop(L, 2);
    settings_init(&app->settings);
    return app;
}

/* The table at index 1, if there is one, has no names but these. */
static void check_argument(lua_State *L, const char *of, const char *const *names, size_t count)
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        return;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    options_check(L, 1, of, names, count);
}

int app_new(lua_State *L)
{
    static const char *const names[] = {"name"};
    check_argument(L, "fsd.app", names, 1);
    (void)push_new(L, APP_METATABLE);
    if (lua_istable(L, 1) && lua_getfield(L, 1, "name") != LUA_TNIL) {
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "name must be a string");
        app_push_table(L, 2, APP_OWN);
        lua_insert(L, -2);
        lua_setfield(L, -2, "name");
    }
    lua_settop(L, 2);
    return 1;
}

static bool get_option(lua_State *L, const char *name)
{
    if (!lua_istable(L, 1)) {
        return false;
    }
    int type = lua_getfield(L, 1, name);
    luaL_argcheck(L, type == LUA_TNIL || type == LUA_TBOOLEAN, 1,
                  lua_pushfstring(L, "%s must be true or false", name));
    bool is = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    return is;
}

int app_new_router(lua_State *L)
{
    static const char *const names[] = {"case_sensitive", "merge_params", "strict"};
    check_argument(L, "fsd.router", names, 3);
    bool is_case_sensitive = get_option(L, "case_sensitive");
    bool merges_params = get_option(L, "merge_params");
    bool is_strict = get_option(L, "strict");
    struct app *app = push_new(L, ROUTER_METATABLE);
    app->is_router = true;
    app->is_case_sensitive = is_case_sensitive;
    app->merges_params = merges_params;
    app->is_strict = is_strict;
    return 1;
}

static int app_gc(lua_State *L)
{
    struct app *app = app_test_any(L, 1);
    app->frozen = true; /* for a finalizer that still sees it */
    plan_free(app->plan);
    app->plan = NULL;
    rule_free_all(app->rules);
    app->rules = app->last_rule = NULL;
    handler_free_all(&app->errors);
    param_free_all(app);
    for (size_t i = 0; i < APP_HOOKS; i++) {
        handler_free_all(&app->hooks[i]);
    }
    return 0;
}

int app_freeze(lua_State *L, int index, struct fsd_err *err)
{
    struct app *app = app_test(L, index);
    if (app->plan != NULL && app->plan->is_complete) {
        return 0;
    }
    plan_free(app->plan); /* of an attempt that memory ran out in */
    app->plan = plan_new();
    int error = flatten(L, lua_absindex(L, index), app->plan, err);
    if (error != 0) {
        plan_free(app->plan);
        app->plan = NULL;
    }
    return error;
}

/* app:path(): where it is mounted, seen from the outermost application */
static int app_path(lua_State *L)
{
    (void)app_check_any(L, "path");
    lua_settop(L, 1);
    lua_pushliteral(L, "");
    while (lua_getiuservalue(L, 1, APP_PARENT) != LUA_TNIL) {
        if (lua_getiuservalue(L, 1, APP_MOUNTPATH) == LUA_TTABLE) {
            lua_rawgeti(L, -1, 1);
            lua_replace(L, -2);
        }
        if (strcmp(lua_tostring(L, -1), "/") != 0) {
            lua_pushvalue(L, 2);
            lua_concat(L, 2);
            lua_replace(L, 2);
        }
        lua_settop(L, 3);
        lua_replace(L, 1);
    }
    lua_settop(L, 2);
    return 1;
}

/* app:listen() -> app: Express's habit does no harm */
static int app_listen(lua_State *L)
{
    (void)app_check(L, "listen");
    if (!lua_isnoneornil(L, 2)) {
        return luaL_error(
            L, "an application cannot choose where it listens: that is the operator's, by "
               "`fsd run -p PORT -H ADDRESS` or listeners of the configuration");
    }
    lua_settop(L, 1);
    return 1;
}

/* A copy: settings are changed by app:set, which checks them. */
static void push_settings(lua_State *L)
{
    lua_newtable(L);
    lua_getiuservalue(L, 1, APP_SETTINGS);
    value_move_pairs(L);
}

/* The next application outward; routers between them are left out. */
static void push_parent(lua_State *L)
{
    lua_pushvalue(L, 1);
    do {
        lua_getiuservalue(L, -1, APP_PARENT);
        lua_remove(L, -2);
    } while (!lua_isnil(L, -1) && app_test(L, -1) == NULL);
}

static void push_field(lua_State *L, enum field field)
{
    switch (field) {
    case FIELD_LOCALS:
        app_push_table(L, 1, APP_LOCALS);
        break;
    case FIELD_REQUEST:
        app_push_table(L, 1, APP_REQUEST);
        break;
    case FIELD_RESPONSE:
        app_push_table(L, 1, APP_RESPONSE);
        break;
    case FIELD_MOUNTPATH:
        if (lua_getiuservalue(L, 1, APP_MOUNTPATH) == LUA_TNIL) {
            lua_pushliteral(L, "/");
        }
        break;
    case FIELD_PARENT:
        push_parent(L);
        break;
    case FIELD_SETTINGS:
        push_settings(L);
        break;
    case FIELD_ROUTER: /* Express has one within; here an application is one */
        lua_pushvalue(L, 1);
        break;
    }
}

/* Upvalue: the methods, and numbers of fields. */
static int app_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    int type = lua_rawget(L, lua_upvalueindex(1));
    if (type == LUA_TNUMBER) {
        push_field(L, (enum field)lua_tointeger(L, -1));
    } else if (type == LUA_TNIL && lua_getiuservalue(L, 1, APP_OWN) == LUA_TTABLE) {
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
    }
    return 1;
}

/* app.name = value: the application's own */
static int app_newindex(lua_State *L)
{
    lua_pushvalue(L, 2);
    if (lua_isnil(L, 2) || lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return luaL_error(L, "cannot set app.%s: it is fsd's; use a name of your own",
                          luaL_tolstring(L, 2, NULL));
    }
    app_push_table(L, 1, APP_OWN);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, -3);
    return 0;
}

void app_add_methods(lua_State *L, const luaL_Reg *others)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, OTHER_METHODS);
    luaL_setfuncs(L, others, 0);
    lua_pop(L, 1);
}

static const struct field_row {
    const char *name;
    enum field field;
} fields[] = {
    {"locals", FIELD_LOCALS},       {"request", FIELD_REQUEST}, {"response", FIELD_RESPONSE},
    {"mountpath", FIELD_MOUNTPATH}, {"parent", FIELD_PARENT},   {"settings", FIELD_SETTINGS},
    {"router", FIELD_ROUTER},
};

/* A class whose methods and fields stand in the table on the top, which is popped. */
static void register_class(lua_State *L, const char *metatable)
{
    luaL_newmetatable(L, metatable);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, app_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, app_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, app_newindex, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 2);
}

/* Pushes a table of what routers and applications both have. */
static void push_common_methods(lua_State *L)
{
    lua_newtable(L);
    register_add_verbs(L);
    luaL_setfuncs(L, mount_methods, 0);
    lua_pushcfunction(L, app_path);
    lua_setfield(L, -2, "path");
    lua_pushcfunction(L, events_route_add);
    lua_setfield(L, -2, "sse");
    lua_pushcfunction(L, param_add);
    lua_setfield(L, -2, "param");
    lua_pushcfunction(L, url_of);
    lua_setfield(L, -2, "url");
    lua_pushcfunction(L, url_list_routes);
    lua_setfield(L, -2, "routes");
}

void app_register(lua_State *L)
{
    push_common_methods(L);
    register_class(L, ROUTER_METATABLE);
    push_common_methods(L);
    luaL_setfuncs(L, app_settings_methods, 0);
    lua_pushcfunction(L, app_listen);
    lua_setfield(L, -2, "listen");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        lua_pushinteger(L, fields[i].field);
        lua_setfield(L, -2, fields[i].name);
    }
    luaL_getsubtable(L, LUA_REGISTRYINDEX, OTHER_METHODS);
    value_move_pairs(L);
    register_class(L, APP_METATABLE);
    register_open(L);
}
