#ifndef FSD_WORKER_CORE_STDLIB_REPEAT_H
#define FSD_WORKER_CORE_STDLIB_REPEAT_H

#include <lua.h>

/* string.rep; raises for a result over STDLIB_STRING_MAX. */
int repeat_call(lua_State *L);

#endif
