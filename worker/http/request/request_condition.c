/* request_condition.c - what the client has already, and which part of a thing it wants:
 *   req.fresh  req.stale
 *   req:range(size [, { combine = true }]) -> list of { first = , last = }; nil without a Range, else nil and "malformed",
 *                                             "unsatisfiable" or "too_many"
 * Owns nothing; text/conditional.c and text/byte_range.c know the rules.  Called from Lua, through the class that request.c makes. */
#include "worker/http/request/request_condition.h"

#include <errno.h>
#include <h2o.h>
#include <lauxlib.h>
#include <string.h>

#include "worker/core/options.h"
#include "worker/core/value.h"
#include "worker/http/exchange.h"
#include "worker/http/request/request.h"
#include "worker/http/request/request_headers.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/text/byte_range.h"
#include "worker/http/text/conditional.h"
#include "worker/http/text/http_date.h"

/* Leaves the text on the stack, which keeps it alive. */
static struct conditional_text push_text(lua_State *L, const struct exchange *exchange,
                                         const char *name)
{
    size_t len;
    const char *text = request_push_header_text(L, exchange, name, &len);
    return (struct conditional_text){.bytes = text, .len = len};
}

static struct conditional_state read_state(const h2o_req_t *req)
{
    h2o_iovec_t etag = response_headers_find(req, "etag");
    h2o_iovec_t modified = response_headers_find(req, "last-modified");
    struct conditional_state state = {.etag = {.bytes = etag.base, .len = etag.len}};
    state.has_modified = modified.base != NULL &&
                         http_date_parse(modified.base, modified.len, &state.modified_s) == 0;
    return state;
}

static bool is_fresh(lua_State *L, const struct exchange *exchange)
{
    h2o_iovec_t method = exchange->view.method;
    int status = exchange->status;
    bool reads = h2o_memis(method.base, method.len, H2O_STRLIT("GET")) ||
                 h2o_memis(method.base, method.len, H2O_STRLIT("HEAD")) ||
                 h2o_memis(method.base, method.len, H2O_STRLIT("QUERY"));
    if (!reads || exchange->req == NULL || ((status < 200 || status > 299) && status != 304)) {
        return false;
    }
    struct conditional_state state = read_state(exchange->req);
    struct conditional conditional = {
        .if_none_match = push_text(L, exchange, "if-none-match"),
        .if_modified_since = push_text(L, exchange, "if-modified-since"),
        .cache_control = push_text(L, exchange, "cache-control"),
    };
    return conditional_is_fresh(&conditional, &state);
}

void request_push_fresh(lua_State *L, struct exchange *exchange)
{
    lua_pushboolean(L, is_fresh(L, exchange));
}

void request_push_stale(lua_State *L, struct exchange *exchange)
{
    lua_pushboolean(L, !is_fresh(L, exchange));
}

static int push_reason(lua_State *L, int error)
{
    lua_pushnil(L);
    lua_pushstring(L, error == -EINVAL   ? "malformed"
                      : error == -ERANGE ? "unsatisfiable"
                                         : "too_many");
    return 2;
}

static bool check_combine(lua_State *L, int index)
{
    static const char *const names[] = {"combine"};
    if (lua_isnoneornil(L, index)) {
        return false;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    options_check(L, index, "req:range", names, 1);
    lua_getfield(L, index, "combine");
    return lua_toboolean(L, -1) != 0;
}

static int request_range(lua_State *L)
{
    struct exchange *exchange = request_check(L);
    lua_Integer size = luaL_checkinteger(L, 2);
    luaL_argcheck(L, size >= 0, 2, "a size cannot be negative");
    bool combine = check_combine(L, 3);
    struct byte_range ranges[BYTE_RANGE_MAX];
    size_t len;
    const char *text = request_push_header_text(L, exchange, "range", &len);
    if (text == NULL) {
        lua_pushnil(L);
        return 1;
    }
    int count = byte_range_parse(text, len, (uint64_t)size, combine, ranges);
    if (count < 0) {
        return push_reason(L, count);
    }
    lua_createtable(L, count, 1);
    for (int i = 0; i < count; i++) {
        lua_createtable(L, 0, 2);
        lua_pushinteger(L, (lua_Integer)ranges[i].first);
        lua_setfield(L, -2, "first");
        lua_pushinteger(L, (lua_Integer)ranges[i].last);
        lua_setfield(L, -2, "last");
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushlstring(L, text, strcspn(text, "="));
    lua_setfield(L, -2, "type");
    return 1;
}

void request_condition_register(lua_State *L)
{
    lua_pushcfunction(L, request_range);
    lua_setfield(L, -2, "range");
}
