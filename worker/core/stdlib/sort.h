#ifndef FSD_WORKER_CORE_STDLIB_SORT_H
#define FSD_WORKER_CORE_STDLIB_SORT_H

#include <lua.h>

/* Replaces Lua's own table.sort, which stands on the top of the stack, by ours: what compares may wait and be preempted. */
void sort_wrap(lua_State *L);

#endif
