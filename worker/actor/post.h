#ifndef FSD_WORKER_ACTOR_POST_H
#define FSD_WORKER_ACTOR_POST_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/actor/mailbox.h"

struct actor;

enum post_result {
    POST_DONE,
    POST_DROPPED, /* by the policy of the mailbox, which counts it */
    POST_FULL,    /* nothing was done: the policy is to suspend or to raise */
};

/* Whether one more message of that many bytes would be taken now. */
bool post_has_room(const struct actor *actor, size_t bytes);
/* Delivers the value on the top of L within the bounds of the mailbox; pops it, unless the result is POST_FULL. */
enum post_result post_letter(struct actor *actor, lua_State *L, const struct letter *letter);
/* Delivers it whatever the bounds are: exit and monitor signals. */
void post_signal(struct actor *actor, lua_State *L);
/* Delivers a message from another worker and pops it.  Where senders wait for room it is taken in any case, and that worker is
 * told later that it has its room; what the policy drops has it at once. */
void post_foreign(struct actor *actor, lua_State *L, struct letter *letter);
/* A message has left the mailbox, or is about to. */
void post_settle(const struct actor *actor, const struct letter *letter);
/* There may be room: takes the messages of those who wait.  L is any stack. */
void post_admit(struct actor *actor, lua_State *L);
/* Pushes what receive returns behind a message, nothing for a plain one: from and the kind.  Returns how many. */
int post_push_origin(lua_State *L, const struct letter *letter);

#endif
