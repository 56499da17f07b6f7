#ifndef FSD_WORKER_CORE_WITHHOLD_H
#define FSD_WORKER_CORE_WITHHOLD_H

#include <lua.h>

/* Replaces what an application may not have (finalizers, hooks, bytecode) by functions that refuse it and say why.  Once a
 * lua_State, after its libraries were opened and before any code of an application is loaded. */
void withhold_install(lua_State *L);

#endif
