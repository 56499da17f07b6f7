#ifndef FSD_WORKER_ACTOR_MOD_ACTOR_H
#define FSD_WORKER_ACTOR_MOD_ACTOR_H

#include <lua.h>

/* require "fsd.actor". */
int luaopen_fsd_actor(lua_State *L);

#endif
