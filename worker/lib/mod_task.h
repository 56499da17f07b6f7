#ifndef FSD_WORKER_LIB_MOD_TASK_H
#define FSD_WORKER_LIB_MOD_TASK_H

#include <lua.h>

/* require "fsd.task.core", for lua/fsd/task.lua; what that offers is defined in lua/meta/task.lua. */
int luaopen_fsd_task_core(lua_State *L);

#endif
