#ifndef FSD_WORKER_ACTOR_ROSTER_H
#define FSD_WORKER_ACTOR_ROSTER_H

#include <lua.h>

struct actor;

/* Pops a function and makes it the one that is called with the pid of each listed actor that ends.  It must neither fail nor
 * wait. */
void roster_set_call(lua_State *L);
/* The actor is listed somewhere from now on. */
void roster_add(struct actor *actor);
/* The actor has ended for everybody else: takes it out of whatever lists it. */
void roster_remove(struct actor *actor, lua_State *L);

#endif
