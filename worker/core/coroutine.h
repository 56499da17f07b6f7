#ifndef FSD_WORKER_CORE_COROUTINE_H
#define FSD_WORKER_CORE_COROUTINE_H

#include <lua.h>

/* Replaces coroutine.yield, resume and close by ones that leave the coroutines of tasks alone.  Once a lua_State, after its
 * libraries were opened. */
void coroutine_protect(lua_State *L);

#endif
