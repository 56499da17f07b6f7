#ifndef FSD_DAEMON_CHANGE_INVENTORY_H
#define FSD_DAEMON_CHANGE_INVENTORY_H

#include <stddef.h>

#include "daemon/pool/pool.h"

struct app;
struct conf;
struct fsd_err;
struct listener;
struct shared_set;

/* The live objects of one configuration, in its order: apps[i] is conf->apps[i] and so on.  An object may stand in two inventories,
 * the one that runs and the one that is being prepared. */
struct inventory {
    struct conf *conf; /* owned */
    uint64_t number;   /* of the configuration */
    struct app **apps; /* owned arrays; who owns the objects stands with each function */
    struct listener **listeners;
    struct pool **pools;
    struct shared_set *shared; /* owned: one reference */
};

/* What inventory_make needs to make pools, and how many workers each is to have. */
struct inventory_need {
    const struct pool_setting *pool; /* borrowed during the call */
    unsigned auto_count;             /* workers of a pool with count 0 */
};

/* Takes conf.  Objects that `from` (may be all zero) has already are kept; the others are new: apps without code, pools without
 * processes, listeners not open (inventory_open).  0, -ENOMEM, or what the kernel says; *ret is valid in any case and freed with
 * inventory_free_without. */
int inventory_make(struct inventory *ret, struct conf *conf, uint64_t number,
                   const struct inventory *from, const struct inventory_need *need);
/* What the configuration says about pool i, for pool_pend.  number: of the pool's configuration. */
struct pool_conf inventory_pool_conf(const struct inventory *inventory, size_t pool,
                                     uint64_t number);
unsigned inventory_count(const struct inventory *inventory, size_t pool, unsigned auto_count);

bool inventory_has_app(const struct inventory *inventory, const struct app *app);
bool inventory_has_listener(const struct inventory *inventory, const struct listener *listener);
bool inventory_has_pool(const struct inventory *inventory, const struct pool *pool);
/* NULL when there is none of that name. */
struct pool *inventory_find_pool(const struct inventory *inventory, const char *name);

/* Frees the arrays, the conf, and every object that `kept` (may be NULL) has not: pools must be empty, or are ended. */
void inventory_free_without(struct inventory *inventory, const struct inventory *kept);

#endif
