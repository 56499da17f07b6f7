#ifndef FSD_WORKER_ACTOR_POST_H
#define FSD_WORKER_ACTOR_POST_H

#include <lua.h>

#include "worker/actor/mailbox.h"

struct actor;

enum post_result {
    POST_DONE,
    POST_DROPPED, /* by the policy of the mailbox, which counts it */
    POST_FULL,    /* nothing was done: the policy is to suspend or to raise */
};

/* Somebody who waits until a mailbox has room; embedded in its owner.  The message stands on the top of its stack. */
struct sender {
    lua_State *L;         /* borrowed */
    struct actor *target; /* borrowed; NULL: it does not wait (any more) */
    struct letter letter;
    struct sender *next;  /* borrowed */
    struct sender **link; /* what points to this one */
    /* It waits no more: the message was delivered, or the actor has ended. */
    void (*on_over)(struct sender *sender);
};

/* Delivers the value on the top of L within the bounds of the mailbox; pops it, unless the result is POST_FULL. */
enum post_result post_letter(struct actor *actor, lua_State *L, const struct letter *letter);
/* Delivers it whatever the bounds are: exit and monitor signals. */
void post_signal(struct actor *actor, lua_State *L);
/* Queues a sender after POST_FULL. */
void post_wait(struct actor *actor, struct sender *sender);
/* Takes it out of the queue, if it is there. */
void post_leave(struct sender *sender);
/* There may be room: takes the messages of those who wait.  L is any stack. */
void post_admit(struct actor *actor, lua_State *L);
/* The actor has ended: lets all go. */
void post_turn_away(struct actor *actor);
/* Pushes what receive returns behind a message, nothing for a plain one: from and the kind.  Returns how many. */
int post_push_origin(lua_State *L, const struct letter *letter);

#endif
