#ifndef FSD_WORKER_ACTOR_RENEWAL_H
#define FSD_WORKER_ACTOR_RENEWAL_H

#include <lua.h>
#include <stdint.h>

#include "worker/core/loop.h"

struct actors;
struct task;

/* Telling all actors of other code; embedded in struct actors. */
struct renewal {
    uint32_t next; /* the place of the actor that comes next; 0: all have been told */
    struct loop_job job;
};

/* core.follow_code(): the actor that runs wants to hear when other code takes over; at once, when that has happened already. */
int renewal_follow(lua_State *L);
/* core.begin_code(): the actor that runs begins to change, and is cut when that takes too long, also when it has refused other code. */
int renewal_begin(lua_State *L);
/* core.has_new_code(): the actor that runs has moved to the code that is current. */
int renewal_done(lua_State *L);
/* core.refuse_code(): it can't, and goes on with the code that it has until there is other code again. */
int renewal_refuse(lua_State *L);
/* core.unfollow_code(): there is no new code for it: it ends when the time of the old one is over. */
int renewal_unfollow(lua_State *L);
/* Other code has taken over: sends {"$code_change", number of the code that it runs} to all that want to hear it, some in each
 * turn.  NULL is allowed. */
void renewal_tell(struct actors *actors);
/* The time of the code that an actor runs is over (task_owner.on_replaced); again each second while it is there. */
void renewal_end(struct task *task);

#endif
