/* relation.c - what req and res know of the application: req.app, req.route, and what app.request and app.response add to them.
 * Owns nothing; everything stands in the plan of the application and its array of values.
 * Called by request.c and response.c, for names that are asked for.  Must not know how a plan is made. */
#include "worker/http/relation.h"

#include <lauxlib.h>

#include "worker/http/app/plan.h"
#include "worker/http/app/rule.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"

void relation_push_app(lua_State *L, struct exchange *exchange)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->edition->values_ref);
    lua_rawgeti(L, -1, exchange_scope(exchange)->app->app_value);
    lua_remove(L, -2);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (text != NULL) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, name);
    }
}

void relation_push_route(lua_State *L, struct exchange *exchange)
{
    const struct router_entry *entry =
        exchange->step < exchange->chain.count ? exchange->chain.steps[exchange->step].entry : NULL;
    const struct app_rule *rule =
        entry == NULL ? NULL : ((const struct app_route *)entry->value)->rule;
    if (rule == NULL || rule->kind != RULE_ROUTE) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, 0, 4);
    set_text(L, "path", rule->path);
    set_text(L, "full_path", entry->pattern.text);
    set_text(L, "method", rule->method);
    set_text(L, "name", rule->name);
}

void relation_push_extension(lua_State *L, const struct exchange *exchange, bool is_response)
{
    const struct plan *plan = exchange->edition->plan;
    if (!(is_response ? plan->extends_response : plan->extends_request)) {
        lua_pushnil(L);
        return;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->edition->values_ref);
    for (const struct scope *scope = exchange_scope(exchange)->app; scope != NULL;
         scope = scope->parent == NULL ? NULL : scope->parent->app) {
        int value = is_response ? scope->response_value : scope->request_value;
        if (value == 0) {
            continue;
        }
        lua_rawgeti(L, -1, value);
        lua_pushvalue(L, 2);
        if (lua_rawget(L, -2) != LUA_TNIL) {
            return;
        }
        lua_pop(L, 2);
    }
    lua_pushnil(L);
}
