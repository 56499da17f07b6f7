/* mount.c - what is around the routes: middleware, routers, other applications, and what answers errors and unknown paths.
 *   app:use([path | paths,] handler | router | app | list ...) -> app      app:mount = app:use
 *   app:on_error(fn) -> app      app:not_found(handler) -> app
 *   app:hook("request" | "pre_handler" | "send" | "response", fn) -> app
 * Owns nothing.  What is mounted stands in the array of values of the application, so that it lives as long; it may get routes later, and
 * may be mounted in several places, but not in itself.
 * Called while an application loads.  Must not know requests. */
#include "worker/http/app/mount.h"

#include <string.h>

#include "worker/core/app_list.h"
#include "worker/http/app/app.h"
#include "worker/http/app/register.h"
#include "worker/http/app/rule.h"
#include "worker/http/native.h"

enum {
    /* Each next() is a C call within Lua, which allows 200 (LUAI_MAXCCALLS); with a route's handlers this leaves room for the rest. */
    MIDDLEWARE_MAX = 120,
};

/* Where things stand on the stack of app:use. */
struct use {
    struct app *app;
    int paths; /* the path or the list of them; 0: "/" */
    int path_count;
    int list;   /* what is to be mounted */
    int values; /* the application's array */
    char where[RULE_PLACE_MAX];
};

static bool contains(const struct app *app, const struct app *other)
{
    if (app == other) {
        return true;
    }
    for (const struct app_rule *rule = app->rules; rule != NULL; rule = rule->next) {
        if (rule->kind == RULE_MOUNT && contains(rule->mounted, other)) {
            return true;
        }
    }
    return false;
}

static struct app_rule *add_rule(lua_State *L, const struct use *use, enum app_rule_kind kind,
                                 int i)
{
    struct rule_text text = {.kind = kind, .path = "/", .path_len = 1};
    if (use->paths != 0) {
        text.path = register_push_path(L, use->paths, i, &text.path_len);
    } else {
        lua_pushnil(L);
    }
    struct app_rule *rule = rule_add(use->app, &text);
    lua_pop(L, 1);
    rule->call = use->app->calls;
    rule->group = use->app->calls << 1 | 1;
    memcpy(rule->where, use->where, sizeof(rule->where));
    return rule;
}

/* The handlers from the i-th of the list up to the next thing that is mounted; returns the number behind them. */
static int add_middleware(lua_State *L, struct use *use, int i)
{
    int count = (int)lua_rawlen(L, use->list);
    use->app->calls++;
    struct app_rule *rule = add_rule(L, use, RULE_MIDDLEWARE, 1);
    for (; i <= count; i++) {
        lua_rawgeti(L, use->list, i);
        if (app_test_any(L, -1) != NULL) {
            lua_pop(L, 1);
            break;
        }
        handler_init(L, handler_add(&rule->handlers), use->values, -1);
        lua_pop(L, 1);
    }
    struct app_handlers handlers = rule->handlers;
    for (int path = 2; path <= use->path_count; path++) {
        struct app_rule *other = add_rule(L, use, RULE_MIDDLEWARE, path);
        for (size_t j = 0; j < handlers.count; j++) {
            *handler_add(&other->handlers) = handlers.items[j];
        }
    }
    use->app->middleware_count += handlers.count;
    if (use->app->middleware_count > MIDDLEWARE_MAX) {
        luaL_error(L, "more than %d middlewares: calls of next() can't be nested deeper",
                   MIDDLEWARE_MAX);
    }
    return i;
}

/* app:on("mount") of what was mounted; it is on the top. */
static void tell_mounted(lua_State *L)
{
    int mounted = lua_gettop(L);
    app_list_find(L, APP_LIST_MOUNT, mounted);
    if (lua_istable(L, -1)) {
        lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = 1; i <= count; i++) {
            lua_rawgeti(L, -1, i);
            lua_pushvalue(L, 1);
            lua_call(L, 1, 0);
        }
    }
    lua_settop(L, mounted);
}

/* The application or router is on the top. */
static void add_mounted(lua_State *L, struct use *use)
{
    int mounted = lua_gettop(L);
    struct app *app = app_test_any(L, mounted);
    if (contains(app, use->app)) {
        luaL_error(L, "cannot mount a router or an application in itself");
    }
    use->app->calls++;
    lua_pushvalue(L, mounted);
    int index = (int)lua_rawlen(L, use->values) + 1;
    lua_rawseti(L, use->values, index);
    for (int i = 1; i <= use->path_count; i++) {
        struct app_rule *rule = add_rule(L, use, RULE_MOUNT, i);
        rule->mounted = app;
        rule->mounted_index = index;
    }
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, mounted, APP_PARENT);
    if (use->paths != 0) {
        lua_pushvalue(L, use->paths);
    } else {
        lua_pushliteral(L, "/");
    }
    lua_setiuservalue(L, mounted, APP_MOUNTPATH);
    tell_mounted(L);
}

static bool is_path(lua_State *L, int index)
{
    if (lua_type(L, index) == LUA_TSTRING) {
        return true;
    }
    if (!lua_istable(L, index) || handler_is(L, index)) {
        return false;
    }
    bool is = lua_rawgeti(L, index, 1) == LUA_TSTRING;
    lua_pop(L, 1);
    return is;
}

static int app_use(lua_State *L)
{
    struct use use = {.app = app_check_any_open(L, "use"), .path_count = 1};
    int first = 2;
    int last = lua_gettop(L);
    if (is_path(L, 2)) {
        use.path_count = register_check_paths(L, 2);
        use.paths = 2;
        first = 3;
    }
    lua_newtable(L);
    use.list = last + 1;
    for (int i = first; i <= last; i++) {
        register_gather(L, i, use.list, true);
    }
    int count = (int)lua_rawlen(L, use.list);
    if (count < 1 || count > APP_HANDLERS_MAX) {
        return luaL_error(L, "expected 1 to %d handlers, got %d", APP_HANDLERS_MAX, count);
    }
    register_describe_call(L, use.where, sizeof(use.where));
    lua_getiuservalue(L, 1, APP_HANDLERS);
    use.values = use.list + 1;
    for (int i = 1; i <= count;) {
        lua_rawgeti(L, use.list, i);
        if (app_test_any(L, -1) != NULL) {
            add_mounted(L, &use);
            i++;
        } else {
            i = add_middleware(L, &use, i);
        }
        lua_settop(L, use.values);
    }
    lua_settop(L, 1);
    return 1;
}

/* Fills a handler with the function at index 2. */
static void set_handler(lua_State *L, struct app_handler *handler)
{
    lua_getiuservalue(L, 1, APP_HANDLERS);
    handler_init(L, handler, -1, 2);
    lua_settop(L, 1);
}

static void check_handler(lua_State *L, bool takes_native)
{
    lua_settop(L, 2);
    if (!handler_is(L, 2) || (!takes_native && native_test(L, 2) != NULL)) {
        luaL_argerror(
            L, 2, lua_pushfstring(L, "handler must be a function, got %s", luaL_typename(L, 2)));
    }
}

static int app_on_error(lua_State *L)
{
    struct app *app = app_check_any_open(L, "on_error");
    check_handler(L, false);
    set_handler(L, handler_add(&app->errors));
    return 1;
}

static int app_not_found(lua_State *L)
{
    struct app *app = app_check_any_open(L, "not_found");
    check_handler(L, true);
    set_handler(L, &app->missing);
    return 1;
}

static int app_hook(lua_State *L)
{
    static const char *const names[] = {"request", "pre_handler", "send", "response", NULL};
    struct app *app = app_check_any_open(L, "hook");
    const char *name = luaL_checkstring(L, 2);
    int hook = 0;
    while (names[hook] != NULL && strcmp(names[hook], name) != 0) {
        hook++;
    }
    luaL_argcheck(L, names[hook] != NULL, 2,
                  "the hooks are \"request\", \"pre_handler\", \"send\" and \"response\"");
    lua_settop(L, 3);
    lua_remove(L, 2);
    if (!handler_is(L, 2) || native_test(L, 2) != NULL) {
        luaL_argerror(L, 3,
                      lua_pushfstring(L, "hook must be a function, got %s", luaL_typename(L, 2)));
    }
    set_handler(L, handler_add(&app->hooks[hook]));
    return 1;
}

const luaL_Reg mount_methods[] = {
    {"hook", app_hook},           {"use", app_use}, {"mount", app_use}, {"on_error", app_on_error},
    {"not_found", app_not_found}, {NULL, NULL},
};
