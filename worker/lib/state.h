#ifndef FSD_WORKER_LIB_STATE_H
#define FSD_WORKER_LIB_STATE_H

#include <lua.h>

/* fsd.state(name[, initial]) -> table; for mod_task.c. */
int state_get(lua_State *L);
/* The code that was tried has taken over: what it made stays.  Or it was dropped: what it made goes, unless running code uses it. */
void state_keep_tried(lua_State *L);
void state_drop_tried(lua_State *L);

#endif
