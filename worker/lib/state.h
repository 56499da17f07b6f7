#ifndef FSD_WORKER_LIB_STATE_H
#define FSD_WORKER_LIB_STATE_H

#include <lua.h>

/* fsd.state(name[, initial]) -> table; for mod_task.c. */
int state_get(lua_State *L);

#endif
