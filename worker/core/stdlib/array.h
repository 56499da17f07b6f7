#ifndef FSD_WORKER_CORE_STDLIB_ARRAY_H
#define FSD_WORKER_CORE_STDLIB_ARRAY_H

#include <lua.h>

/* table.concat and table.move, with Lua's results and messages; they can be preempted.  A string over STDLIB_STRING_MAX raises. */
int array_concat(lua_State *L);
int array_move(lua_State *L);
/* table.insert and table.remove: closures with Lua's own function as their upvalue, for what is no table. */
int array_insert(lua_State *L);
int array_remove(lua_State *L);

#endif
