#ifndef FSD_WORKER_LIB_WAIT_GROUP_H
#define FSD_WORKER_LIB_WAIT_GROUP_H

#include <lua.h>

/* task.wait_group(). */
int wait_group_new(lua_State *L);
/* The class; once a state. */
void wait_group_register(lua_State *L);

#endif
