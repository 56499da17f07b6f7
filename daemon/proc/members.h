#ifndef FSD_DAEMON_PROC_MEMBERS_H
#define FSD_DAEMON_PROC_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/proto.h"

struct channel;
struct member;

/* The workers, of all pools, that have joined those with actors. */
struct members {
    struct member *first; /* borrowed list */
};

/* One of them; embedded in its owner, all zero has not joined. */
struct member {
    struct members *members;       /* borrowed; NULL: has not joined */
    const struct channel *channel; /* borrowed */
    struct proto_member body;
    int error;           /* of telling it something, not yet reported */
    struct member *next; /* borrowed */
    struct member **link;
    /* It cannot be told something: a negative errno.  It may leave from within. */
    void (*on_failed)(struct member *member, int error);
};

/* Told of all others, and they of it.  False: it has joined before. */
bool members_join(struct members *members, struct member *member, const struct channel *channel,
                  const struct proto_member *body,
                  void (*on_failed)(struct member *member, int error));
/* The same for one that has joined before this program was: nobody is told. */
void members_rejoin(struct members *members, struct member *member, const struct channel *channel,
                    const struct proto_member *body,
                    void (*on_failed)(struct member *member, int error));
/* It serves a slot from now on: the others are told.  One that has not joined is fine. */
void members_move(struct member *member, uint64_t slot);
/* It has ended: the others are told.  One that has not joined is fine. */
void members_leave(struct member *member);
/* Makes a link between the two and hands out its ends; when there is no such other member (any more), this one is told. */
void members_reach(struct member *member, const struct proto_peer *wanted);

#endif
