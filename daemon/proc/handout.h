#ifndef FSD_DAEMON_PROC_HANDOUT_H
#define FSD_DAEMON_PROC_HANDOUT_H

#include <stdint.h>

struct conf;
struct conf_pool;
struct fsd_err;

/* The CONFIG of one worker as proto.h describes it: a sealed memfd, the caller's.  number: of the configuration; workers: how
 * many the pool has.  A negative errno with a sentence when memory or descriptors are out. */
int handout_create(const struct conf *conf, const struct conf_pool *pool, uint64_t number,
                   unsigned workers, struct fsd_err *err);

#endif
