#ifndef FSD_WORKER_CORE_COROUTINE_H
#define FSD_WORKER_CORE_COROUTINE_H

#include <lua.h>

/* Replaces the functions of Lua's coroutine library that matter to tasks by ones that behave the same for the application.  Once a
 * lua_State, after its libraries were opened. */
void coroutine_replace(lua_State *L);

#endif
