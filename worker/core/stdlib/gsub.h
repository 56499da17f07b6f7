#ifndef FSD_WORKER_CORE_STDLIB_GSUB_H
#define FSD_WORKER_CORE_STDLIB_GSUB_H

#include <lua.h>

/* string.gsub, with Lua's results and messages; its replacement function may wait and be preempted. */
int gsub_call(lua_State *L);

#endif
