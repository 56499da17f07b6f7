/* request_headers.c - single headers of a request:
 *   req:get(name) (= req:header) -> string or nil         req:header_values(name) -> list
 * Owns nothing.  Reads the exchange's view, so it works after libh2o's request has gone.  As in Node several headers of one name are
 * one value, joined by a comma; "Referer" may be spelt rightly.
 * Called from Lua through the class that request.c makes, and by what judges headers.  Must not know what any header means. */
#include "worker/http/request/request_headers.h"

#include <h2o.h>
#include <lauxlib.h>
#include <string.h>

#include "worker/core/value.h"
#include "worker/http/exchange.h"
#include "worker/http/request/request.h"

enum { NAME_MAX_BYTES = 255 };

static void push_iovec(lua_State *L, h2o_iovec_t text)
{
    lua_pushlstring(L, text.base != NULL ? text.base : "", text.len);
}

/* Joins to the first value, on the top of the stack, what the other headers of that name say, as in req.headers. */
static void append_repeated(lua_State *L, const h2o_headers_t *headers, const char *name,
                            size_t len)
{
    const char *joint = h2o_memis(name, len, H2O_STRLIT("cookie")) ? "; " : ", ";
    int first = lua_gettop(L);
    luaL_Buffer joined;
    size_t found = 0;
    for (size_t i = 0; i < headers->size; i++) {
        const h2o_header_t *header = &headers->entries[i];
        if (!h2o_memis(header->name->base, header->name->len, name, len)) {
            continue;
        }
        if (++found == 2) { /* seldom */
            luaL_buffinit(L, &joined);
            lua_pushvalue(L, first);
            luaL_addvalue(&joined);
        }
        if (found >= 2) {
            luaL_addlstring(&joined, joint, 2);
            luaL_addlstring(&joined, header->value.base, header->value.len);
        }
    }
    if (found >= 2) {
        luaL_pushresult(&joined);
        lua_remove(L, -2);
    }
}

int request_push_header(lua_State *L, const struct exchange *exchange, const char *name, size_t len)
{
    char scratch[VIEW_SCRATCH_MAX];
    h2o_iovec_t value = view_header(&exchange->view, name, len, scratch);
    if (value.base == NULL) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    push_iovec(L, value);
    append_repeated(L, &exchange->view.headers, name, len);
    return LUA_TSTRING;
}

const char *request_push_header_text(lua_State *L, const struct exchange *exchange,
                                     const char *name, size_t *ret_len)
{
    *ret_len = 0;
    (void)request_push_header(L, exchange, name, strlen(name));
    return lua_tolstring(L, -1, ret_len);
}

/* The name at index 2 in lower case; its length, 0 when no header has such a name. */
static size_t check_name(lua_State *L, char lower[NAME_MAX_BYTES])
{
    size_t len;
    const char *name = luaL_checklstring(L, 2, &len);
    if (len > NAME_MAX_BYTES) {
        return 0;
    }
    memcpy(lower, name, len);
    h2o_strtolower(lower, len);
    return len;
}

/* req:get(name) -> string or nil; the name in any case */
static int request_get(lua_State *L)
{
    struct exchange *exchange = request_check(L);
    char name[NAME_MAX_BYTES];
    size_t len = check_name(L, name);
    bool is_referrer = h2o_memis(name, len, H2O_STRLIT("referrer"));
    if (!is_referrer && !h2o_memis(name, len, H2O_STRLIT("referer"))) {
        (void)request_push_header(L, exchange, name, len);
    } else if (request_push_header(L, exchange, H2O_STRLIT("referrer")) == LUA_TNIL) {
        (void)request_push_header(L, exchange, H2O_STRLIT("referer"));
    }
    return 1;
}

/* req:header_values(name) -> list of what each header of that name says, in their order */
static int request_header_values(lua_State *L)
{
    struct exchange *exchange = request_check(L);
    const h2o_headers_t *headers = &exchange->view.headers;
    char name[NAME_MAX_BYTES];
    char scratch[VIEW_SCRATCH_MAX];
    size_t len = check_name(L, name);
    lua_Integer count = 0;
    lua_newtable(L);
    for (size_t i = 0; i < headers->size; i++) {
        const h2o_header_t *header = &headers->entries[i];
        if (h2o_memis(header->name->base, header->name->len, name, len)) {
            push_iovec(L, header->value);
            lua_rawseti(L, -2, ++count);
        }
    }
    h2o_iovec_t pseudo = view_header(&exchange->view, name, len, scratch);
    if (count == 0 && pseudo.base != NULL) {
        push_iovec(L, pseudo);
        lua_rawseti(L, -2, 1);
    }
    value_push_array_mark(L);
    lua_setmetatable(L, -2);
    return 1;
}

static const luaL_Reg methods[] = {
    {"get", request_get},
    {"header", request_get},
    {"header_values", request_header_values},
    {NULL, NULL},
};

void request_headers_register(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
