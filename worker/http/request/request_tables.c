/* request_tables.c - the tables that req makes when first asked for: params, query, headers, raw_headers.
 * Owns nothing; reads the exchange's view and chain.  Called by request.c, in the coroutine of the handlers, so raising is
 * allowed here.  Must not know when a table is kept (request.c). */
#include "worker/http/request/request_tables.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/core/value.h"
#include "worker/http/exchange.h"
#include "worker/http/request/query_table.h"
#include "worker/http/settings.h"
#include "worker/http/text/query.h"
#include "worker/http/text/query_key.h"

void request_push_query(lua_State *L, struct exchange *exchange)
{
    const h2o_iovec_t text = exchange->view.query;
    switch (exchange_settings(exchange)->query_parser) {
    case SETTINGS_QUERY_SIMPLE:
        query_table_push(L, text.base, text.len, 0, "query");
        break;
    case SETTINGS_QUERY_EXTENDED:
        query_table_push(L, text.base, text.len, QUERY_KEY_DEPTH, "query");
        break;
    case SETTINGS_QUERY_OFF:
        lua_newtable(L);
        break;
    case SETTINGS_QUERY_FUNCTION:
        (void)settings_push(L, exchange, "query_parser");
        lua_pushlstring(L, text.base != NULL ? text.base : "", text.len);
        lua_call(L, 1, 1);
        break;
    }
}

static void set_pseudo(lua_State *L, const struct view *view, const char *name)
{
    char scratch[VIEW_SCRATCH_MAX];
    h2o_iovec_t value = view_header(view, name, strlen(name), scratch);
    if (value.base != NULL) {
        lua_pushlstring(L, value.base, value.len);
        lua_setfield(L, -2, name);
    }
}

void request_push_headers(lua_State *L, struct exchange *exchange)
{
    const struct view *view = &exchange->view;
    lua_createtable(L, 0, (int)view->headers.size + 2);
    set_pseudo(L, view, "host");
    set_pseudo(L, view, "content-length");
    set_pseudo(L, view, "transfer-encoding");
    for (size_t i = 0; i < view->headers.size; i++) {
        const h2o_header_t *header = &view->headers.entries[i];
        bool is_cookie = h2o_memis(header->name->base, header->name->len, H2O_STRLIT("cookie"));
        lua_pushlstring(L, header->name->base, header->name->len);
        lua_pushvalue(L, -1);
        int before = lua_rawget(L, -3);
        if (before == LUA_TNIL) {
            lua_pop(L, 1);
            lua_pushlstring(L, header->value.base, header->value.len);
        } else {
            lua_pushstring(L, is_cookie ? "; " : ", ");
            lua_pushlstring(L, header->value.base, header->value.len);
            lua_concat(L, 3);
        }
        lua_rawset(L, -3);
    }
}

/* Names as the client has written them.  libh2o takes some out of the list, so these come first. */
static void add_raw(lua_State *L, h2o_iovec_t name, h2o_iovec_t value)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    lua_pushlstring(L, name.base, name.len);
    lua_rawseti(L, -2, count + 1);
    lua_pushlstring(L, value.base, value.len);
    lua_rawseti(L, -2, count + 2);
}

void request_push_raw_headers(lua_State *L, struct exchange *exchange)
{
    static const char *const taken[] = {"Host", "Content-Length", "Transfer-Encoding"};
    const struct view *view = &exchange->view;
    lua_createtable(L, 2 * (int)view->headers.size + 2, 0);
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        char scratch[VIEW_SCRATCH_MAX];
        char lower[VIEW_SCRATCH_MAX];
        size_t len = strlen(taken[i]);
        memcpy(lower, taken[i], len);
        h2o_strtolower(lower, len);
        h2o_iovec_t value = view_header(view, lower, len, scratch);
        if (value.base != NULL) {
            add_raw(L, h2o_iovec_init(taken[i], len), value);
        }
    }
    for (size_t i = 0; i < view->headers.size; i++) {
        const h2o_header_t *header = &view->headers.entries[i];
        const char *name = header->orig_name != NULL ? header->orig_name : header->name->base;
        add_raw(L, h2o_iovec_init(name, header->name->len), header->value);
    }
    value_push_array_mark(L);
    lua_setmetatable(L, -2);
}
