/* flattening.c - the values of a plan, and the handlers that fsd puts before those of a route: for app:param and app:hook.
 * Owns nothing beyond a call of flatten.  Functions are taken over from the arrays of what is mounted into that of the plan; what calls
 * them is a function of lua/fsd/http/runner.lua, which is one more handler, so that routes without it pay nothing.
 * Called by flatten.c.  Must not know paths. */
#include "worker/http/app/flattening.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/http/app/param.h"
#include "worker/http/app/plan.h"

void *flattening_take(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

int flattening_add_value(const struct flattening *f)
{
    int index = (int)lua_rawlen(f->L, f->values) + 1;
    lua_rawseti(f->L, f->values, index);
    return index;
}

int flattening_get_offset(const struct flattening *f, const struct app *app)
{
    lua_rawgetp(f->L, f->offsets, app);
    int offset = (int)lua_tointeger(f->L, -1);
    lua_pop(f->L, 1);
    return offset;
}

void flattening_push_functions(const struct flattening *f, const struct app_handlers *handlers)
{
    lua_newtable(f->L);
    for (size_t i = 0; i < handlers->count; i++) {
        lua_rawgeti(f->L, f->values, handlers->items[i].index);
        lua_rawseti(f->L, -2, (lua_Integer)i + 1);
    }
}

int flattening_call_runner(const struct flattening *f, const char *name)
{
    lua_State *L = f->L;
    lua_getglobal(L, "require");
    lua_pushliteral(L, "fsd.http.runner");
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        return fsd_err_set(f->err, EINVAL, "%s", luaL_tolstring(L, -1, NULL));
    }
    lua_getfield(L, -1, name);
    lua_pushvalue(L, -3);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        return fsd_err_set(f->err, EINVAL, "%s", luaL_tolstring(L, -1, NULL));
    }
    return 0;
}

int flattening_insert_runner(const struct flattening *f, struct app_route *route, const char *name)
{
    int list = lua_gettop(f->L);
    int error = flattening_call_runner(f, name);
    if (error == 0) {
        memmove(&route->handlers[1], &route->handlers[0],
                route->count * sizeof(route->handlers[0]));
        route->count++;
        handler_init(f->L, &route->handlers[0], f->values, -1);
    }
    lua_settop(f->L, list);
    return error;
}

/* The scope at a depth around another one, or that one. */
static const struct scope *scope_at(const struct scope *scope, size_t depth)
{
    while (scope->depth > depth) {
        scope = scope->parent;
    }
    return scope;
}

/* The functions that app:param has for one name, into a table on the top of its own: { key =, index =, name =, functions }. */
static bool push_spec(const struct flattening *f, const struct scope *scope,
                      const struct pattern *pattern, size_t name)
{
    lua_State *L = f->L;
    const struct app *app = scope->source;
    lua_newtable(L);
    for (const struct app_param *param = app->params; param != NULL; param = param->next) {
        if (param->index != 0 && strcmp(param->name, pattern->names[name]) == 0) {
            lua_rawgeti(L, f->values, param->index + flattening_get_offset(f, app));
            lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        }
    }
    if (lua_rawlen(L, -1) == 0) {
        lua_pop(L, 1);
        return false;
    }
    lua_pushfstring(L, "%p %s", (const void *)scope, pattern->names[name]);
    lua_setfield(L, -2, "key");
    lua_pushinteger(L, (lua_Integer)name);
    lua_setfield(L, -2, "index");
    lua_pushstring(L, pattern->names[name]);
    lua_setfield(L, -2, "name");
    return true;
}

static enum param_kind find_kind(const struct app *app, const char *name)
{
    for (const struct app_param *param = app->params; param != NULL; param = param->next) {
        if (param->index == 0 && strcmp(param->name, name) == 0) {
            return param->kind;
        }
    }
    return PARAM_ANY;
}

int flattening_add_params(const struct flattening *f, struct app_route *route,
                          const struct pattern *pattern)
{
    lua_State *L = f->L;
    uint8_t kinds[PATTERN_NAMES_MAX] = {0};
    const char *keys[PATTERN_NAMES_MAX] = {NULL};
    bool has_kinds = false;
    int error = 0;
    size_t part = 0;
    lua_newtable(L);
    int list = lua_gettop(L);
    for (size_t i = 0; i < pattern->name_count; i++) {
        while (i >= pattern->part_names[part]) {
            part++;
        }
        const struct scope *scope = scope_at(route->scope, part);
        kinds[i] = (uint8_t)find_kind(scope->source, pattern->names[i]);
        has_kinds = has_kinds || kinds[i] != PARAM_ANY;
        if (push_spec(f, scope, pattern, i)) {
            lua_getfield(L, -1, "key");
            keys[i] = lua_tostring(L, -1);
            (void)flattening_add_value(f); /* so that the key stays */
            lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
        }
    }
    if (has_kinds) {
        route->param_kinds = memcpy(flattening_take(sizeof(kinds)), kinds, sizeof(kinds));
    }
    if (lua_rawlen(L, list) > 0) {
        route->param_keys = memcpy(flattening_take(sizeof(keys)), keys, sizeof(keys));
        error = flattening_insert_runner(f, route, "params");
    }
    lua_settop(L, list - 1);
    return error;
}
