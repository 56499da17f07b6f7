#ifndef FSD_DAEMON_CHANGE_DEPLOY_SOCKETS_H
#define FSD_DAEMON_CHANGE_DEPLOY_SOCKETS_H

#include <stddef.h>

struct fsd_err;
struct inventory;
struct master;

/* Opens the listeners that only the next inventory has.  0, or a negative errno with a sentence: some may be open then. */
int deploy_sockets_open(struct master *master, struct fsd_err *err);
/* Gives the listeners of pool i of an inventory sockets for so many slots; no new connection comes to them before pool_adopt.
 * As above. */
int deploy_sockets_grow(const struct inventory *next, size_t i, unsigned count,
                        struct fsd_err *err);

#endif
