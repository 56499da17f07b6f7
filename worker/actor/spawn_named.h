#ifndef FSD_WORKER_ACTOR_SPAWN_NAMED_H
#define FSD_WORKER_ACTOR_SPAWN_NAMED_H

#include <lua.h>
#include <stdbool.h>

struct actor;

/* After claim_check: an actor that is held gets the name on the top of L, and begins; then as spawn_finish.  Raises an ActorError
 * when it does not get it, and the actor is gone.  In tail position of a C function. */
int spawn_named_await(lua_State *L, struct actor *actor, bool links, bool monitors);

#endif
