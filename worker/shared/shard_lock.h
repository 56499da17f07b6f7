#ifndef FSD_WORKER_SHARED_SHARD_LOCK_H
#define FSD_WORKER_SHARED_SHARD_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct robust_list_head;

/* Who locks: the one thread of this process. */
struct shard_locker {
    /* borrowed from the C library: what the kernel looks at when the thread ends */
    struct robust_list_head *list;
    uint32_t tid;
};

/* To be done again after a fork.  0 or a negative errno. */
int shard_locker_init(struct shard_locker *locker);
/* Takes the lock that word is, in memory that several processes share; all zero is free.  One lock at a time.
 * 0; -EOWNERDEAD: taken as well, but whoever had it died with it, so what it guards may be half-written; -ETIMEDOUT: not taken. */
int shard_lock_take(const struct shard_locker *locker, uint32_t *word, uint32_t timeout_ms);
void shard_lock_release(const struct shard_locker *locker, uint32_t *word);

#endif
