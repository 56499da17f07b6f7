/* request_tables.c - the tables that req makes when first asked for: params, query, headers.
 * Owns nothing; reads the exchange's view and chain.  Called by request.c, in the coroutine of the handlers, so raising is
 * allowed here.  Must not know when a table is kept (request.c). */
#include "worker/http/request_tables.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/core/value.h"
#include "worker/http/exchange.h"
#include "worker/http/text/query.h"

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
    value_push_array_mark(L);
    lua_setmetatable(L, -2);
}

void request_push_params(lua_State *L, struct exchange *exchange)
{
    lua_newtable(L);
    if (exchange->step >= exchange->chain.count) {
        return;
    }
    const struct router_step *step = &exchange->chain.steps[exchange->step];
    const struct pattern *pattern = &step->entry->pattern;
    const char *path = exchange->view.path.base;
    for (size_t i = 0; i < pattern->name_count; i++) {
        const struct router_capture *capture = &step->captures[i];
        if (capture->len == 0) {
            continue; /* an optional part that was left out is absent */
        }
        if (i == pattern->wildcard) {
            push_segments(L, path + capture->start, capture->len);
        } else {
            push_decoded(L, path + capture->start, capture->len);
        }
        lua_setfield(L, -2, pattern->names[i]);
    }
}

/* Stack: ..., table, name, value.  The first value stands alone, several become a list. */
static void add_value(lua_State *L, int table)
{
    lua_pushvalue(L, -2);
    int type = lua_rawget(L, table);
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        lua_rawset(L, table);
        return;
    }
    if (type != LUA_TTABLE) {
        lua_createtable(L, 2, 0);
        lua_insert(L, -2);
        lua_rawseti(L, -2, 1);
        value_push_array_mark(L);
        lua_setmetatable(L, -2);
    }
    lua_insert(L, -2); /* ..., name, list, value */
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_rawset(L, table);
}

void request_push_query(lua_State *L, struct exchange *exchange)
{
    const h2o_iovec_t text = exchange->view.query;
    lua_newtable(L);
    int table = lua_gettop(L);
    if (text.len == 0) {
        return;
    }
    char *buf = lua_newuserdatauv(L, text.len, 0);
    struct query query;
    struct query_text name;
    struct query_text value;
    int result;
    query_init(&query, text.base, text.len);
    while ((result = query_next(&query, buf, &name, &value)) == 1) {
        lua_pushlstring(L, name.bytes, name.len);
        lua_pushlstring(L, value.bytes, value.len);
        add_value(L, table);
    }
    if (result < 0) {
        error_raise(L, "HttpError", "parameters.too.many", 413,
                    "the query has more than %d parameters", QUERY_PAIRS_MAX);
    }
    lua_settop(L, table);
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
