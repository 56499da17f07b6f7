/* body_form.c - urlencoded forms as tables:
 *   core.form(req, parameter_limit, is_latin1)        names to values, to lists where repeated
 *   core.form_nested(req, parameter_limit, depth)     a[b]=1 nests; at most 1000 parameters
 *   core.nest(pairs, depth, index_max)                the same of a list of names and values
 * Owns where it stands and a scratch, both on Lua's stack.  ISO 8859-1 is what very old pages send; it is made UTF-8.
 * Called by lua/fsd/http/body.lua.  Must not know how pairs are written (text/query.c) and nested (query_table.c). */
#include "worker/http/body/body_form.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/core/stdlib/breath.h"
#include "worker/core/value.h"
#include "worker/http/body/body_bytes.h"
#include "worker/http/request/query_table.h"
#include "worker/http/text/query.h"
#include "worker/http/text/query_key.h"

enum { AT_LIMIT = 2, AT_LATIN1, AT_READING, AT_FORM, PIECE = 64 * 1024 };

struct reading {
    struct query query;
    lua_Integer left; /* parameters */
    bool is_latin1;
    char buf[]; /* as long as the body */
};

static void push_text(lua_State *L, struct query_text text, bool is_latin1)
{
    if (!is_latin1) {
        lua_pushlstring(L, text.bytes, text.len);
        return;
    }
    luaL_Buffer buf;
    luaL_buffinit(L, &buf);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        if (byte >= 0x80) {
            luaL_addchar(&buf, (char)(0xc0 | byte >> 6));
            byte = 0x80 | (byte & 0x3f);
        }
        luaL_addchar(&buf, (char)byte);
    }
    luaL_pushresult(&buf);
}

/* Stack: ..., name, value, both popped.  The first value stands alone, several become a list. */
static void add_pair(lua_State *L)
{
    lua_pushvalue(L, -2);
    int type = lua_rawget(L, AT_FORM);
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        lua_rawset(L, AT_FORM);
        return;
    }
    if (type != LUA_TTABLE) {
        lua_createtable(L, 2, 0);
        lua_insert(L, -2);
        lua_rawseti(L, -2, 1);
        value_push_array_mark(L);
        lua_setmetatable(L, -2);
    }
    lua_insert(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_rawset(L, AT_FORM);
}

static _Noreturn void refuse(lua_State *L)
{
    error_raise(L, "HttpError", "parameters.too.many", 413, "the form has more than %I parameters",
                (LUAI_UACINT)lua_tointeger(L, AT_LIMIT));
}

/* Long forms take breaths. */
static int go_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct reading *reading = lua_touserdata(L, AT_READING);
    struct query *query = &reading->query;
    struct query_text name;
    struct query_text value;
    (void)body_bytes(L); /* it may have gone */
    const char *pause = query->at + PIECE;
    for (;;) {
        query->count = 0; /* the limit is ours */
        if (query_next(query, reading->buf, &name, &value) != 1) {
            return 1;
        }
        if (reading->left-- == 0) {
            refuse(L);
        }
        push_text(L, name, reading->is_latin1);
        push_text(L, value, reading->is_latin1);
        add_pair(L);
        if (query->at > pause) {
            pause = query->at + PIECE;
            breath_take(L, 0, go_on);
        }
    }
}

/* Pairs, or pieces between & that are none: at least as many as there are. */
static lua_Integer count_pieces(struct body_text body)
{
    lua_Integer count = body.len > 0;
    const char *at = body.bytes;
    const char *end = body.bytes + body.len;
    while (at < end && (at = memchr(at, '&', (size_t)(end - at))) != NULL) {
        at++;
        count++;
    }
    return count;
}

int body_form_nested(lua_State *L)
{
    struct body_text body = body_bytes(L);
    lua_Integer limit = luaL_checkinteger(L, AT_LIMIT);
    lua_Integer depth = luaL_checkinteger(L, 3);
    luaL_argcheck(L, depth >= 1 && depth <= QUERY_KEY_DEPTH_MAX, 3, "must be from 1 to 32");
    if (count_pieces(body) > limit) {
        refuse(L);
    }
    query_table_push(L, body.bytes, body.len, (size_t)depth, "form");
    return 1;
}

int body_form_nest(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer depth = luaL_checkinteger(L, 2);
    lua_Integer index_max = luaL_checkinteger(L, 3);
    luaL_argcheck(L, depth >= 1 && depth <= QUERY_KEY_DEPTH_MAX, 2, "must be from 1 to 32");
    luaL_argcheck(L, index_max >= 0 && index_max <= QUERY_KEY_INDEX_MAX, 3,
                  "must be from 0 to 1000");
    const struct query_nesting nesting = {.depth = (size_t)depth, .index_max = (unsigned)index_max};
    query_table_nest(L, 1, &nesting);
    return 1;
}

int body_form(lua_State *L)
{
    struct body_text body = body_bytes(L);
    lua_Integer limit = luaL_checkinteger(L, AT_LIMIT);
    bool is_latin1 = lua_toboolean(L, AT_LATIN1);
    lua_settop(L, AT_LATIN1);
    struct reading *reading = lua_newuserdatauv(L, sizeof(*reading) + body.len, 0);
    reading->left = limit;
    reading->is_latin1 = is_latin1;
    query_init(&reading->query, body.bytes, body.len);
    lua_newtable(L);
    return go_on(L, LUA_OK, 0);
}
