#ifndef FSD_WORKER_LIB_LOCK_H
#define FSD_WORKER_LIB_LOCK_H

#include <lua.h>

/* task.mutex() and task.semaphore(count). */
int lock_new_mutex(lua_State *L);
int lock_new_semaphore(lua_State *L);
/* The classes; once a state. */
void lock_register(lua_State *L);

#endif
