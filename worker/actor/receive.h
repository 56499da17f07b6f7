#ifndef FSD_WORKER_ACTOR_RECEIVE_H
#define FSD_WORKER_ACTOR_RECEIVE_H

#include <lua.h>

/* receive([match][, seconds]): the body of the function in Lua; raises outside of an actor. */
int receive_lua(lua_State *L);

#endif
