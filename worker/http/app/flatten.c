/* flatten.c - from what an application and all that is mounted in it were told, to the plan that requests use.
 * Owns nothing beyond a call.  Every rule becomes an entry of one router: its path is that of the places where it is mounted and its own,
 * its handlers are those of the rule, with what app:param and app:hook put before them.  A router that is mounted twice gives its entries
 * twice, each with the scope that it is in.  The order is that of registration, a mounted router's entries standing where it was mounted.
 * Called when a generation has loaded, once.  Must not know requests. */
#include "worker/http/app/flatten.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "worker/http/app/app.h"
#include "worker/http/app/flattening.h"
#include "worker/http/app/plan.h"
#include "worker/http/app/rule.h"

enum {
    ENTRIES_MAX = 100000, /* routers that are mounted in each other multiply */
    EXTRA_HANDLERS = 2,   /* for parameters, and for hooks */
};

/* A path that is being put together, with the ends of its parts. */
struct joined {
    char text[PATTERN_TEXT_MAX + 1];
    size_t len;
    size_t ends[PATTERN_PARTS_MAX];
    uint32_t sensitive_parts;
};

/* A user value of the application at index, if it has one. */
static int add_user_value(const struct flattening *f, int app_index, int value)
{
    if (lua_getiuservalue(f->L, app_index, value) == LUA_TNIL) {
        lua_pop(f->L, 1);
        return 0;
    }
    return flattening_add_value(f);
}

/* Copies what the application has in its own array, once, however often it is mounted. */
static int copy_values(const struct flattening *f, const struct app *app, int app_index)
{
    lua_State *L = f->L;
    if (lua_rawgetp(L, f->offsets, app) != LUA_TNIL) {
        lua_pop(L, 1);
        return flattening_get_offset(f, app);
    }
    int offset = (int)lua_rawlen(L, f->values);
    lua_pushinteger(L, offset);
    lua_rawsetp(L, f->offsets, app);
    lua_pop(L, 1);
    lua_getiuservalue(L, app_index, APP_HANDLERS);
    int count = (int)lua_rawlen(L, -1);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, f->values, offset + i);
    }
    lua_pop(L, 1);
    return offset;
}

static struct app_handler moved(const struct app_handler *handler, int offset)
{
    struct app_handler copy = *handler;
    copy.index += copy.index != 0 ? offset : 0;
    return copy;
}

static void add_handlers(struct app_handlers *to, const struct app_handlers *from, int offset)
{
    for (size_t i = 0; i < from->count; i++) {
        *handler_add(to) = moved(&from->items[i], offset);
    }
}

static bool is_case_sensitive(const struct scope *scope)
{
    return scope->source->is_router ? scope->source->is_case_sensitive
                                    : scope->settings.case_sensitive_routing;
}

static bool is_strict(const struct scope *scope)
{
    return scope->source->is_router ? scope->source->is_strict : scope->settings.strict_routing;
}

static struct scope *add_scope(const struct flattening *f, const struct scope *parent,
                               struct app *source, int app_index)
{
    struct scope *scope = flattening_take(sizeof(*scope));
    scope->next = f->plan->scopes;
    f->plan->scopes = scope;
    scope->parent = parent;
    scope->source = source;
    scope->depth = parent == NULL ? 0 : parent->depth + 1;
    scope->app = source->is_router && parent != NULL ? parent->app : scope;
    scope->settings = source->settings;
    if (parent != NULL) {
        settings_inherit(&scope->settings, &parent->settings);
        add_handlers(&scope->pre_handler, &parent->pre_handler, 0);
        add_handlers(&scope->send, &parent->send, 0);
        add_handlers(&scope->response, &parent->response, 0);
    }
    int offset = copy_values(f, source, app_index);
    add_handlers(&scope->errors, &source->errors, offset);
    add_handlers(&scope->pre_handler, &source->hooks[APP_HOOK_PRE_HANDLER], offset);
    add_handlers(&scope->send, &source->hooks[APP_HOOK_SEND], offset);
    add_handlers(&scope->response, &source->hooks[APP_HOOK_RESPONSE], offset);
    scope->missing = moved(&source->missing, offset);
    lua_pushvalue(f->L, app_index);
    scope->app_value = flattening_add_value(f);
    scope->settings_value = add_user_value(f, app_index, APP_SETTINGS);
    scope->request_value = add_user_value(f, app_index, APP_REQUEST);
    scope->response_value = add_user_value(f, app_index, APP_RESPONSE);
    f->plan->extends_request |= scope->request_value != 0;
    f->plan->extends_response |= scope->response_value != 0;
    f->plan->has_send_hooks |= scope->send.count > 0;
    f->plan->has_response_hooks |= scope->response.count > 0;
    source->frozen = true;
    lua_pushvalue(f->L, f->root);
    lua_setiuservalue(f->L, app_index, APP_ROOT);
    return scope;
}

/* Behind what base says; a slash at its end belongs to what follows, and "/" below something is that thing itself. */
static int join(const struct flattening *f, const struct joined *base, const char *path, size_t len,
                bool is_mount, struct joined *ret_joined)
{
    *ret_joined = *base;
    while (len > 0 && path[len - 1] == '/' && (is_mount || (len == 1 && base->len > 0)) &&
           !(len > 1 && path[len - 2] == '\\')) {
        len--;
    }
    if (base->len + len > PATTERN_TEXT_MAX) {
        return fsd_err_set(f->err, EINVAL, "cannot add route \"%.40s...\": longer than %d bytes",
                           base->text, PATTERN_TEXT_MAX);
    }
    memcpy(ret_joined->text + base->len, path, len);
    ret_joined->len = base->len + len;
    if (ret_joined->len == 0 && !is_mount) {
        ret_joined->text[ret_joined->len++] = '/';
    }
    ret_joined->text[ret_joined->len] = '\0';
    return 0;
}

/* Says where the rule stands that a path is wrong of only where it is mounted. */
static int fail_at(const struct flattening *f, const struct app_rule *rule)
{
    struct fsd_err cause = *f->err;
    return rule == NULL || rule->where[0] == '\0'
               ? -EINVAL
               : fsd_err_set(f->err, EINVAL, "%s: %s", rule->where, cause.text);
}

static struct app_route *new_route(const struct flattening *f, const struct scope *scope,
                                   const struct app_handlers *handlers, int offset)
{
    struct app_route *route = flattening_take(sizeof(*route) + (handlers->count + EXTRA_HANDLERS) *
                                                                   sizeof(route->handlers[0]));
    route->next = f->plan->routes;
    f->plan->routes = route;
    route->scope = scope;
    route->count = handlers->count;
    for (size_t i = 0; i < handlers->count; i++) {
        route->handlers[i] = moved(&handlers->items[i], offset);
    }
    return route;
}

/* Adds the entry of a route; kind, path and method are in the rule for the router, all else is worked out here. */
static int add_entry(struct flattening *f, struct app_route *route, const struct joined *base,
                     const struct router_rule *given)
{
    const struct scope *scope = route->scope;
    struct joined path;
    struct router_rule rule = *given;
    if (++f->entry_count > ENTRIES_MAX) {
        return fsd_err_set(f->err, EINVAL,
                           "more than %d routes, counted in each place that they are mounted in",
                           ENTRIES_MAX);
    }
    rule.is_strict = is_strict(scope);
    int error = join(f, base, rule.path, rule.path_len, false, &path);
    rule.path = path.text;
    rule.path_len = path.len;
    rule.part_ends = path.ends;
    rule.part_count = scope->depth + 1;
    rule.sensitive_parts = path.sensitive_parts;
    if (is_case_sensitive(scope)) {
        rule.sensitive_parts |= UINT32_C(1) << scope->depth;
    }
    rule.value = route;
    if (error == 0) {
        error = router_add(f->plan->router, &rule, f->err);
    }
    if (error != 0) {
        return fail_at(f, route->rule);
    }
    const struct pattern *pattern = &router_newest(f->plan->router)->pattern;
    route->first_name = plan_first_name(scope, pattern, scope->depth);
    return flattening_add_params(f, route, pattern);
}

static int add_rule_entry(struct flattening *f, struct scope *scope, const struct joined *base,
                          const struct app_rule *rule, const void **group)
{
    bool is_route = rule->kind == RULE_ROUTE;
    struct app_route *route =
        new_route(f, scope, &rule->handlers, flattening_get_offset(f, scope->source));
    route->rule = rule;
    route->group = rule->group;
    if (is_route && scope->pre_handler.count > 0) {
        flattening_push_functions(f, &scope->pre_handler);
        int error = flattening_insert_runner(f, route, "hooks");
        lua_pop(f->L, 1);
        if (error != 0) {
            return error;
        }
    }
    bool has_others = rule->next != NULL && rule->next->call == rule->call;
    *group = *group != NULL ? *group : has_others ? route : NULL;
    struct router_rule entry = {.kind = is_route ? ROUTER_ROUTE : ROUTER_PREFIX,
                                .method = rule->method,
                                .path = rule->path,
                                .path_len = rule->path_len,
                                .group = *group};
    *group = has_others ? *group : NULL;
    return add_entry(f, route, base, &entry);
}

/* What stands at the beginning and at the end of a scope, for all paths below the place where it is mounted. */
static int add_own_entry(struct flattening *f, struct scope *scope, const struct joined *base,
                         const struct app_handlers *handlers, bool is_missing)
{
    struct app_route *route = new_route(f, scope, handlers, 0);
    route->is_missing = is_missing;
    struct router_rule entry = {.kind = ROUTER_PREFIX, .path = "/", .path_len = 1};
    return add_entry(f, route, base, &entry);
}

static int add_request_hooks(struct flattening *f, struct scope *scope, const struct joined *base)
{
    struct app_handlers hooks = {NULL, 0};
    add_handlers(&hooks, &scope->source->hooks[APP_HOOK_REQUEST],
                 flattening_get_offset(f, scope->source));
    if (hooks.count == 0) {
        return 0;
    }
    flattening_push_functions(f, &hooks);
    handler_free_all(&hooks);
    int error = flattening_call_runner(f, "hooks");
    if (error == 0) {
        handler_init(f->L, handler_add(&hooks), f->values, -1);
        error = add_own_entry(f, scope, base, &hooks, false);
        handler_free_all(&hooks);
    }
    return error;
}

static int flatten_scope(struct flattening *f, struct scope *scope, const struct joined *base);

/* The application or router of the rule, one scope deeper. */
static int flatten_mounted(struct flattening *f, struct scope *scope, const struct joined *base,
                           const struct app_rule *rule)
{
    lua_State *L = f->L;
    struct joined path;
    if (scope->depth + 2 > PATTERN_PARTS_MAX) {
        return fsd_err_set(f->err, EINVAL,
                           "%s: routers are mounted in each other more than %d deep", rule->where,
                           PATTERN_PARTS_MAX - 1);
    }
    int error = join(f, base, rule->path, rule->path_len, true, &path);
    if (error != 0) {
        return fail_at(f, rule);
    }
    path.ends[scope->depth] = path.len;
    if (is_case_sensitive(scope)) {
        path.sensitive_parts |= UINT32_C(1) << scope->depth;
    }
    luaL_checkstack(L, 16, NULL);
    lua_rawgeti(L, f->values, rule->mounted_index + flattening_get_offset(f, scope->source));
    int top = lua_gettop(L);
    error = flatten_scope(f, add_scope(f, scope, rule->mounted, top), &path);
    lua_settop(L, top - 1);
    return error;
}

static int flatten_scope(struct flattening *f, struct scope *scope, const struct joined *base)
{
    const void *group = NULL;
    int top = lua_gettop(f->L);
    int error = add_request_hooks(f, scope, base);
    for (const struct app_rule *rule = scope->source->rules; error == 0 && rule != NULL;
         rule = rule->next) {
        error = rule->kind == RULE_MOUNT ? flatten_mounted(f, scope, base, rule)
                                         : add_rule_entry(f, scope, base, rule, &group);
    }
    if (error == 0 && scope->parent != NULL && scope->missing.index != 0) {
        struct app_handlers missing = {&scope->missing, 1};
        error = add_own_entry(f, scope, base, &missing, true);
    }
    if (error == 0) {
        lua_settop(f->L, top);
    }
    return error;
}

int flatten(lua_State *L, int index, struct plan *plan, struct fsd_err *err)
{
    static const struct joined nothing = {.len = 0};
    int top = lua_gettop(L);
    luaL_checkstack(L, 24, NULL);
    lua_newtable(L);
    lua_newtable(L);
    struct flattening f = {
        .L = L, .plan = plan, .root = index, .values = top + 1, .offsets = top + 2, .err = err};
    struct scope *root = add_scope(&f, NULL, app_test(L, index), index);
    plan->root = root;
    int error = flatten_scope(&f, root, &nothing);
    if (error == 0) {
        router_freeze(plan->router);
        plan->is_complete = true;
        lua_pushvalue(L, f.values);
        lua_setiuservalue(L, index, APP_PLAN);
    }
    lua_settop(L, top);
    return error;
}
