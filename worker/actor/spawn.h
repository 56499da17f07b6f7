#ifndef FSD_WORKER_ACTOR_SPAWN_H
#define FSD_WORKER_ACTOR_SPAWN_H

#include <lua.h>
#include <stdbool.h>

struct actor;

/* spawn(module[, args[, options]]) -> pid, and a ref when it is monitored: the body of the three functions in Lua. */
int spawn_lua(lua_State *L, bool link, bool monitor);

/* What the caller of spawn gets of a new actor: its pid, and the ref of a monitor. */
int spawn_finish(lua_State *L, struct actor *actor, bool links, bool monitors);

#endif
