/* stdlib.c - the list of those functions of Lua's libraries that are ours.
 * Owns the rows.  A row that keeps its original gets it as its first upvalue.  What differs from Lua's own stands in
 * docs/reference/lua-differences.md.  Called once by runtime.c. */
#include "worker/core/stdlib/stdlib.h"

#include <stdbool.h>

#include "worker/core/stdlib/array.h"
#include "worker/core/stdlib/breath.h"
#include "worker/core/stdlib/ceiling.h"
#include "worker/core/stdlib/collect.h"
#include "worker/core/stdlib/format.h"
#include "worker/core/stdlib/gsub.h"
#include "worker/core/stdlib/piecewise.h"
#include "worker/core/stdlib/repeat.h"
#include "worker/core/stdlib/search.h"
#include "worker/core/stdlib/sort.h"
#include "worker/core/stdlib/unicode.h"

static const struct row {
    const char *library;
    const char *name;
    lua_CFunction call;
    bool keeps_original;
} rows[] = {
    {"string", "find", search_find, false},       {"string", "match", search_match, false},
    {"string", "gmatch", search_gmatch, false},   {"string", "gsub", gsub_call, false},
    {"string", "rep", repeat_call, false},        {"table", "concat", array_concat, false},
    {"table", "move", array_move, false},         {"table", "insert", array_insert, true},
    {"table", "remove", array_remove, true},      {"string", "upper", piecewise_map, true},
    {"string", "lower", piecewise_map, true},     {"string", "reverse", piecewise_reverse, true},
    {"string", "pack", ceiling_pack, true},       {"string", "unpack", ceiling_format, true},
    {"string", "packsize", ceiling_format, true}, {"os", "date", ceiling_format, true},
    {"_G", "collectgarbage", collect_call, true}, {"string", "format", format_call, true},
    {"utf8", "len", unicode_len, true},           {"utf8", "offset", unicode_offset, true},
};

static void replace(lua_State *L, const struct row *row)
{
    lua_getglobal(L, row->library);
    if (row->keeps_original) {
        lua_getfield(L, -1, row->name);
        lua_pushnil(L); /* a function may keep something there */
        lua_pushcclosure(L, row->call, 2);
    } else {
        lua_pushcfunction(L, row->call);
    }
    lua_setfield(L, -2, row->name);
    lua_pop(L, 1);
}

void stdlib_replace(lua_State *L)
{
    breath_open(L);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        replace(L, &rows[i]);
    }
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    sort_wrap(L);
    lua_setfield(L, -2, "sort");
    lua_pop(L, 1);
}
