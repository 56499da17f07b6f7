#ifndef FSD_WORKER_LIB_MOD_WORKER_H
#define FSD_WORKER_LIB_MOD_WORKER_H

#include <lua.h>

/* require "fsd.worker.core": fsd.worker has all of its functions, as lua/meta/worker.lua defines them. */
int luaopen_fsd_worker_core(lua_State *L);

#endif
