#ifndef FSD_DAEMON_PROC_MEMBERS_H
#define FSD_DAEMON_PROC_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/proto.h"
#include "daemon/proc/claims.h"

struct channel;
struct member;

/* The workers, of all pools, that have joined those with actors. */
struct members {
    struct member *first; /* borrowed list */
    struct claims claims; /* naming.c's */
};

/* One of them; embedded in its owner, all zero has not joined. */
struct member {
    struct members *members;       /* borrowed; NULL: has not joined */
    const struct channel *channel; /* borrowed */
    struct proto_member body;
    struct claimant claimant; /* naming.c's, as the next two */
    bool is_behind;           /* has not been told of all names */
    bool is_leaving;
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

/* The member of that incarnation, or NULL. */
struct member *members_find(const struct members *members, uint64_t incarnation);
/* For naming.c: tells one something; whoever can't be told is noted, and hears of it at the end, from members_report. */
void members_tell(struct member *member, enum proto_kind kind, const void *body, size_t size,
                  int fd);
void members_fail(struct member *member, int error);
void members_report(struct members *members);

#endif
