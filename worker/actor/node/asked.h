#ifndef FSD_WORKER_ACTOR_NODE_ASKED_H
#define FSD_WORKER_ACTOR_NODE_ASKED_H

#include <stdint.h>

struct actor;
struct remote;

/* A question from another worker that an actor here has not answered yet. */
struct asked {
    struct remote *remote;       /* borrowed: who asks */
    struct actor *actor;         /* borrowed: who is asked */
    uint64_t number;             /* of the call's ref */
    struct asked *next;          /* owned; in its bucket */
    struct asked *next_of_actor; /* borrowed list */
    struct asked **link;         /* what points to this one there */
};

/* All of one other worker. */
struct asked_table {
    struct asked **buckets; /* owned array; NULL while there is none */
    uint32_t bucket_count;  /* a power of two */
    uint32_t count;
};

/* Dies on no memory. */
void asked_add(struct asked_table *table, struct remote *remote, struct actor *actor,
               uint64_t number);
/* The question with that number; NULL: it is answered, or its asker does not wait any more. */
struct asked *asked_find(const struct asked_table *table, uint64_t number);
/* It is answered, or nobody waits for that. */
void asked_remove(struct asked_table *table, struct asked *asked);
/* Nobody over there waits for anything. */
void asked_clear(struct asked_table *table);

#endif
