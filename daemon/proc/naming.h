#ifndef FSD_DAEMON_PROC_NAMING_H
#define FSD_DAEMON_PROC_NAMING_H

#include <stdbool.h>

#include "common/proto.h"

struct claim;
struct claim_actor;
struct member;
struct members;

/* What a worker says of a name.  The answer comes as a message, now or later. */
void naming_claim(struct member *member, const struct proto_claim *body, const char *name);
void naming_unclaim(struct member *member, const struct proto_claim *body, const char *name);
/* It has joined: is told of all names. */
void naming_greet(struct member *member);
/* It has missed names: is told of them when its channel has room. */
void naming_miss(struct member *member);
/* Its channel has room again: is told of what it has missed. */
void naming_catch_up(struct member *member);
/* Has ended, and is no member any more: its names are free, and those that others waited for are given to them. */
void naming_leave(struct members *members, struct member *member);
/* It is leaving: it gets no name any more that it waits for. */
void naming_pass_over(struct member *member);
/* A pool has started: its workers get what they wait for. */
void naming_release(struct members *members, const char *pool);
/* One that has joined had this claim before this program was.  False: that can't be. */
bool naming_restore(struct members *members, uint64_t incarnation, const char *name,
                    const struct claim_actor *actor, bool is_holder);

#endif
