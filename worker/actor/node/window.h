#ifndef FSD_WORKER_ACTOR_NODE_WINDOW_H
#define FSD_WORKER_ACTOR_NODE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/actor/node/frame.h"
#include "worker/actor/sender.h"

/* To one actor, that have no room there yet, or of which that is not known.  What both workers can do in a turn must fit, or
 * they take turns instead of working at the same time. */
enum {
    WINDOW_COUNT = 8192,    /* messages */
    WINDOW_BYTES = 2 << 20, /* bytes of them; the last one may pass this */
};

/* What is on its way to one actor of another worker. */
struct flight {
    struct frame_actor to;
    uint32_t count;
    uint64_t bytes;
    struct sender_queue senders; /* who waits because it is too much */
    struct flight *next;         /* owned; in its bucket */
};

/* All flights to another worker. */
struct window {
    struct flight **buckets; /* owned array; NULL while there is none */
    uint32_t bucket_count;   /* a power of two */
    uint32_t count;
};

/* Whether one more message may leave for that actor now; NULL: nothing is on its way there.  Those who wait go first. */
bool window_has_room(const struct flight *flight);
/* What is on its way to that actor; NULL: nothing. */
struct flight *window_find(const struct window *window, const struct frame_actor *to);
/* One more message has left.  Dies on no memory. */
void window_add(struct window *window, const struct frame_actor *to, size_t bytes);
/* So much has arrived; more than was sent is taken for all, and so are all messages, whatever their bytes. */
void window_credit(struct flight *flight, const struct frame_credit *credit);
/* Frees it when nothing is on its way and nobody waits. */
void window_drop_idle(struct window *window, struct flight *flight);
/* The link is lost: nothing is on its way, and whoever waited goes on. */
void window_clear(struct window *window);

#endif
