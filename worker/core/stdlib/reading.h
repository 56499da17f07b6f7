#ifndef FSD_WORKER_CORE_STDLIB_READING_H
#define FSD_WORKER_CORE_STDLIB_READING_H

#include <lua.h>

/* load, for a closure that has Lua's own function as its upvalue 1. */
int reading_load(lua_State *L);

#endif
