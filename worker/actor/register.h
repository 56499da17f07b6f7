#ifndef FSD_WORKER_ACTOR_REGISTER_H
#define FSD_WORKER_ACTOR_REGISTER_H

#include <lua.h>
#include <stdbool.h>

/* fsd.actor's register, unregister, whereis and registered. */
int register_add(lua_State *L);
int register_remove(lua_State *L);
int register_find(lua_State *L);
int register_list(lua_State *L);

/* Reads the value on the top as the option "scope": whether it is "node"; raises when it is no scope. */
bool register_is_node(lua_State *L);

#endif
