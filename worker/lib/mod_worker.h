#ifndef FSD_WORKER_LIB_MOD_WORKER_H
#define FSD_WORKER_LIB_MOD_WORKER_H

#include <lua.h>

/* require "fsd.worker"; its functions are defined in lua/meta/worker.lua. */
int luaopen_fsd_worker(lua_State *L);

#endif
