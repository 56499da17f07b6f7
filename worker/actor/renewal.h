#ifndef FSD_WORKER_ACTOR_RENEWAL_H
#define FSD_WORKER_ACTOR_RENEWAL_H

#include <lua.h>
#include <stdint.h>

struct actors;

/* core.follow_code(): the actor that runs wants to hear when other code takes over. */
int renewal_follow(lua_State *L);
/* core.has_new_code(): the actor that runs has moved to the code that is current. */
int renewal_done(lua_State *L);
/* Other code has taken over: sends {"$code_change", number of the old one} to all that want to hear it.  NULL is allowed. */
void renewal_tell(struct actors *actors, uint64_t old);

#endif
