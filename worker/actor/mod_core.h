#ifndef FSD_WORKER_ACTOR_MOD_CORE_H
#define FSD_WORKER_ACTOR_MOD_CORE_H

#include <lua.h>

/* require "fsd.actor.core"; fsd.actor must have been required before. */
int luaopen_fsd_actor_core(lua_State *L);

#endif
