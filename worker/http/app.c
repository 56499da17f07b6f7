/* app.c - the application object: what fsd.app() returns.
 *   app:get|post|put|patch|delete|head|options|all(path, handler...) -> app
 *   app:method(name, path, handler...) -> app
 *   app:use([path,] handler...) -> app      app:on_error(fn) -> app      app:not_found(fn) -> app
 * Owns the router and the rows of handlers; the Lua functions themselves stand in an array that hangs on the userdata, so
 * that Lua's collector sees the cycle between an application and its handlers.
 * Called while a generation loads; frozen when the server adopts it.  Must not know requests. */
#include "worker/http/app.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/value.h"
#include "worker/http/app_settings.h"
#include "worker/http/native.h"

#define OTHER_METHODS "fsd.App.methods" /* in the registry */

enum {
    /* Each next() is a C call within Lua, which allows 200 (LUAI_MAXCCALLS); together these leave room for the rest. */
    HANDLERS_MAX = 40,    /* of one route */
    MIDDLEWARE_MAX = 120, /* of one application */
    METHOD_MAX = 32,
};

struct app *app_test(lua_State *L, int index)
{
    return luaL_testudata(L, index, APP_METATABLE);
}

struct app *app_check(lua_State *L, const char *verb)
{
    struct app *app = luaL_testudata(L, 1, APP_METATABLE);
    if (app == NULL) {
        luaL_error(L, "call app:%s(...) with a colon", verb);
        __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
    }
    return app;
}

struct app *app_check_open(lua_State *L, const char *verb)
{
    struct app *app = app_check(L, verb);
    if (app->frozen) {
        luaL_error(L, "cannot add to an application that is running: register routes while the "
                      "application loads");
    }
    return app;
}

int app_new(lua_State *L)
{
    if (!lua_isnoneornil(L, 1)) {
        luaL_checktype(L, 1, LUA_TTABLE); /* options; none has a meaning yet */
    }
    struct app *app = lua_newuserdatauv(L, sizeof(*app), APP_VALUES);
    memset(app, 0, sizeof(*app));
    luaL_setmetatable(L, APP_METATABLE);
    for (int i = APP_HANDLERS; i <= APP_VALUES; i++) {
        lua_newtable(L);
        lua_setiuservalue(L, -2, i);
    }
    settings_init(&app->settings);
    app->router = router_new();
    return 1;
}

static int app_gc(lua_State *L)
{
    struct app *app = luaL_checkudata(L, 1, APP_METATABLE);
    router_free(app->router);
    app->router = NULL;
    app->frozen = true; /* for a finalizer that still sees it */
    while (app->routes != NULL) {
        struct app_route *route = app->routes;
        app->routes = route->next;
        free(route);
    }
    return 0;
}

static bool is_callable(lua_State *L, int index)
{
    if (lua_isfunction(L, index)) {
        return true;
    }
    if (luaL_getmetafield(L, index, "__call") == LUA_TNIL) {
        return false;
    }
    lua_pop(L, 1);
    return true;
}

static void describe(lua_State *L, int index, struct app_handler *handler)
{
    lua_Debug info;
    handler->wants_next = true; /* a callable table or C function may take anything */
    if (!lua_isfunction(L, index)) {
        (void)strncpy(handler->where, luaL_typename(L, index), sizeof(handler->where) - 1);
        return;
    }
    lua_pushvalue(L, index);
    lua_getinfo(L, ">Su", &info);
    if (strcmp(info.what, "C") != 0) {
        handler->wants_next = info.isvararg != 0 || info.nparams > 2;
    }
    (void)snprintf(handler->where, sizeof(handler->where), "%.50s:%d", info.short_src,
                   info.linedefined);
}

/* Fills a handler from the value at index, which is appended to the application's array. */
static void set_handler(lua_State *L, struct app_handler *handler, int index)
{
    const struct native_answer *native = native_test(L, index);
    if (native == NULL && !is_callable(L, index)) {
        luaL_argerror(
            L, index,
            lua_pushfstring(L, "handler must be a function, got %s", luaL_typename(L, index)));
    }
    memset(handler, 0, sizeof(*handler));
    handler->native = native;
    describe(L, index, handler);
    lua_getiuservalue(L, 1, APP_HANDLERS);
    handler->index = (int)luaL_len(L, -1) + 1;
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, handler->index);
    lua_pop(L, 1);
}

/* Registers what stands on the stack from first on under one rule. */
static int add_rule(lua_State *L, struct app *app, struct router_rule *rule, int first)
{
    int count = lua_gettop(L) - first + 1;
    if (count < 1 || count > HANDLERS_MAX) {
        return luaL_error(L, "expected 1 to %d handlers, got %d", HANDLERS_MAX, count);
    }
    struct app_route *route =
        calloc(1, sizeof(*route) + (size_t)count * sizeof(struct app_handler));
    if (route == NULL) {
        abort();
    }
    route->next = app->routes; /* owned by the application from here on, whatever raises below */
    app->routes = route;
    route->count = (size_t)count;
    for (int i = 0; i < count; i++) {
        set_handler(L, &route->handlers[i], first + i);
    }
    struct fsd_err err;
    rule->value = route;
    if (router_add(app->router, rule, &err) != 0) {
        return luaL_error(L, "%s", err.text);
    }
    lua_settop(L, 1);
    return 1;
}

static int add_route(lua_State *L, const char *method, int path_index)
{
    struct app *app = app_check_open(L, method == NULL ? "all" : "method");
    struct router_rule rule = {.kind = ROUTER_ROUTE, .method = method};
    rule.path = luaL_checklstring(L, path_index, &rule.path_len);
    return add_rule(L, app, &rule, path_index + 1);
}

/* app:get(...) and its like; the upvalue is the method, nil for app:all. */
static int app_verb(lua_State *L)
{
    const char *method = lua_tostring(L, lua_upvalueindex(1));
    (void)app_check_open(L, lua_tostring(L, lua_upvalueindex(2)));
    return add_route(L, method, 2);
}

static int app_method(lua_State *L)
{
    (void)app_check_open(L, "method");
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    char method[METHOD_MAX];
    luaL_argcheck(L, len > 0 && len < sizeof(method), 2, "not an HTTP method");
    for (size_t i = 0; i < len; i++) {
        luaL_argcheck(L, isalnum((unsigned char)name[i]) || name[i] == '-', 2,
                      "not an HTTP method");
        method[i] = (char)toupper((unsigned char)name[i]);
    }
    method[len] = '\0';
    return add_route(L, method, 3);
}

static int app_use(lua_State *L)
{
    struct app *app = app_check_open(L, "use");
    struct router_rule rule = {.kind = ROUTER_PREFIX, .path = "/", .path_len = 1};
    int first = 2;
    app->middleware_count += (size_t)(lua_gettop(L) - 1);
    if (app->middleware_count > MIDDLEWARE_MAX) {
        return luaL_error(L, "more than %d middlewares: calls of next() can't be nested deeper",
                          MIDDLEWARE_MAX);
    }
    if (lua_type(L, 2) == LUA_TSTRING) {
        rule.path = lua_tolstring(L, 2, &rule.path_len);
        first = 3;
    }
    return add_rule(L, app, &rule, first);
}

static int app_on_error(lua_State *L)
{
    struct app *app = app_check_open(L, "on_error");
    lua_settop(L, 2);
    luaL_argcheck(L, native_test(L, 2) == NULL, 2, "handler must be a function");
    set_handler(L, &app->error, 2);
    lua_settop(L, 1);
    return 1;
}

static int app_not_found(lua_State *L)
{
    struct app *app = app_check_open(L, "not_found");
    lua_settop(L, 2);
    set_handler(L, &app->missing, 2);
    lua_settop(L, 1);
    return 1;
}

void app_freeze(struct app *app)
{
    if (!app->frozen) {
        router_freeze(app->router);
        app->frozen = true;
    }
}

static const luaL_Reg methods[] = {
    {"method", app_method},       {"use", app_use}, {"on_error", app_on_error},
    {"not_found", app_not_found}, {NULL, NULL},
};

static const char *const verbs[][2] = {
    {"get", "GET"},       {"post", "POST"}, {"put", "PUT"},         {"patch", "PATCH"},
    {"delete", "DELETE"}, {"head", "HEAD"}, {"options", "OPTIONS"}, {"all", NULL},
};

void app_add_methods(lua_State *L, const luaL_Reg *others)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, OTHER_METHODS);
    luaL_setfuncs(L, others, 0);
    lua_pop(L, 1);
}

/* Into the table on the top. */
static void copy_other_methods(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, OTHER_METHODS);
    value_move_pairs(L);
}

void app_register(lua_State *L)
{
    luaL_newmetatable(L, APP_METATABLE);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, app_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, methods);
    luaL_setfuncs(L, app_settings_methods, 0);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        lua_pushstring(L, verbs[i][1]);
        lua_pushstring(L, verbs[i][0]);
        lua_pushcclosure(L, app_verb, 2);
        lua_setfield(L, -2, verbs[i][0]);
    }
    copy_other_methods(L);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
