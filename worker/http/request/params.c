/* params.c - what the path says to the handler that runs: req.params, and how much of it is req.base_url.
 * Owns nothing; reads the exchange's view and chain.  A handler sees the parameters of its own part of the path; with merge_params also
 * those of where its router is mounted, of which one of the same name gives way.  Values that app:param has made of them stand in
 * req's own table, by scope and name.
 * Called by request.c and dispatch.c in the coroutine of the handlers, so raising is allowed here.  Must not know how paths are matched. */
#include "worker/http/request/params.h"

#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/http/app/param_kind.h"
#include "worker/http/app/plan.h"
#include "worker/http/exchange.h"
#include "worker/http/request/request.h"
#include "worker/http/route/router_segment.h"
#include "worker/http/text/query.h"

#define SEGMENTS_METATABLE "fsd.Segments" /* of a wildcard's value */

static const char kept_key = 0; /* its address: where req's own table has what app:param has made */

/* The names that are visible: of the step's entry, from first up to end. */
struct window {
    const struct router_step *step; /* NULL: none */
    const struct app_route *route;
    size_t first;
    size_t end;
};

static struct window find_window(const struct exchange *exchange)
{
    struct window window = {NULL, NULL, 0, 0};
    bool is_mounted = exchange->step < exchange->chain.count;
    size_t index = is_mounted ? exchange->step : exchange->failed_step;
    if (index >= exchange->chain.count || (!is_mounted && exchange->scope == NULL)) {
        return window;
    }
    window.step = &exchange->chain.steps[index];
    window.route = window.step->entry->value;
    const struct pattern *pattern = &window.step->entry->pattern;
    if (is_mounted) {
        window.first = window.route->first_name;
        window.end = pattern->name_count;
    } else { /* on_error of a router: what it is mounted at */
        size_t depth = exchange->scope->depth;
        window.first = plan_first_name(exchange->scope, pattern, depth);
        window.end = pattern_first_name(pattern, depth);
    }
    return window;
}

size_t params_base_len(const struct exchange *exchange)
{
    const struct view *view = &exchange->view;
    if (exchange->step < exchange->chain.count) {
        const struct router_step *step = &exchange->chain.steps[exchange->step];
        const struct app_route *route = step->entry->value;
        return step->entry->kind == ROUTER_PREFIX
                   ? step->prefix_len
                   : router_step_base(step, route->scope->depth, view->path.base, view->path.len);
    }
    if (exchange->scope == NULL || exchange->failed_step >= exchange->chain.count) {
        return 0; /* on_error, not_found of the application itself */
    }
    return router_step_base(&exchange->chain.steps[exchange->failed_step], exchange->scope->depth,
                            view->path.base, view->path.len);
}

static void push_decoded(lua_State *L, const char *text, size_t len)
{
    if (memchr(text, '%', len) == NULL) {
        lua_pushlstring(L, text, len);
        return;
    }
    luaL_Buffer buffer;
    char *decoded = luaL_buffinitsize(L, &buffer, len);
    size_t decoded_len;
    if (query_percent_decode(text, len, decoded, &decoded_len) != 0) {
        error_raise(L, "HttpError", "params.decode", 400, "the path has a bad %%-escape");
    }
    luaL_pushresultsize(&buffer, decoded_len);
}

/* tostring of a wildcard's value: its segments with slashes between them */
static int segments_tostring(lua_State *L)
{
    luaL_Buffer buffer;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    luaL_buffinit(L, &buffer);
    for (lua_Integer i = 1; i <= count; i++) {
        if (i > 1) {
            luaL_addchar(&buffer, '/');
        }
        lua_rawgeti(L, 1, i);
        luaL_argcheck(L, lua_isstring(L, -1), 1, "a list of texts expected");
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    return 1;
}

static void push_segments(lua_State *L, const char *text, size_t len)
{
    lua_newtable(L);
    lua_Integer count = 0;
    for (const char *end = text + len; text <= end;) {
        const char *slash = memchr(text, '/', (size_t)(end - text));
        const char *stop = slash != NULL ? slash : end;
        push_decoded(L, text, (size_t)(stop - text));
        lua_rawseti(L, -2, ++count);
        text = stop + 1;
    }
    if (luaL_newmetatable(L, SEGMENTS_METATABLE)) {
        lua_pushcfunction(L, segments_tostring);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, -2);
}

/* What a kept table has for a name and the text that stands in the path now; false: nothing, then nothing is pushed. */
static bool push_kept(lua_State *L, const char *key, const char *text, size_t len)
{
    size_t kept_len;
    int top = lua_gettop(L);
    if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE && lua_rawgetp(L, -1, &kept_key) == LUA_TTABLE &&
        lua_getfield(L, -1, key) == LUA_TTABLE && lua_rawgeti(L, -1, 1) == LUA_TSTRING) {
        const char *kept = lua_tolstring(L, -1, &kept_len);
        if (kept_len == len && memcmp(kept, text, len) == 0) {
            lua_rawgeti(L, -2, 2);
            lua_replace(L, top + 1);
            lua_settop(L, top + 1);
            return true;
        }
    }
    lua_settop(L, top);
    return false;
}

static void push_value(lua_State *L, const struct window *window, size_t i, const char *text,
                       size_t len)
{
    const struct app_route *route = window->route;
    enum param_kind kind =
        route->param_kinds == NULL ? PARAM_ANY : (enum param_kind)route->param_kinds[i];
    const char *key = route->param_keys == NULL ? NULL : route->param_keys[i];
    if (key != NULL && push_kept(L, key, text, len)) {
        return;
    }
    if ((window->step->entry->pattern.wildcards >> i & 1) != 0) {
        push_segments(L, text, len);
        return;
    }
    push_decoded(L, text, len);
    if (kind == PARAM_INTEGER || kind == PARAM_NUMBER) {
        (void)lua_stringtonumber(L, lua_tostring(L, -1)); /* it was found to be one */
        lua_remove(L, -2);
    }
}

void params_push(lua_State *L, struct exchange *exchange)
{
    struct window window = find_window(exchange);
    lua_createtable(L, 0, (int)(window.end - window.first));
    const char *path = exchange->view.path.base;
    for (size_t i = window.first; i < window.end; i++) {
        const struct router_capture *capture = &window.step->captures[i];
        if (capture->len > 0) { /* else it is an optional part that was left out: absent */
            push_value(L, &window, i, path + capture->start, capture->len);
            lua_setfield(L, -2, window.step->entry->pattern.names[i]);
        }
    }
}

void params_check(lua_State *L, const struct exchange *exchange)
{
    char decoded[ROUTER_PATH_MAX];
    struct window window = find_window(exchange);
    for (size_t i = window.first; i < window.end; i++) {
        const struct router_capture *capture = &window.step->captures[i];
        size_t len;
        if (query_percent_decode(exchange->view.path.base + capture->start, capture->len, decoded,
                                 &len) != 0) {
            error_raise(L, "HttpError", "params.decode", 400, "the path has a bad %%-escape");
        }
    }
}

int params_get(lua_State *L)
{
    struct exchange *exchange = request_check(L);
    const char *key = luaL_checkstring(L, 2);
    size_t index = (size_t)luaL_checkinteger(L, 3);
    struct window window = find_window(exchange);
    lua_settop(L, 3);
    if (window.step == NULL || index >= window.step->entry->pattern.name_count ||
        window.step->captures[index].len == 0) {
        lua_pushnil(L);
        return 1;
    }
    const struct router_capture *capture = &window.step->captures[index];
    const char *text = exchange->view.path.base + capture->start;
    if (push_kept(L, key, text, capture->len)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushlstring(L, text, capture->len);
    push_value(L, &window, index, text, capture->len);
    return 2;
}

int params_keep(lua_State *L)
{
    (void)request_check(L);
    lua_settop(L, 4);
    request_push_store(L);
    if (lua_rawgetp(L, 5, &kept_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, 5, &kept_key);
    }
    lua_pushvalue(L, 2);
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, 3);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, 4);
    lua_rawseti(L, -2, 2);
    lua_rawset(L, -3);
    return 0;
}
