/* register.c - what app:get and its like are told.
 *   app:get|post|...(path | paths, [options,] handler...) -> app      app:all(...)      app:method(name, ...)
 *   app:route(path | paths) -> route                                  route:get|...|all([options,] handler...) -> route
 * Owns the class "fsd.Route", which remembers an application and a path.  Everything is checked here, so that a mistake is told with the
 * line of the call; what a request meets is worked out later (flatten.c).
 * Called while an application loads.  Must not know requests. */
#include "worker/http/app/register.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "worker/http/app/app.h"
#include "worker/http/app/route_options.h"
#include "worker/http/app/rule.h"
#include "worker/http/route/pattern.h"

#define ROUTE_METATABLE "fsd.Route"

enum { METHOD_MAX = 32, NESTING_MAX = 16 };

/* User values of a route. */
enum { ROUTE_APP = 1, ROUTE_PATH };

struct route {
    unsigned group;
};

/* One call; indices are those of the stack. */
struct call {
    struct app *app;
    int app_index;
    int path;
    int first; /* what stands behind the path */
    int last;
    const char *method; /* NULL: any */
    const char *name;   /* NULL: none */
    unsigned group;     /* of app:route; 0: none */
};

static bool is_app(lua_State *L, int index)
{
    return app_test_any(L, index) != NULL;
}

static bool is_composed(lua_State *L, int index)
{
    if (luaL_getmetafield(L, index, "fsd.composed") == LUA_TNIL) {
        return false;
    }
    lua_pop(L, 1);
    return true;
}

/* What stands where a handler should, and what it was probably meant for. */
static const char *describe(lua_State *L, int index)
{
    if (is_app(L, index)) {
        return "an application or a router: mount it with app:use";
    }
    if (route_options_test(L, index)) {
        return "table: options of a route stand right behind its path, "
               "fsd.schema.handler { ... } checks anywhere";
    }
    return luaL_typename(L, index);
}

static void gather(lua_State *L, int index, int into, bool is_use, int nesting)
{
    if (is_composed(L, index) ||
        (lua_istable(L, index) && !handler_is(L, index) && lua_rawlen(L, index) > 0)) {
        if (nesting == NESTING_MAX) {
            luaL_error(L, "lists of handlers are nested too deep");
        }
        luaL_checkstack(L, 4, NULL);
        lua_Integer count = (lua_Integer)lua_rawlen(L, index);
        for (lua_Integer i = 1; i <= count; i++) {
            lua_rawgeti(L, index, i);
            gather(L, lua_gettop(L), into, is_use, nesting + 1);
            lua_pop(L, 1);
        }
        return;
    }
    handler_refuse_factory(L, index);
    handler_refuse_error_handler(L, index);
    if (!handler_is(L, index) && !(is_use && is_app(L, index))) {
        const char *text =
            lua_pushfstring(L, "handler must be a function, got %s", describe(L, index));
        if (nesting == 0) {
            luaL_argerror(L, index, text);
        }
        luaL_error(L, "%s in a list", text);
    }
    lua_pushvalue(L, index);
    lua_rawseti(L, into, (lua_Integer)lua_rawlen(L, into) + 1);
}

void register_gather(lua_State *L, int index, int into, bool is_use)
{
    gather(L, index, into, is_use, 0);
}

static void check_path(lua_State *L, const char *path, size_t len)
{
    struct pattern pattern;
    struct fsd_err err;
    if (pattern_parse(&pattern, path, len, &err) != 0) {
        luaL_error(L, "%s", err.text);
    }
    pattern_fini(&pattern);
}

int register_check_paths(lua_State *L, int index)
{
    size_t len;
    if (!lua_istable(L, index)) {
        const char *path = luaL_checklstring(L, index, &len);
        check_path(L, path, len);
        return 1;
    }
    int count = (int)lua_rawlen(L, index);
    luaL_argcheck(L, count > 0, index, "path expected, got an empty list");
    for (int i = 1; i <= count; i++) {
        if (lua_rawgeti(L, index, i) != LUA_TSTRING) {
            luaL_argerror(L, index, "a list of paths must have strings only");
        }
        const char *path = lua_tolstring(L, -1, &len);
        check_path(L, path, len);
        lua_pop(L, 1);
    }
    return count;
}

const char *register_push_path(lua_State *L, int index, int i, size_t *ret_len)
{
    if (lua_istable(L, index)) {
        lua_rawgeti(L, index, i);
    } else {
        lua_pushvalue(L, index);
    }
    return lua_tolstring(L, -1, ret_len);
}

void register_describe_call(lua_State *L, char *text, size_t room)
{
    lua_Debug info;
    text[0] = '\0';
    if (lua_getstack(L, 1, &info) != 0 && lua_getinfo(L, "Sl", &info) != 0 &&
        info.currentline > 0) {
        (void)snprintf(text, room, "%.50s:%d", info.short_src, info.currentline);
    }
}

static void copy_handlers(struct app_rule *to, const struct app_rule *from)
{
    for (size_t i = 0; i < from->handlers.count; i++) {
        *handler_add(&to->handlers) = from->handlers.items[i];
    }
}

static void check_name(lua_State *L, const struct app *app, const char *name)
{
    for (const struct app_rule *rule = app->rules; name != NULL && rule != NULL;
         rule = rule->next) {
        if (rule->name != NULL && strcmp(rule->name, name) == 0) {
            luaL_error(L, "the name \"%s\" is taken by the route at %s", name, rule->where);
        }
    }
}

/* The handlers stand in the list on the top. */
static void add_rules(lua_State *L, const struct call *call)
{
    int list = lua_gettop(L);
    int paths = lua_istable(L, call->path) ? (int)lua_rawlen(L, call->path) : 1;
    int count = (int)lua_rawlen(L, list);
    struct app *app = call->app;
    struct app_rule *first = NULL;
    char where[RULE_PLACE_MAX];
    check_name(L, app, call->name);
    register_describe_call(L, where, sizeof(where));
    lua_getiuservalue(L, call->app_index, APP_HANDLERS);
    app->calls++;
    for (int i = 1; i <= paths; i++) {
        struct rule_text text = {RULE_ROUTE, call->method, i == 1 ? call->name : NULL, NULL, 0};
        text.path = register_push_path(L, call->path, i, &text.path_len);
        struct app_rule *rule = rule_add(app, &text);
        lua_pop(L, 1);
        rule->call = app->calls;
        rule->group = call->group != 0 ? call->group : app->calls << 1 | 1;
        memcpy(rule->where, where, sizeof(where));
        for (int j = 1; first == NULL && j <= count; j++) {
            lua_rawgeti(L, list, j);
            handler_init(L, handler_add(&rule->handlers), list + 1, list + 2);
            lua_pop(L, 1);
        }
        if (first != NULL) {
            copy_handlers(rule, first);
        }
        first = first == NULL ? rule : first;
    }
}

/* app:get("etag") reads a setting in Express. */
static void refuse_setting(lua_State *L, const struct call *call)
{
    const char *path = lua_type(L, call->path) == LUA_TSTRING ? lua_tostring(L, call->path) : "/";
    if (call->first > call->last && path[0] != '/' && call->method != NULL &&
        strcmp(call->method, "GET") == 0) {
        luaL_error(L, "app:get is only a route; a setting is read by app:setting(\"%s\")", path);
    }
}

static void register_route(lua_State *L, struct call *call)
{
    refuse_setting(L, call);
    (void)register_check_paths(L, call->path);
    lua_newtable(L);
    int list = lua_gettop(L);
    if (call->first <= call->last && route_options_test(L, call->first)) {
        call->name = route_options_read(L, call->first++, list);
    }
    for (int i = call->first; i <= call->last; i++) {
        register_gather(L, i, list, false);
    }
    int count = (int)lua_rawlen(L, list);
    if (count < 1 || count > APP_HANDLERS_MAX || call->first > call->last) {
        luaL_error(L, "expected 1 to %d handlers, got %d", APP_HANDLERS_MAX, count);
    }
    add_rules(L, call);
}

static struct call call_of_app(lua_State *L, struct app *app, int path)
{
    return (struct call){
        .app = app, .app_index = 1, .path = path, .first = path + 1, .last = lua_gettop(L)};
}

int register_verb(lua_State *L, const char *verb, const char *method)
{
    struct app *app = app_check_any_open(L, verb);
    struct call call = call_of_app(L, app, 2);
    call.method = method;
    register_route(L, &call);
    lua_settop(L, 1);
    return 1;
}

/* app:get(...) and its like; the upvalues are the method, nil for app:all, and the name. */
static int app_verb(lua_State *L)
{
    return register_verb(L, lua_tostring(L, lua_upvalueindex(2)),
                         lua_tostring(L, lua_upvalueindex(1)));
}

static int app_method(lua_State *L)
{
    struct app *app = app_check_any_open(L, "method");
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
    struct call call = call_of_app(L, app, 3);
    call.method = method;
    register_route(L, &call);
    lua_settop(L, 1);
    return 1;
}

static int app_route(lua_State *L)
{
    struct app *app = app_check_any_open(L, "route");
    (void)register_check_paths(L, 2);
    struct route *route = lua_newuserdatauv(L, sizeof(*route), ROUTE_PATH);
    route->group = ++app->routes << 1;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, ROUTE_APP);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, ROUTE_PATH);
    luaL_setmetatable(L, ROUTE_METATABLE);
    return 1;
}

/* route:get(...) and its like; upvalues as those of app:get. */
static int route_verb(lua_State *L)
{
    const char *verb = lua_tostring(L, lua_upvalueindex(2));
    const struct route *route = luaL_testudata(L, 1, ROUTE_METATABLE);
    if (route == NULL) {
        return luaL_error(L, "call route:%s(...) with a colon", verb);
    }
    struct call call = {.first = 2, .last = lua_gettop(L), .group = route->group};
    call.method = lua_tostring(L, lua_upvalueindex(1));
    lua_getiuservalue(L, 1, ROUTE_APP);
    lua_getiuservalue(L, 1, ROUTE_PATH);
    call.app_index = call.last + 1;
    call.path = call.last + 2;
    call.app = app_test_any(L, call.app_index);
    if (call.app->frozen) {
        return luaL_error(L, APP_FROZEN);
    }
    register_route(L, &call);
    lua_settop(L, 1);
    return 1;
}

/* The verbs that Node knows, but M-SEARCH, which is no name in Lua. */
static const char *const verbs[][2] = {
    {"get", "GET"},
    {"post", "POST"},
    {"put", "PUT"},
    {"patch", "PATCH"},
    {"delete", "DELETE"},
    {"head", "HEAD"},
    {"options", "OPTIONS"},
    {"query", "QUERY"},
    {"all", NULL},
    {"acl", "ACL"},
    {"bind", "BIND"},
    {"checkout", "CHECKOUT"},
    {"connect", "CONNECT"},
    {"copy", "COPY"},
    {"link", "LINK"},
    {"lock", "LOCK"},
    {"merge", "MERGE"},
    {"mkactivity", "MKACTIVITY"},
    {"mkcalendar", "MKCALENDAR"},
    {"mkcol", "MKCOL"},
    {"move", "MOVE"},
    {"notify", "NOTIFY"},
    {"propfind", "PROPFIND"},
    {"proppatch", "PROPPATCH"},
    {"purge", "PURGE"},
    {"rebind", "REBIND"},
    {"report", "REPORT"},
    {"search", "SEARCH"},
    {"source", "SOURCE"},
    {"subscribe", "SUBSCRIBE"},
    {"trace", "TRACE"},
    {"unbind", "UNBIND"},
    {"unlink", "UNLINK"},
    {"unlock", "UNLOCK"},
    {"unsubscribe", "UNSUBSCRIBE"},
};

/* Into the table on the top. */
static void add_verbs(lua_State *L, lua_CFunction function)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        lua_pushstring(L, verbs[i][1]);
        lua_pushstring(L, verbs[i][0]);
        lua_pushcclosure(L, function, 2);
        lua_setfield(L, -2, verbs[i][0]);
    }
}

void register_add_verbs(lua_State *L)
{
    add_verbs(L, app_verb);
    lua_pushcfunction(L, app_method);
    lua_setfield(L, -2, "method");
    lua_pushcfunction(L, app_route);
    lua_setfield(L, -2, "route");
}

void register_open(lua_State *L)
{
    luaL_newmetatable(L, ROUTE_METATABLE);
    lua_pushliteral(L, "fsd");
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    add_verbs(L, route_verb);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
