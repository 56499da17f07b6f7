#ifndef FSD_WORKER_SHARED_DICTIONARY_H
#define FSD_WORKER_SHARED_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"
#include "worker/shared/shard.h"
#include "worker/shared/shard_lock.h"

enum { DICTIONARY_SHARDS_MAX = 16 };

/* What was found out about a shard while it was locked; to be said when it is not any more. */
enum dictionary_news { DICTIONARY_NO_NEWS, DICTIONARY_OWNER_DIED, DICTIONARY_DAMAGED };

/* A shared dictionary as this process has it. */
struct dictionary {
    char name[PROTO_NAME_MAX];
    struct shard_locker locker;
    uint64_t seed;
    unsigned char *memory; /* owned mapping; NULL: it has gone */
    size_t size;
    unsigned shard_count;
    struct shard shards[DICTIONARY_SHARDS_MAX];
    bool is_stuck[DICTIONARY_SHARDS_MAX]; /* its lock could not be had in time, the last time */
};

/* A shard while it is locked. */
struct dictionary_visit {
    struct dictionary *dictionary; /* borrowed */
    struct shard *shard;           /* borrowed */
    unsigned number;               /* of the shard */
    unsigned tries;
    enum dictionary_news news;
};

/* Maps what the master has made, in place of what is mapped now; the descriptor stays the caller's.  -EPERM: it could shrink under
 * us; -EINVAL: not of the size that was said; or what mmap says, and nothing has changed. */
int dictionary_map(struct dictionary *dictionary, int fd, uint64_t size, uint64_t seed);
/* All zero is fine. */
void dictionary_unmap(struct dictionary *dictionary);

uint64_t dictionary_hash(const struct dictionary *dictionary, const char *key, size_t len);
/* What a shard knows of the hash; which shard it is, the rest of it says. */
unsigned dictionary_shard_of(const struct dictionary *dictionary, uint64_t hash);

/* Locks the shard of that number.  Nothing that can raise or wait may be called before dictionary_leave.  -EAGAIN: somebody holds it, and
 * does not go on. */
int dictionary_enter(struct dictionary *dictionary, unsigned number,
                     struct dictionary_visit *ret_visit);
/* After an operation with that result.  True: it found damage, the shard is wiped and still locked: do it again.  False: it is unlocked;
 * visit->news is to be said then. */
bool dictionary_leave(struct dictionary_visit *visit, int result);

#endif
