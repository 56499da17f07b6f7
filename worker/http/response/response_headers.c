/* response_headers.c - the headers of an answer, as handlers set and read them.
 *   res:set(name, value | {values}) | res:set{...}   res:append(name, value | {values})   res:unset(name)       -> res
 *   res:get(name) -> string, a list of strings, or nil                            res:has(name) -> boolean
 * Owns nothing: headers go straight into libh2o's response, in the request's pool.  Every one is checked here or where it is
 * written (response_fields.c), because libh2o 2.2.5 would send a line break as it is.
 * Called by response.c, and by whatever sets a header in an answer.  Must not know what a header means, but for Content-Type. */
#include "worker/http/response/response_headers.h"

#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#include "worker/http/exchange.h"
#include "worker/http/response/response.h"
#include "worker/http/text/header_text.h"
#include "worker/http/text/type_text.h"

bool response_headers_are_open(lua_State *L, const struct exchange *exchange)
{
    return response_is_open(L, exchange) && exchange->stream == NULL;
}

static bool is_named(const h2o_header_t *header, const char *name, size_t len)
{
    return header->name->len == len && strncasecmp(header->name->base, name, len) == 0;
}

/* The place of the next header of that name behind at; size when there is none. */
static size_t find_next(const h2o_headers_t *headers, const char *name, size_t len, size_t at)
{
    while (at < headers->size && !is_named(&headers->entries[at], name, len)) {
        at++;
    }
    return at;
}

static void remove_all(h2o_headers_t *headers, const char *name, size_t len)
{
    size_t at = 0;
    while ((at = find_next(headers, name, len, at)) < headers->size) {
        (void)h2o_delete_header(headers, (ssize_t)at);
    }
}

static void add(h2o_req_t *req, const char *name, size_t name_len, h2o_iovec_t value)
{
    char *lower = h2o_mem_alloc_pool(&req->pool, name_len);
    memcpy(lower, name, name_len);
    h2o_strtolower(lower, name_len);
    h2o_iovec_t copy = h2o_strdup(&req->pool, value.base, value.len);
    h2o_add_header_by_str(&req->pool, &req->res.headers, lower, name_len, 1, NULL, copy.base,
                          copy.len);
}

void response_headers_add(h2o_req_t *req, const char *name, h2o_iovec_t value)
{
    add(req, name, strlen(name), value);
}

void response_headers_put(h2o_req_t *req, const char *name, h2o_iovec_t value)
{
    remove_all(&req->res.headers, name, strlen(name));
    add(req, name, strlen(name), value);
}

void response_headers_remove(h2o_req_t *req, const char *name)
{
    remove_all(&req->res.headers, name, strlen(name));
}

void response_headers_drop_content(h2o_req_t *req)
{
    static const char *const names[] = {
        "accept-ranges",
        "age",
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-location",
        "content-range",
        "content-type",
        "etag",
        "expires",
        "last-modified",
        "link",
        "location",
    };
    if (req->res.headers.size == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        response_headers_remove(req, names[i]);
    }
}

h2o_iovec_t response_headers_find(const h2o_req_t *req, const char *name)
{
    const h2o_headers_t *headers = &req->res.headers;
    size_t at = find_next(headers, name, strlen(name), 0);
    return at < headers->size ? headers->entries[at].value : h2o_iovec_init(NULL, 0);
}

h2o_iovec_t response_headers_join(h2o_req_t *req, const char *name)
{
    const h2o_headers_t *headers = &req->res.headers;
    h2o_iovec_t joined = h2o_iovec_init(H2O_STRLIT(""));
    for (size_t at = 0; (at = find_next(headers, name, strlen(name), at)) < headers->size; at++) {
        h2o_iovec_t value = headers->entries[at].value;
        joined = joined.len == 0
                     ? value
                     : h2o_concat(&req->pool, joined, h2o_iovec_init(H2O_STRLIT(", ")), value);
    }
    return joined;
}

static void raise_fault(lua_State *L, const char *name, const char *fault)
{
    if (header_text_is_name(name, strlen(name))) {
        luaL_error(L, "cannot set header \"%s\": %s", name, fault);
    } else {
        luaL_error(L, "cannot set header: %s", fault);
    }
}

static const char *check_name(lua_State *L, int index, size_t *ret_len)
{
    const char *name = luaL_checklstring(L, index, ret_len);
    const char *fault = header_text_fault(name, *ret_len, "", 0);
    if (fault != NULL) {
        raise_fault(L, name, fault);
    }
    return name;
}

/* Strings as they are, other values by tostring; pushes it.  Nothing that only has an address as text. */
static h2o_iovec_t push_value(lua_State *L, const char *name, int index)
{
    size_t len;
    int type = lua_type(L, index);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
        if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL) {
            luaL_error(L, "cannot set header \"%s\": the value is a %s", name,
                       luaL_typename(L, index));
        }
        lua_pop(L, 1);
    }
    const char *text = luaL_tolstring(L, index, &len);
    if (!header_text_is_value(text, len)) {
        raise_fault(L, name, "the value has a line break or control character");
    }
    return h2o_iovec_init(text, len);
}

static bool is_list(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE) {
        return false;
    }
    if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    return lua_rawlen(L, index) > 0;
}

static bool is_type(const char *name, size_t len)
{
    return len == 12 && strncasecmp(name, "content-type", len) == 0;
}

static void add_charset(h2o_req_t *req, h2o_iovec_t *type)
{
    if (type_text_wants_charset(type->base, type->len)) {
        *type = h2o_concat(&req->pool, *type, h2o_iovec_init(H2O_STRLIT("; charset=utf-8")));
    }
}

static void add_list(lua_State *L, struct exchange *exchange, const char *name, int index)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        add(exchange->req, name, strlen(name), push_value(L, name, lua_gettop(L)));
        lua_pop(L, 2);
    }
}

/* Checks all of it before anything changes. */
static void check_list(lua_State *L, const char *name, int index)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        (void)push_value(L, name, lua_gettop(L));
        lua_pop(L, 2);
    }
}

static void set_header(lua_State *L, struct exchange *exchange, int name_index, int value_index,
                       bool replaces)
{
    size_t name_len;
    const char *name = check_name(L, name_index, &name_len);
    h2o_req_t *req = exchange->req;
    bool is_content_type = is_type(name, name_len);
    if (is_list(L, value_index)) {
        if (is_content_type) {
            luaL_error(L, "cannot set header \"%s\": there is one content type only", name);
        }
        check_list(L, name, value_index);
        if (replaces) {
            remove_all(&req->res.headers, name, name_len);
        }
        add_list(L, exchange, name, value_index);
        return;
    }
    h2o_iovec_t value = push_value(L, name, value_index);
    if (is_content_type) {
        add_charset(req, &value);
    }
    if (replaces || is_content_type) {
        remove_all(&req->res.headers, name, name_len);
    }
    add(req, name, name_len, value);
    lua_pop(L, 1);
}

void response_headers_set_type(lua_State *L, struct exchange *exchange, const char *type,
                               size_t len)
{
    if (!header_text_is_value(type, len)) {
        raise_fault(L, "content-type", "the value has a line break or control character");
    }
    h2o_iovec_t value = h2o_iovec_init(type, len);
    add_charset(exchange->req, &value);
    response_headers_put(exchange->req, "content-type", value);
}

int response_headers_set(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    if (!response_headers_are_open(L, exchange)) {
        lua_settop(L, 1);
        return 1;
    }
    if (lua_type(L, 2) != LUA_TTABLE) {
        luaL_checkany(L, 3);
        set_header(L, exchange, 2, 3, true);
        lua_settop(L, 1);
        return 1;
    }
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) {
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 2, "header names must be strings");
        int value = lua_gettop(L);
        set_header(L, exchange, value - 1, value, true);
        lua_settop(L, value - 1);
    }
    lua_settop(L, 1);
    return 1;
}

int response_headers_append(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    luaL_checkany(L, 3);
    if (response_headers_are_open(L, exchange)) {
        set_header(L, exchange, 2, 3, false);
    }
    lua_settop(L, 1);
    return 1;
}

int response_headers_unset(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t len;
    const char *name = check_name(L, 2, &len);
    if (response_headers_are_open(L, exchange)) {
        remove_all(&exchange->req->res.headers, name, len);
    }
    lua_settop(L, 1);
    return 1;
}

int response_headers_get(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    lua_pushnil(L);
    if (exchange->req == NULL) {
        return 1;
    }
    const h2o_headers_t *headers = &exchange->req->res.headers;
    lua_Integer count = 0;
    for (size_t at = 0; (at = find_next(headers, name, len, at)) < headers->size; at++) {
        if (++count == 2) { /* the first one stands on the top */
            lua_createtable(L, 4, 0);
            lua_insert(L, -2);
            lua_rawseti(L, -2, 1);
        }
        lua_pushlstring(L, headers->entries[at].value.base, headers->entries[at].value.len);
        if (count >= 2) {
            lua_rawseti(L, -2, count);
        }
    }
    return 1;
}

int response_headers_has(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    bool has = false;
    if (exchange->req != NULL) {
        const h2o_headers_t *headers = &exchange->req->res.headers;
        has = find_next(headers, name, len, 0) < headers->size;
    }
    lua_pushboolean(L, has);
    return 1;
}

/* The value on the top as text; base NULL: it is none that a header can have. */
static h2o_iovec_t read_value(lua_State *L)
{
    size_t len = 0;
    int type = lua_type(L, -1);
    bool is_text = type == LUA_TSTRING || type == LUA_TNUMBER;
    const char *text = is_text ? lua_tolstring(L, -1, &len) : NULL;
    return h2o_iovec_init(text, len);
}

/* Name and value on the top: what is wrong with them, or NULL. */
static const char *find_pair_fault(lua_State *L)
{
    size_t name_len;
    if (lua_type(L, -2) != LUA_TSTRING) {
        return "a header's name must be a string";
    }
    const char *name = lua_tolstring(L, -2, &name_len);
    h2o_iovec_t value = read_value(L);
    return value.base == NULL ? "a header's value must be a string or a number"
                              : header_text_fault(name, name_len, value.base, value.len);
}

void response_headers_put_table(lua_State *L, int index, h2o_req_t *req)
{
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (find_pair_fault(L) == NULL) {
            size_t name_len;
            const char *name = lua_tolstring(L, -2, &name_len);
            add(req, name, name_len, read_value(L));
        }
        lua_pop(L, 1);
    }
}

int response_headers_find_fault(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        const char *fault = find_pair_fault(L);
        if (fault != NULL) {
            lua_pushstring(L, fault);
            return 1;
        }
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    return 1;
}
