#ifndef FSD_WORKER_CORE_STDLIB_PIECEWISE_H
#define FSD_WORKER_CORE_STDLIB_PIECEWISE_H

#include <lua.h>

/* Closures with Lua's own function as their upvalue, which does a piece of a long string at a time: string.upper and lower ... */
int piecewise_map(lua_State *L);
/* ... and string.reverse. */
int piecewise_reverse(lua_State *L);

#endif
