#ifndef FSD_WORKER_LIB_MOD_TASK_H
#define FSD_WORKER_LIB_MOD_TASK_H

#include <lua.h>

/* require "fsd.task"; its functions are defined in lua/meta/task.lua. */
int luaopen_fsd_task(lua_State *L);

#endif
