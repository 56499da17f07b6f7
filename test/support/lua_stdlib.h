#ifndef FSD_TEST_SUPPORT_LUA_STDLIB_H
#define FSD_TEST_SUPPORT_LUA_STDLIB_H

/* A state of Lua with our functions, for chunks that compare them with Lua's own.  To be included behind cmocka.h. */

#include <lauxlib.h>
#include <lualib.h>

#include "worker/core/error.h"
#include "worker/core/stdlib/stdlib.h"

/* What every chunk finds: Lua's own functions in lua_string and lua_table, and how two calls are compared. */
static const char prelude[] =
    "function pack_call(f, ...)\n"
    "  local result = table.pack(pcall(f, ...))\n"
    "  for i = 1, result.n do\n"
    "    result[i] = (math.type(result[i]) or type(result[i])) .. ' ' .. tostring(result[i])\n"
    "  end\n"
    "  return lua_table.concat(result, '; ')\n"
    "end\n"
    "function same(library, name, ...)\n"
    "  local wanted = pack_call(_G['lua_' .. library][name], ...)\n"
    "  local given = pack_call(_G[library][name], ...)\n"
    "  local full = library .. '.' .. name\n" /* Lua finds that name, but not the one of its own function */
    "  given = lua_string.gsub(given, full, '?')\n"
    "  if wanted:gsub('table: 0x%x+', 'table') ~= given:gsub('table: 0x%x+', 'table') then\n"
    "    local words = table.pack(...)\n"
    "    for i = 1, words.n do words[i] = ('%q'):format(tostring(words[i])) end\n"
    "    error(name .. ' ' .. table.concat(words, ' ') .. '\\nlua: ' .. wanted .. '\\nown: ' .. "
    "given)\n"
    "  end\n"
    "end\n"
    "function fails(wanted, f, ...)\n"
    "  local ok, err = pcall(f, ...)\n"
    "  if ok or not tostring(err):find(wanted, 1, true) then error('not ' .. wanted .. ': ' .. "
    "tostring(err), 2) end\n"
    "end\n"
    "function run_yielding(f, ...)\n" /* also tells how often it was resumed */
    "  local co, count = coroutine.create(f), -1\n"
    "  local result = { ... }\n"
    "  repeat\n"
    "    result = { coroutine.resume(co, table.unpack(result)) }\n"
    "    if not result[1] then error(result[2], 0) end\n"
    "    table.remove(result, 1)\n"
    "    count = count + 1\n"
    "  until coroutine.status(co) == 'dead'\n"
    "  return count, table.unpack(result)\n"
    "end\n";

static inline void on_count(lua_State *L, lua_Debug *event)
{
    (void)event;
    if (lua_isyieldable(L)) {
        lua_sethook(L, NULL, 0, 0);
        lua_yield(L, 0);
    }
}

/* Runs f(...) in a coroutine that is put aside at every instruction (of Lua's machine) that it can; returns how often that was,
 * and the results. */
static inline int run_preempted(lua_State *L)
{
    lua_State *thread = lua_newthread(L);
    lua_insert(L, 1);
    int count = lua_gettop(L) - 1;
    luaL_checkstack(thread, count, NULL);
    lua_xmove(L, thread, count);
    lua_Integer preempted = 0;
    int results = 0;
    int status = LUA_YIELD;
    int arguments = count - 1;
    while (status == LUA_YIELD) {
        lua_sethook(thread, on_count, LUA_MASKCOUNT, 1);
        status = lua_resume(thread, L, arguments, &results);
        preempted += status == LUA_YIELD;
        arguments = 0;
    }
    if (status != LUA_OK) {
        lua_xmove(thread, L, 1);
        return lua_error(L);
    }
    lua_pushinteger(L, preempted);
    lua_xmove(thread, L, results);
    return results + 1;
}

static inline int open_state(void **state)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    error_init(L);
    (void)luaL_dostring(
        L, "for _, name in ipairs{'string', 'table', 'utf8', 'os'} do local copy = {}\n"
           "for key, f in pairs(_G[name]) do copy[key] = f end\n"
           "_G['lua_' .. name] = copy end");
    stdlib_replace(L);
    lua_register(L, "run_preempted", run_preempted);
    assert_int_equal(luaL_dostring(L, prelude), LUA_OK);
    *state = L;
    return 0;
}

static inline int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

/* The chunk makes its own assertions. */
static inline void run(lua_State *L, const char *chunk)
{
    if (luaL_dostring(L, chunk) != LUA_OK) {
        fail_msg("%s", luaL_tolstring(L, -1, NULL));
    }
    lua_settop(L, 0);
}

#endif
