#ifndef FSD_DAEMON_POOL_POOL_UPGRADE_H
#define FSD_DAEMON_POOL_POOL_UPGRADE_H

#include <stdbool.h>

#include "daemon/pool/pool.h"

struct upgrade_pool;

/* Does nothing change by itself now?  Else text says what is under way. */
bool pool_upgrade_is_resting(const struct pool *pool, char text[POOL_TEXT_MAX]);
/* What the next program must know of a pool that rests; descriptors stay the pool's.  0 or -ENOMEM. */
int pool_upgrade_take(const struct pool *pool, struct upgrade_pool *ret);
/* Makes a pool that was just initialised what another one was.  Takes its descriptors if it succeeds; else they and the processes are left
 * alone, and the pool is not to be used.  Negative errno with a sentence. */
int pool_upgrade_give(struct pool *pool, const struct upgrade_pool *from, struct fsd_err *err);

#endif
