/* request.c - req, as handlers see it.
 *   req.method  req.path  req.url  req.base_url  req.original_url  req.id  req.http_version          strings
 *   req.params  req.query  req.headers  req.state                    tables, made when first asked for
 *   req.log                                                          fsd.log with request_id
 *   req.aborted                                                      whether the client has gone
 *   req:get(name) (= req:header)            methods for the body: body/request_body.c
 * Owns the class "fsd.Request": a userdata (struct http_object) whose first user value is a table that holds what was made
 * lazily and what the application itself stores (req.user = ...).  Every access goes through one __index, whose upvalue
 * maps a name to a method or to a field's number.
 * Called by dispatch.c; reads the exchange's view only, so it works after libh2o's request has gone. */
#include "worker/http/request.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "worker/core/runtime.h"
#include "worker/http/body/request_body.h"
#include "worker/http/exchange.h"
#include "worker/http/request_tables.h"
#include "worker/http/service.h"
#include "worker/http/text/query.h"

enum field { /* numbers in the upvalue of __index */
             FIELD_METHOD = 1,
             FIELD_PATH,
             FIELD_URL,
             FIELD_BASE_URL,
             FIELD_ORIGINAL_URL,
             FIELD_ID,
             FIELD_VERSION,
             FIELD_PARAMS,
             FIELD_QUERY,
             FIELD_HEADERS,
             FIELD_STATE,
             FIELD_LOG,
             FIELD_ABORTED,
};

void request_push(lua_State *L, struct exchange *exchange)
{
    struct http_object *object = lua_newuserdatauv(L, sizeof(*object), 1);
    object->kind = HTTP_REQUEST;
    object->exchange = exchange;
    exchange->request = object;
    luaL_setmetatable(L, REQUEST_METATABLE);
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

void request_find_id(struct exchange *exchange)
{
    char scratch[VIEW_SCRATCH_MAX];
    h2o_iovec_t given = view_header(&exchange->view, H2O_STRLIT("x-request-id"), scratch);
    bool usable = given.len > 0 && given.len <= EXCHANGE_ID_MAX;
    for (size_t i = 0; usable && i < given.len; i++) {
        usable = given.base[i] > 0x20 && given.base[i] < 0x7f;
    }
    if (usable) {
        memcpy(exchange->id, given.base, given.len);
        exchange->id[given.len] = '\0';
    }
}

const char *request_id(struct exchange *exchange)
{
    if (exchange->id[0] == '\0') {
        request_find_id(exchange);
    }
    if (exchange->id[0] == '\0') {
        (void)snprintf(exchange->id, sizeof(exchange->id), "%llx-%llx",
                       (unsigned long long)exchange->service->runtime->incarnation,
                       (unsigned long long)exchange->serial);
    }
    return exchange->id;
}

static void push_iovec(lua_State *L, h2o_iovec_t text)
{
    lua_pushlstring(L, text.base != NULL ? text.base : "", text.len);
}

/* How much of the path belongs to where the handler that runs is mounted (app:use("/admin", ...)). */
static size_t get_base_len(const struct exchange *exchange)
{
    if (exchange->step >= exchange->chain.count) {
        return 0; /* on_error, not_found: they belong to the whole application */
    }
    return exchange->chain.steps[exchange->step].prefix_len;
}

static h2o_iovec_t get_path(const struct exchange *exchange)
{
    h2o_iovec_t path = exchange->view.path;
    size_t base_len = get_base_len(exchange);
    if (base_len == path.len && base_len > 0) {
        return h2o_iovec_init(H2O_STRLIT("/"));
    }
    return h2o_iovec_init(path.base + base_len, path.len - base_len);
}

static void push_url(lua_State *L, const struct view *view, h2o_iovec_t path)
{
    push_iovec(L, path);
    if (view->query.base != NULL) {
        lua_pushliteral(L, "?");
        push_iovec(L, view->query);
        lua_concat(L, 3);
    }
}

static void push_log(lua_State *L, struct exchange *exchange)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "fsd.log");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "with");
    lua_insert(L, -2);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, request_id(exchange));
    lua_setfield(L, -2, "request_id");
    lua_call(L, 2, 1);
}

void request_push_store(lua_State *L)
{
    if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE) {
        return;
    }
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, 1);
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

static void push_empty(lua_State *L, struct exchange *exchange)
{
    (void)exchange;
    lua_newtable(L);
}

static void push_field(lua_State *L, struct exchange *exchange, enum field field)
{
    const struct view *view = &exchange->view;
    switch (field) {
    case FIELD_METHOD:
        push_iovec(L, view->method);
        break;
    case FIELD_PATH:
        push_iovec(L, get_path(exchange));
        break;
    case FIELD_URL:
        push_url(L, view, get_path(exchange));
        break;
    case FIELD_BASE_URL:
        lua_pushlstring(L, view->path.base, get_base_len(exchange));
        break;
    case FIELD_ORIGINAL_URL:
        push_url(L, view, view->path);
        break;
    case FIELD_ID:
        lua_pushstring(L, request_id(exchange));
        break;
    case FIELD_VERSION:
        lua_pushfstring(L, "%d.%d", view->version >> 8, view->version & 0xff);
        break;
    case FIELD_PARAMS: /* of the handler that runs: not kept */
        request_push_params(L, exchange);
        break;
    case FIELD_QUERY:
        push_kept(L, exchange, request_push_query);
        break;
    case FIELD_HEADERS:
        push_kept(L, exchange, request_push_headers);
        break;
    case FIELD_STATE:
        push_kept(L, exchange, push_empty);
        break;
    case FIELD_LOG:
        push_kept(L, exchange, push_log);
        break;
    case FIELD_ABORTED:
        lua_pushboolean(L, exchange->is_client_gone);
        break;
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
        push_field(L, exchange, (enum field)lua_tointeger(L, -1));
        return 1;
    }
    if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
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

/* Joins to the first value, on the top of the stack, what the other headers of that name say, as in req.headers. */
static void append_repeated(lua_State *L, const h2o_headers_t *headers, const char *name,
                            size_t len)
{
    const char *joint = h2o_memis(name, len, H2O_STRLIT("cookie")) ? "; " : ", ";
    bool is_first = true;
    for (size_t i = 0; i < headers->size; i++) {
        const h2o_header_t *header = &headers->entries[i];
        if (!h2o_memis(header->name->base, header->name->len, name, len)) {
            continue;
        }
        if (!is_first) {
            lua_pushstring(L, joint);
            push_iovec(L, header->value);
            lua_concat(L, 3);
        }
        is_first = false;
    }
}

/* req:get(name) -> string or nil; the name in any case */
static int request_get(lua_State *L)
{
    struct exchange *exchange = request_check(L);
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    char lower[256];
    char scratch[VIEW_SCRATCH_MAX];
    if (len >= sizeof(lower)) {
        lua_pushnil(L);
        return 1;
    }
    memcpy(lower, name, len);
    h2o_strtolower(lower, len);
    h2o_iovec_t value = view_header(&exchange->view, lower, len, scratch);
    if (value.base == NULL) {
        lua_pushnil(L);
    } else {
        push_iovec(L, value);
        append_repeated(L, &exchange->view.headers, lower, len);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"get", request_get},
    {"header", request_get},
    {NULL, NULL},
};

static const struct field_row {
    const char *name;
    enum field field;
} fields[] = {
    {"method", FIELD_METHOD},
    {"path", FIELD_PATH},
    {"url", FIELD_URL},
    {"base_url", FIELD_BASE_URL},
    {"original_url", FIELD_ORIGINAL_URL},
    {"id", FIELD_ID},
    {"http_version", FIELD_VERSION},
    {"params", FIELD_PARAMS},
    {"query", FIELD_QUERY},
    {"headers", FIELD_HEADERS},
    {"state", FIELD_STATE},
    {"log", FIELD_LOG},
    {"aborted", FIELD_ABORTED},
};

void request_register(lua_State *L)
{
    luaL_newmetatable(L, REQUEST_METATABLE);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, methods);
    request_body_register(L);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        lua_pushinteger(L, fields[i].field);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, request_index, 1);
    lua_setfield(L, -3, "__index");
    lua_pushcclosure(L, request_newindex, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
}
