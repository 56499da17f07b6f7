#ifndef FSD_WORKER_ACTOR_MOD_SUPERVISE_H
#define FSD_WORKER_ACTOR_MOD_SUPERVISE_H

#include <lua.h>

/* require "fsd.supervisor.core". */
int luaopen_fsd_supervisor_core(lua_State *L);

#endif
