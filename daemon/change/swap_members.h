#ifndef FSD_DAEMON_CHANGE_SWAP_MEMBERS_H
#define FSD_DAEMON_CHANGE_SWAP_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/change/swap.h"

enum { SWAP_COMMIT_MS = 5000 }; /* it is prepared: what is left is one assignment */

/* Freezes the pools that take part, and makes their processes members.  0 or -ENOMEM: nothing is frozen then. */
int swap_members_make(struct master *master);
/* The number of a member; member_count: it is none. */
size_t swap_members_find(const struct swap *swap, const struct proc *proc);
/* The one place where it is told what became of a worker.  why NULL: as it should. */
void swap_members_tell(struct master *master, const struct swap_member *member, enum swap_step step,
                       const char *why);
/* By this one the change fails. */
void swap_members_keep_reason(struct master *master, const struct swap_member *member,
                              const char *why);
/* Asks it to prepare, if it can be asked now and was not yet; its answer is news of its pool. */
void swap_members_ask(struct master *master, size_t index);
/* Looks at all of them: asks those that have become able, and feeds the phase who is lost or leaves. */
void swap_members_check(struct master *master);
/* Tells all of them that are there to commit, or to drop what they were asked to prepare. */
void swap_members_commit(const struct swap *swap);
void swap_members_abort(const struct swap *swap);
/* It has not committed in time.  A trial is left to the limits of any boot. */
void swap_members_kill(struct master *master, const struct swap_member *member);
/* When somebody is too late (monotonic); UINT64_MAX: never. */
uint64_t swap_members_find_due(const struct swap *swap);
/* Whose time to prepare is over is told so, once, and has a moment to say where it stood; true: there was one. */
bool swap_members_cut(struct swap *swap, uint64_t now_ms);
/* Keeps as the reason who has not prepared in time. */
void swap_members_blame(struct master *master, uint64_t now_ms);

#endif
