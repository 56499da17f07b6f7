/* url.c - what an application knows of its routes: their list, and the way back from a name to a URL.
 *   app:url(name [, params [, query]]) -> string
 *   app:routes() -> { { method =, path =, name =, where =, scope =, params =, schemas = }, ... }
 * Owns nothing; reads the plan, so both work when all routes are known: while the application runs.  A name is looked for in what
 * is mounted in the application or router that is asked, then everywhere.
 * Called by handlers.  Must not know requests. */
#include "worker/http/app/url.h"

#include <lauxlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/http/app/app.h"
#include "worker/http/app/param_kind.h"
#include "worker/http/app/plan.h"
#include "worker/http/app/rule.h"
#include "worker/http/route/pattern_write.h"

enum { APP = 1, NAME, PARAMS, QUERY };

/* The plan that the application or router at index 1 is a part of; raises before there is one. */
static const struct plan *check_plan(lua_State *L, const char *verb)
{
    (void)app_check_any(L, verb);
    const struct app *root = NULL;
    if (lua_getiuservalue(L, 1, APP_ROOT) != LUA_TNIL) {
        root = app_test(L, -1);
    }
    lua_pop(L, 1);
    if (root == NULL || root->plan == NULL || !root->plan->is_complete) {
        luaL_error(L,
                   "app:%s is for applications that run: while they load, not all routes are known",
                   verb);
        __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
    }
    return root->plan;
}

static bool is_in(const struct scope *scope, const struct app *app)
{
    while (scope != NULL && scope->source != app) {
        scope = scope->parent;
    }
    return scope != NULL;
}

static const struct router_entry *find_named(const struct plan *plan, const struct app *app,
                                             const char *name)
{
    const struct router_entry *elsewhere = NULL;
    for (const struct router_entry *entry = router_entries(plan->router); entry != NULL;
         entry = entry->next) {
        const struct app_route *route = entry->value;
        if (route->rule == NULL || route->rule->name == NULL ||
            strcmp(route->rule->name, name) != 0) {
            continue;
        }
        if (is_in(route->scope, app)) {
            return entry;
        }
        elsewhere = elsewhere == NULL ? entry : elsewhere;
    }
    return elsewhere;
}

static void add_escaped(luaL_Buffer *buffer, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) { /* in pieces that fit */
        char escaped[3 * 64];
        size_t piece = len - at < 64 ? len - at : 64;
        luaL_addlstring(buffer, escaped, pattern_write_escaped(escaped, text + at, piece));
        at += piece;
    }
}

/* The value at index as a text that can stand in a URL; numbers as Lua writes them.  Pushes it. */
static const char *push_text(lua_State *L, int index, const char *what, const char *name,
                             size_t *ret_len)
{
    int type = lua_type(L, index);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
        luaL_error(L, "app:url: %s \"%s\" must be a text or a number, got %s", what, name,
                   luaL_typename(L, index));
    }
    return luaL_tolstring(L, index, ret_len);
}

/* Puts the text of the value on the top, escaped, in its place; its slashes stay if they part segments. */
static void escape_text(lua_State *L, const char *name, bool has_segments)
{
    luaL_Buffer buffer;
    size_t len;
    const char *text = push_text(L, lua_gettop(L), "parameter", name, &len);
    const char *end = text + len;
    luaL_buffinit(L, &buffer);
    for (;;) {
        const char *slash = has_segments ? memchr(text, '/', (size_t)(end - text)) : NULL;
        add_escaped(&buffer, text, (size_t)((slash != NULL ? slash : end) - text));
        if (slash == NULL) {
            break;
        }
        luaL_addchar(&buffer, '/');
        text = slash + 1;
    }
    luaL_pushresult(&buffer);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* The same for a parameter; that of a wildcard is a list of segments, or a text with slashes. */
static void escape_param(lua_State *L, const char *name, bool is_wildcard)
{
    int value = lua_gettop(L);
    if (!is_wildcard || !lua_istable(L, value)) {
        escape_text(L, name, is_wildcard);
    } else {
        lua_Integer count = (lua_Integer)lua_rawlen(L, value);
        lua_pushliteral(L, "");
        for (lua_Integer i = 1; i <= count; i++) {
            lua_pushstring(L, i > 1 ? "/" : "");
            lua_rawgeti(L, value, i);
            escape_text(L, name, false);
            lua_concat(L, 3);
        }
        lua_replace(L, value);
    }
    if (lua_rawlen(L, value) == 0) {
        luaL_error(L, "app:url: parameter \"%s\" is empty", name);
    }
}

/* Leaves the escaped values of the names from base + 1 on, nil for those without one. */
static void push_values(lua_State *L, const struct pattern *pattern, bool *has_value)
{
    luaL_checkstack(L, PATTERN_NAMES_MAX + 16, NULL);
    for (size_t i = 0; i < pattern->name_count; i++) {
        if (lua_isnil(L, PARAMS)) {
            lua_pushnil(L);
        } else {
            (void)lua_getfield(L, PARAMS, pattern->names[i]);
        }
        has_value[i] = !lua_isnil(L, -1);
        if (has_value[i]) {
            escape_param(L, pattern->names[i], (pattern->wildcards >> i & 1) != 0);
        }
    }
}

static void push_path(lua_State *L, const struct router_entry *entry, const char *name)
{
    const struct pattern *pattern = &entry->pattern;
    bool has_value[PATTERN_NAMES_MAX];
    size_t missing = 0;
    luaL_Buffer buffer;
    int base = lua_gettop(L);
    push_values(L, pattern, has_value);
    const struct pattern_path *path = pattern_write_choose(pattern, has_value, &missing);
    if (path == NULL) {
        luaL_error(L, "app:url: parameter \"%s\" of the route \"%s\" is missing",
                   pattern->names[missing], name);
    }
    luaL_buffinit(L, &buffer);
    for (size_t i = 0; path != NULL && i < path->count; i++) {
        const struct pattern_token *token = &path->tokens[i];
        if (token->kind == PATTERN_LITERAL) {
            luaL_addlstring(&buffer, token->text, token->len);
        } else {
            lua_pushvalue(L, base + 1 + (int)token->name);
            luaL_addvalue(&buffer);
        }
    }
    luaL_pushresult(&buffer);
    lua_insert(L, base + 1); /* below the values, if there are any */
    lua_settop(L, base + 1);
    if (lua_rawlen(L, -1) == 0) {
        lua_pop(L, 1);
        lua_pushliteral(L, "/");
    }
}

int url_of(lua_State *L)
{
    const struct plan *plan = check_plan(L, "url");
    const char *name = luaL_checkstring(L, NAME);
    lua_settop(L, QUERY);
    luaL_argcheck(L, lua_isnil(L, PARAMS) || lua_istable(L, PARAMS), PARAMS, "table expected");
    luaL_argcheck(L, lua_isnil(L, QUERY) || lua_istable(L, QUERY), QUERY, "table expected");
    const struct router_entry *entry = find_named(plan, app_test_any(L, APP), name);
    if (entry == NULL) {
        return luaL_error(L, "app:url: no route has the name \"%s\"", name);
    }
    push_path(L, entry, name);
    if (!lua_isnil(L, QUERY)) {
        lua_getglobal(L, "require");
        lua_pushliteral(L, "fsd.http.query");
        lua_call(L, 1, 1);
        lua_pushvalue(L, QUERY);
        lua_call(L, 1, 1);
        lua_concat(L, 2);
    }
    return 1;
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

/* What the parts before the last one are: where it is mounted. */
static void set_scope(lua_State *L, const struct router_entry *entry, const struct app_rule *rule)
{
    const char *text = entry->pattern.text;
    size_t own = strlen(rule->path);
    size_t len = strlen(text);
    bool ends_with_own = len >= own && strcmp(text + len - own, rule->path) == 0;
    lua_pushlstring(L, text, ends_with_own ? len - own : len);
    lua_setfield(L, -2, "scope");
}

/* Pushes the plan's array of values, and what tells the schemas of a handler: nil while nobody has asked for fsd.schema. */
static void push_described(lua_State *L)
{
    lua_getiuservalue(L, APP, APP_ROOT);
    lua_getiuservalue(L, -1, APP_PLAN);
    lua_replace(L, -2);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "fsd.schema.described") == LUA_TTABLE) {
        lua_getfield(L, -1, "tell");
        lua_replace(L, -2);
    }
    lua_replace(L, -2);
}

/* Stack: ..., row.  What app:param says that its parameters are. */
static void set_params(lua_State *L, const struct router_entry *entry,
                       const struct app_route *route)
{
    if (route->param_kinds == NULL) {
        return;
    }
    lua_newtable(L);
    for (size_t i = 0; i < entry->pattern.name_count; i++) {
        if (route->param_kinds[i] != PARAM_ANY) {
            set_text(L, entry->pattern.names[i], param_kind_name(route->param_kinds[i]));
        }
    }
    lua_setfield(L, -2, "params");
}

/* Stack: ..., row, parts.  Adds them to those that the row has, and pops them. */
static void add_schemas(lua_State *L)
{
    (void)luaL_getsubtable(L, -2, "schemas");
    for (lua_pushnil(L); lua_next(L, -3) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_pop(L, 2);
}

/* Stack: ..., row.  What its handlers check; of several that check the same part, the last one. */
static void set_schemas(lua_State *L, const struct app_route *route, int values)
{
    for (size_t i = 0; i < route->count && !lua_isnil(L, values + 1); i++) {
        lua_pushvalue(L, values + 1);
        lua_rawgeti(L, values, route->handlers[i].index);
        lua_call(L, 1, 1);
        if (lua_istable(L, -1)) {
            add_schemas(L);
        } else {
            lua_pop(L, 1);
        }
    }
}

int url_list_routes(lua_State *L)
{
    const struct plan *plan = check_plan(L, "routes");
    lua_Integer count = 0;
    lua_settop(L, APP);
    push_described(L);
    lua_newtable(L);
    for (const struct router_entry *entry = router_entries(plan->router); entry != NULL;
         entry = entry->next) {
        const struct app_route *route = entry->value;
        if (entry->kind != ROUTER_ROUTE || route->rule == NULL) {
            continue;
        }
        lua_createtable(L, 0, 7);
        set_text(L, "method", entry->method == NULL ? "*" : entry->method);
        set_text(L, "path", entry->pattern.text);
        set_text(L, "where", route->rule->where);
        set_scope(L, entry, route->rule);
        if (route->rule->name != NULL) {
            set_text(L, "name", route->rule->name);
        }
        set_params(L, entry, route);
        set_schemas(L, route, APP + 1);
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

int url_freeze(lua_State *L)
{
    struct fsd_err err;
    if (app_test(L, 1) == NULL) {
        return luaL_error(L, "the main file must end with `return app` (what fsd.app() gave)");
    }
    if (app_freeze(L, 1, &err) != 0) {
        return luaL_error(L, "%s", err.text);
    }
    return 0;
}
