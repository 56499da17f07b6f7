#ifndef FSD_WORKER_CORE_STDLIB_COLLECT_H
#define FSD_WORKER_CORE_STDLIB_COLLECT_H

#include <lua.h>

/* collectgarbage: a closure with Lua's own function as its upvalue, and whether that is in generational mode, which it asks for. */
int collect_call(lua_State *L);

#endif
