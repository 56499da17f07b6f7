/* request.c - req, as handlers see it: the class, and what each of its names is.
 *   method path url base_url original_url id http_version log aborted ...   request_fields.c
 *   params                                                                 params.c
 *   query headers                                                          request_tables.c      query_table.c
 *   req:get(name) (= req:header)  req:header_values(name)                  request_headers.c
 *   req:accepts() and its like, req:is()                                   request_negotiate.c
 *   fresh stale, req:range()                                               request_condition.c
 *   cookies signed_cookies                                                 cookies.c
 *   ip ips protocol secure host hostname subdomains conn                   request_address.c
 *   methods for the body                                                   body/request_body.c
 * Owns the class "fsd.Request": a userdata (struct http_object) whose first user value is a table that holds what was made
 * lazily and what the application itself stores (req.user = ...).  Every access goes through one __index, whose upvalue
 * maps a name to a method or to a field's number.
 * Called by dispatch.c; reads the exchange's view only, so it works after libh2o's request has gone. */
#include "worker/http/request/request.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "worker/http/body/request_body.h"
#include "worker/http/cookies.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/relation.h"
#include "worker/http/request/params.h"
#include "worker/http/request/request_address.h"
#include "worker/http/request/request_condition.h"
#include "worker/http/request/request_fields.h"
#include "worker/http/request/request_headers.h"
#include "worker/http/request/request_negotiate.h"
#include "worker/http/request/request_tables.h"

enum { REQUEST_STORE = 1, REQUEST_RESPONSE, REQUEST_VALUES = REQUEST_RESPONSE };

static void push_response(lua_State *L, struct exchange *exchange)
{
    (void)exchange;
    (void)lua_getiuservalue(L, 1, REQUEST_RESPONSE);
}

static void push_empty(lua_State *L, struct exchange *exchange)
{
    (void)exchange;
    lua_newtable(L);
}

static const struct field {
    const char *name;
    void (*push)(lua_State *L, struct exchange *exchange); /* req is at index 1, the name at 2 */
    bool is_kept; /* made once, so that it is the same each time */
} fields[] = {
    {"method", request_push_method, false},
    {"path", request_push_path, false},
    {"url", request_push_url, false},
    {"base_url", request_push_base_url, false},
    {"original_url", request_push_original_url, false},
    {"id", request_push_id, false},
    {"http_version", request_push_version, false},
    {"params", params_push, false}, /* of the handler that runs */
    {"query", request_push_query, true},
    {"headers", request_push_headers, true},
    {"raw_headers", request_push_raw_headers, true},
    {"trailers", push_empty, true}, /* libh2o drops them */
    {"state", push_empty, true},
    {"log", request_push_log, true},
    {"aborted", request_push_aborted, false},
    {"deadline", request_push_deadline, false},
    {"xhr", request_push_xhr, false},
    {"cookies", cookies_push, true},
    {"signed_cookies", cookies_push_signed, true},
    {"ip", request_push_ip, false}, /* by the settings of the application that runs */
    {"ips", request_push_ips, false},
    {"protocol", request_push_protocol, false},
    {"secure", request_push_secure, false},
    {"host", request_push_host, false},
    {"hostname", request_push_hostname, false},
    {"subdomains", request_push_subdomains, false},
    {"conn", request_push_conn, true},
    {"fresh", request_push_fresh, false}, /* of the answer as it stands */
    {"stale", request_push_stale, false},
    {"res", push_response, false},
    {"app", relation_push_app, false},
    {"route", relation_push_route, false},
};
enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

void request_push(lua_State *L, struct exchange *exchange)
{
    struct http_object *object = lua_newuserdatauv(L, sizeof(*object), REQUEST_VALUES);
    object->kind = HTTP_REQUEST;
    object->exchange = exchange;
    exchange->request = object;
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->edition->request_ref);
    lua_setmetatable(L, -2);
}

void request_set_response(lua_State *L, int request, int response)
{
    lua_pushvalue(L, response);
    lua_setiuservalue(L, request, REQUEST_RESPONSE);
}

struct exchange *request_check(lua_State *L)
{
    struct http_object *object = lua_touserdata(L, 1);
    if (object == NULL || lua_rawlen(L, 1) != sizeof(*object) || object->kind != HTTP_REQUEST) {
        luaL_error(L, "expected req as first argument: call req:method(...) with a colon");
        __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
    }
    if (object->exchange == NULL) {
        luaL_error(L, "this request is over: keep what you need of req in variables of your own");
    }
    return object->exchange;
}

void request_push_store(lua_State *L)
{
    if (lua_getiuservalue(L, 1, REQUEST_STORE) == LUA_TTABLE) {
        return;
    }
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, REQUEST_STORE);
}

/* Pushes a value that is kept under its name (stack index 2) once made. */
static void push_kept(lua_State *L, struct exchange *exchange,
                      void (*make)(lua_State *L, struct exchange *exchange))
{
    request_push_store(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) {
        return;
    }
    lua_pop(L, 1);
    make(L, exchange);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
}

static void push_field(lua_State *L, struct exchange *exchange, const struct field *field)
{
    if (field->is_kept) {
        push_kept(L, exchange, field->push);
    } else {
        field->push(L, exchange);
    }
}

static int request_index(lua_State *L)
{
    struct exchange *exchange = request_check(L);
    lua_pushvalue(L, 2);
    int type = lua_rawget(L, lua_upvalueindex(1));
    if (type == LUA_TFUNCTION) {
        return 1;
    }
    if (type == LUA_TNUMBER) {
        push_field(L, exchange, &fields[lua_tointeger(L, -1) - 1]);
        return 1;
    }
    if (lua_getiuservalue(L, 1, REQUEST_STORE) == LUA_TTABLE) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, -2) != LUA_TNIL) {
            return 1;
        }
    }
    relation_push_extension(L, exchange, false);
    return 1;
}

static int request_newindex(lua_State *L)
{
    (void)request_check(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        return luaL_error(L,
                          "cannot set req.%s: it is what the client sent; use req.state or a name "
                          "of your own",
                          luaL_tolstring(L, 2, NULL));
    }
    request_push_store(L);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, -3);
    return 0;
}

int request_set_method(lua_State *L)
{
    struct exchange *exchange = request_check(L);
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    if (exchange->req != NULL) {
        exchange->view.method = h2o_strdup(&exchange->req->pool, name, len);
    }
    return 0;
}

void request_register(lua_State *L)
{
    luaL_newmetatable(L, REQUEST_METATABLE);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    request_headers_register(L);
    request_negotiate_register(L);
    request_condition_register(L);
    request_body_register(L);
    for (int i = 0; i < FIELD_COUNT; i++) {
        lua_pushinteger(L, i + 1);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, request_index, 1);
    lua_setfield(L, -3, "__index");
    lua_pushcclosure(L, request_newindex, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
}
