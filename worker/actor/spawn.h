#ifndef FSD_WORKER_ACTOR_SPAWN_H
#define FSD_WORKER_ACTOR_SPAWN_H

#include <lua.h>
#include <stdbool.h>

/* spawn(module[, args[, options]]) -> pid, and a ref when it is monitored: the body of the three functions in Lua. */
int spawn_lua(lua_State *L, bool link, bool monitor);

#endif
