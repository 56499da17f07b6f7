/* sort.c - table.sort that can be preempted, and whose comparison may wait.
 * Owns a merge sort written in Lua: what runs there can be put aside anywhere, and calling a comparison from Lua is cheaper
 * than from C.  It works on a copy and writes that back at the end, so a comparison that raises leaves the table as it was,
 * and one that contradicts itself gives some order and no error.  Short lists of numbers or short strings without a comparison
 * are left to Lua's own function, which is quicker for them.  Called by Lua. */
#include "worker/core/stdlib/sort.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>

#include "worker/core/stdlib/array.h"

enum {
    ORIGINAL_MAX = 10000, /* elements that Lua's own sorts in a few milliseconds */
    LONG_MIN_BYTES = 1024,
    SHORT_MAX = 12, /* elements that are sorted by insertion alone; the source says so too */
};

enum {
    UPVALUE_ORIGINAL = 1,
    UPVALUE_BY_OPERATOR,
    UPVALUE_BY_FUNCTION,
    UPVALUE_COUNT = UPVALUE_BY_FUNCTION
};

/* IS_LESS is replaced by how it compares: whether y, which stood behind x, must come before it.  Runs of 8 are sorted by
 * insertion, then merged from one list into the other until all is one run; two runs in order already are copied. */
static const char source[] =
    "local move = ...\n"
    "local function insert(a, first, last, less)\n"
    "  for i = first + 1, last do\n"
    "    local y, k = a[i], i - 1\n"
    "    while k >= first do\n"
    "      local x = a[k]\n"
    "      if not (IS_LESS) then break end\n"
    "      a[k + 1] = x\n"
    "      k = k - 1\n"
    "    end\n"
    "    a[k + 1] = y\n"
    "  end\n"
    "end\n"
    "local function merge(a, b, first, middle, last, less)\n"
    "  local i, j = first, middle\n"
    "  local x, y = a[i], a[j]\n"
    "  for k = first, last do\n"
    "    if IS_LESS then\n"
    "      b[k] = y\n"
    "      j = j + 1\n"
    "      if j > last then return move(a, i, middle - 1, k + 1, b) end\n"
    "      y = a[j]\n"
    "    else\n"
    "      b[k] = x\n"
    "      i = i + 1\n"
    "      if i == middle then return move(a, j, last, k + 1, b) end\n"
    "      x = a[i]\n"
    "    end\n"
    "  end\n"
    "end\n"
    "local function merge_runs(a, b, count, width, less)\n"
    "  for first = 1, count, 2 * width do\n"
    "    local middle = first + width\n"
    "    local last = middle + width - 1\n"
    "    if last > count then last = count end\n"
    "    local x, y = a[middle - 1], a[middle]\n"
    "    if middle <= last and (IS_LESS) then\n"
    "      merge(a, b, first, middle, last, less)\n"
    "    else\n"
    "      move(a, first, last, first, b)\n"
    "    end\n"
    "  end\n"
    "end\n"
    "return function(list, count, less, a, b)\n"
    "  if count <= 12 then\n"
    "    for i = 1, count do a[i] = list[i] end\n"
    "    insert(a, 1, count, less)\n"
    "    for i = 1, count do list[i] = a[i] end\n"
    "    return\n"
    "  end\n"
    "  local width = 8\n"
    "  move(list, 1, count, 1, a)\n"
    "  for first = 1, count, width do\n"
    "    insert(a, first, first + width - 1 < count and first + width - 1 or count, less)\n"
    "  end\n"
    "  while width < count do\n"
    "    merge_runs(a, b, count, width, less)\n"
    "    a, b, width = b, a, 2 * width\n"
    "  end\n"
    "  move(a, 1, count, 1, list)\n"
    "end\n";

static int on_sorted(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

/* Strings that may take long to compare. */
static bool has_long(lua_State *L, lua_Integer count)
{
    bool has = false;
    for (lua_Integer i = 1; i <= count && !has; i++) {
        has = lua_rawgeti(L, 1, i) == LUA_TSTRING && lua_rawlen(L, -1) > LONG_MIN_BYTES;
        lua_pop(L, 1);
    }
    return has;
}

/* Whether Lua's own function is as good: it can't be put aside, and a metamethod it calls can't wait. */
static bool is_for_original(lua_State *L, lua_Integer count)
{
    if (count > ORIGINAL_MAX || !lua_isnoneornil(L, 2)) {
        return false;
    }
    int kind = lua_geti(L, 1, 1);
    lua_pop(L, 1);
    return kind == LUA_TNUMBER || (kind == LUA_TSTRING && !has_long(L, count));
}

static int run_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(UPVALUE_ORIGINAL))(L);
}

static int sort_call(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TTABLE) {
        return run_original(L); /* an error, or a userdata that behaves like a list */
    }
    lua_Integer count = luaL_len(L, 1);
    luaL_argcheck(L, count < INT_MAX, 1, "array too big");
    if (count <= 1) {
        return 0;
    }
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TFUNCTION);
    }
    if (is_for_original(L, count)) {
        return run_original(L);
    }
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(lua_isnil(L, 2) ? UPVALUE_BY_OPERATOR : UPVALUE_BY_FUNCTION));
    lua_pushvalue(L, 1);
    lua_pushinteger(L, count);
    lua_pushvalue(L, 2);
    int room = (int)lua_rawlen(L, 1); /* not count: a __len may say anything */
    lua_createtable(L, room, 0);
    lua_createtable(L, count > SHORT_MAX ? room : 0, 0);
    lua_callk(L, 5, 0, 0, on_sorted);
    return 0;
}

/* Pushes the sort that compares in this way. */
static void push_sort(lua_State *L, const char *comparison)
{
    const char *code = luaL_gsub(L, source, "IS_LESS", comparison);
    if (luaL_loadbufferx(L, code, lua_rawlen(L, -1), "=table.sort", "t") != LUA_OK) {
        lua_error(L);
    }
    lua_pushcfunction(L, array_move);
    lua_call(L, 1, 1);
    lua_replace(L, -2);
}

void sort_wrap(lua_State *L)
{
    push_sort(L, "y < x");
    push_sort(L, "less(y, x)");
    lua_pushcclosure(L, sort_call, UPVALUE_COUNT);
}
