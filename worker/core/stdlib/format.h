#ifndef FSD_WORKER_CORE_STDLIB_FORMAT_H
#define FSD_WORKER_CORE_STDLIB_FORMAT_H

#include <lua.h>

/* string.format: a closure with Lua's own function as its upvalue, which does a piece of a long format at a time. */
int format_call(lua_State *L);

#endif
