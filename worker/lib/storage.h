#ifndef FSD_WORKER_LIB_STORAGE_H
#define FSD_WORKER_LIB_STORAGE_H

#include <lua.h>

/* Pushes task.local_storage; once a state. */
void storage_push(lua_State *L);

#endif
