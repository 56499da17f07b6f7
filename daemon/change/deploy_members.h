#ifndef FSD_DAEMON_CHANGE_DEPLOY_MEMBERS_H
#define FSD_DAEMON_CHANGE_DEPLOY_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/pool/pool.h"

struct deploy;
struct fsd_err;
struct master;

/* Says to every pool what it will be; the slots that are concerned become members, in the order of the pools.  0, or a negative errno with
 * a sentence: some pools may have been told then. */
int deploy_members_make(struct master *master, struct fsd_err *err);
/* The number of a member; member_count: it is none. */
size_t deploy_members_find(const struct deploy *deploy, const struct pool *pool, unsigned slot);
/* An enum phase_event, or -1.  READY of a new worker is its commit; FAILED, DIED and EMPTY are losses in both phases. */
int deploy_members_translate(enum pool_news news);
/* Is one that is awaited still to boot, or waits for room in its slot?  Both have limits of their own. */
bool deploy_members_are_booting(const struct deploy *deploy);
/* Does the running configuration not have it? */
bool deploy_members_is_new(const struct master *master, const struct pool *pool);

#endif
