#ifndef FSD_WORKER_ACTOR_SENDER_H
#define FSD_WORKER_ACTOR_SENDER_H

#include <lua.h>

#include "worker/actor/mailbox.h"
#include "worker/actor/pid.h"

struct sender;

/* Those who wait until somebody has room, first come, first served. */
struct sender_queue {
    struct sender *first; /* borrowed list */
    struct sender *last;  /* borrowed; of a list that is not empty */
};

/* Somebody who waits; embedded in its owner.  The message stands on the top of its stack. */
struct sender {
    lua_State *L;               /* borrowed */
    struct sender_queue *queue; /* borrowed; NULL: it does not wait (any more) */
    struct letter letter;
    struct pid to;       /* of one that waits for another worker */
    struct sender *next; /* borrowed */
    struct sender *previous;
    /* It waits no more: the message was delivered, or whoever should have had it has ended. */
    void (*on_over)(struct sender *sender);
};

/* Appends one that waits nowhere. */
void sender_wait(struct sender_queue *queue, struct sender *sender);
/* Takes it out of its queue, if it is in one. */
void sender_leave(struct sender *sender);
/* Lets all go. */
void sender_turn_away(struct sender_queue *queue);

#endif
