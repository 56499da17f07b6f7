/* sender.c - the queues of those whose message has no room yet.
 * Owns nothing: a sender is embedded in a userdata on its own stack, a queue in whoever has no room.  Each waits in one queue at most,
 * and leaves it when its message is taken, when its deadline has passed, or when its task is cancelled.
 * Called by send.c and call.c, which wait, by post.c for the mailbox of an actor here, and for those of other workers by the
 * files remote*.c.  Must not know what there is no room in. */
#include "worker/actor/sender.h"

#include <stddef.h>

void sender_wait(struct sender_queue *queue, struct sender *sender)
{
    sender->queue = queue;
    sender->next = NULL;
    sender->previous = queue->first == NULL ? NULL : queue->last;
    if (sender->previous == NULL) {
        queue->first = sender;
    } else {
        sender->previous->next = sender;
    }
    queue->last = sender;
}

void sender_leave(struct sender *sender)
{
    struct sender_queue *queue = sender->queue;
    if (queue == NULL) {
        return;
    }
    if (sender->previous == NULL) {
        queue->first = sender->next;
    } else {
        sender->previous->next = sender->next;
    }
    if (sender->next == NULL) {
        queue->last = sender->previous;
    } else {
        sender->next->previous = sender->previous;
    }
    sender->queue = NULL;
}

void sender_turn_away(struct sender_queue *queue)
{
    while (queue->first != NULL) {
        struct sender *sender = queue->first;
        sender_leave(sender);
        sender->on_over(sender);
    }
}
