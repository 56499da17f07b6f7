/* query_table.c - queries and forms as Lua tables, flat or nested.
 *
 * Owns nothing.  While a nested table grows, places in lists are integer keys and names are strings; at the end (settle) what has
 * nothing but integers becomes a list without holes, and what has both kinds has only names.  A value that is given where a table stands
 * joins it, as an element of a list would: nothing that a client sends is lost, and nothing raises.
 * Called by requests, in the coroutine of the handlers, so raising is allowed here.  Must not know where the text is from. */
#include "worker/http/request/query_table.h"

#include <lauxlib.h>

#include "worker/core/error.h"
#include "worker/core/value.h"
#include "worker/http/text/query.h"
#include "worker/http/text/query_key.h"

static void mark_list(lua_State *L)
{
    value_push_array_mark(L);
    lua_setmetatable(L, -2);
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
        mark_list(L);
    }
    lua_insert(L, -2); /* ..., name, list, value */
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_rawset(L, table);
}

/* A part of a name, and how it is read. */
struct step {
    struct query_text part;
    bool is_first; /* of a name that does not begin with a bracket: never a place in a list */
    unsigned index_max;
};

/* Pushes the key of a part in the table on the top; an empty one is the next free place. */
static void push_key(lua_State *L, const struct step *step)
{
    unsigned index;
    if (step->part.len == 0) {
        lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1) + 1);
    } else if (!step->is_first && query_key_is_index(step->part, step->index_max, &index)) {
        lua_pushinteger(L, (lua_Integer)index + 1);
    } else {
        lua_pushlstring(L, step->part.bytes, step->part.len);
    }
}

/* Replaces the table on the top by the one below it under a key; what stands there becomes an element of that. */
static void descend(lua_State *L, const struct step *step)
{
    push_key(L, step);
    lua_pushvalue(L, -1);
    int type = lua_rawget(L, -3); /* table, key, value */
    if (type != LUA_TTABLE) {
        lua_newtable(L);
        if (type != LUA_TNIL) {
            lua_pushvalue(L, -2);
            lua_rawseti(L, -2, 1);
        }
        lua_replace(L, -2); /* table, key, new table */
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* Stack: ..., table.  Puts the value at an index under the last part of its name; several make a list. */
static void put_value(lua_State *L, const struct step *step, int value)
{
    push_key(L, step);
    lua_pushvalue(L, -1);
    int type = lua_rawget(L, -3); /* table, key, what stands there */
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, value);
        lua_rawset(L, -3);
        return;
    }
    lua_pop(L, 2);
    descend(L, step); /* an empty part would not have found anything */
    lua_pushvalue(L, value);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* Stack: ..., value, which is popped. */
static void add_nested(lua_State *L, int table, const struct query_nesting *nesting,
                       struct query_text name)
{
    struct query_text parts[QUERY_KEY_PARTS_MAX];
    size_t count = query_key_split(name.bytes, name.len, nesting->depth, parts);
    int value = lua_gettop(L);
    lua_pushvalue(L, table);
    for (size_t i = 0; i < count; i++) {
        struct step step = {.part = parts[i],
                            .is_first = i == 0 && name.bytes[0] != '[',
                            .index_max = nesting->index_max};
        if (i + 1 < count) {
            descend(L, &step);
        } else {
            put_value(L, &step, value);
        }
    }
    lua_settop(L, value - 1);
}

/* The last place in the table at index; 0: it has names, too. */
static lua_Integer find_last(lua_State *L, int index)
{
    lua_Integer last = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1)) {
            lua_pop(L, 1);
            return 0;
        }
        last = lua_tointeger(L, -1) > last ? lua_tointeger(L, -1) : last;
    }
    return last;
}

static void settle(lua_State *L, bool is_root);

/* Pushes the list of what stands in the table at source, in order, without holes. */
static void push_list(lua_State *L, int source, lua_Integer last)
{
    lua_Integer next = 1;
    lua_newtable(L);
    for (lua_Integer i = 1; i <= last; i++) {
        if (lua_rawgeti(L, source, i) == LUA_TNIL) {
            lua_pop(L, 1);
            continue;
        }
        settle(L, false);
        lua_rawseti(L, -2, next++);
    }
    mark_list(L);
}

/* Pushes a table with the names of the one at source; places in lists become names, counted from 0 as they were sent. */
static void push_names(lua_State *L, int source)
{
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, source) != 0) {
        settle(L, false);
        if (lua_isinteger(L, -2)) {
            lua_pushfstring(L, "%I", lua_tointeger(L, -2) - 1);
        } else {
            lua_pushvalue(L, -2);
        }
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

/* Replaces the value on the top by what it is when nothing more is added.  As deep as names are split. */
static void settle(lua_State *L, bool is_root)
{
    if (lua_type(L, -1) != LUA_TTABLE) {
        return;
    }
    luaL_checkstack(L, 8, "nested parameters");
    int source = lua_gettop(L);
    lua_Integer last = is_root ? 0 : find_last(L, source);
    if (last > 0) {
        push_list(L, source, last);
    } else {
        push_names(L, source);
    }
    lua_replace(L, source);
    lua_settop(L, source);
}

void query_table_push(lua_State *L, const char *text, size_t len, size_t depth, const char *what)
{
    lua_newtable(L);
    int table = lua_gettop(L);
    if (len == 0) {
        return;
    }
    char *buf = lua_newuserdatauv(L, len, 0);
    lua_insert(L, table++);
    const struct query_nesting nesting = {.depth = depth, .index_max = QUERY_KEY_INDEX};
    struct query query;
    struct query_text name;
    struct query_text value;
    int result;
    query_init(&query, text, len);
    while ((result = query_next(&query, buf, &name, &value)) == 1) {
        if (depth > 0) {
            lua_pushlstring(L, value.bytes, value.len);
            add_nested(L, table, &nesting, name);
            continue;
        }
        lua_pushlstring(L, name.bytes, name.len);
        lua_pushlstring(L, value.bytes, value.len);
        add_value(L, table);
    }
    if (result < 0) {
        error_raise(L, "HttpError", "parameters.too.many", 413,
                    "the %s has more than %d parameters", what, QUERY_PAIRS_MAX);
    }
    if (depth > 0) {
        settle(L, true);
    }
    lua_remove(L, table - 1);
}

void query_table_nest(lua_State *L, int pairs, const struct query_nesting *nesting)
{
    lua_newtable(L);
    int table = lua_gettop(L);
    size_t count = lua_rawlen(L, pairs);
    for (size_t i = 1; i < count; i += 2) {
        struct query_text name;
        lua_rawgeti(L, pairs, (lua_Integer)i);
        name.bytes = luaL_checklstring(L, -1, &name.len); /* the list keeps it */
        lua_rawgeti(L, pairs, (lua_Integer)i + 1);
        add_nested(L, table, nesting, name);
        lua_settop(L, table);
    }
    settle(L, true);
}
