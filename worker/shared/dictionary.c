/* dictionary.c - a shared dictionary as one process has it: the mapping, its shards and their locks.
 * Owns the mapping.  The size alone says how the memory is divided, so nothing in it has to be believed.  A shard whose holder died is
 * wiped before anybody reads it, and so is one that an operation finds damaged; what is lost then are cached values, which is
 * better than wrong ones.  A shard whose holder stands still (stopped, or swapped out) costs each process one short wait, not one
 * for each operation.
 * Called by mod_shared.c for each operation, and by shared.c.  Must not know Lua, nor who logs. */
#include "worker/shared/dictionary.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "worker/shared/shard_hash.h"

enum {
    SHARD_SIZE_LEAST = 256 * 1024, /* as long as there are fewer shards than can be */
    LOCK_MS =
        50, /* the holder needs microseconds; if it got no CPU meanwhile, a loaded machine gives it some in this time */
    TRIES_MAX = 2,
};

static unsigned count_shards(uint64_t size)
{
    unsigned count = 1;
    while (count < DICTIONARY_SHARDS_MAX && size / count / 2 >= SHARD_SIZE_LEAST) {
        count *= 2;
    }
    return count;
}

static int check_memory(int fd, uint64_t size)
{
    struct stat info;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
        return -EPERM;
    }
    if (fstat(fd, &info) != 0) {
        return -errno;
    }
    return info.st_size >= SHARD_SIZE_MIN && (uint64_t)info.st_size == size ? 0 : -EINVAL;
}

int dictionary_map(struct dictionary *dictionary, int fd, uint64_t size, uint64_t seed)
{
    struct shard_locker locker;
    int error = check_memory(fd, size);
    if (error == 0) {
        error = shard_locker_init(&locker);
    }
    if (error < 0) {
        return error;
    }
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    dictionary_unmap(dictionary);
    dictionary->locker = locker;
    dictionary->seed = seed;
    dictionary->memory = memory;
    dictionary->size = size;
    dictionary->shard_count = count_shards(size);
    size_t part = size / dictionary->shard_count / SHARD_ALIGNMENT * SHARD_ALIGNMENT;
    for (unsigned i = 0; i < dictionary->shard_count; i++) {
        shard_init(&dictionary->shards[i], dictionary->memory + i * part, part);
        dictionary->is_stuck[i] = false;
    }
    return 0;
}

void dictionary_unmap(struct dictionary *dictionary)
{
    if (dictionary->memory != NULL) {
        (void)munmap(dictionary->memory,
                     dictionary->size); /* fails only for what was never mapped */
        dictionary->memory = NULL;
    }
}

uint64_t dictionary_hash(const struct dictionary *dictionary, const char *key, size_t len)
{
    return shard_hash(dictionary->seed, key, len);
}

unsigned dictionary_shard_of(const struct dictionary *dictionary, uint64_t hash)
{
    return (unsigned)(hash >> 32) & (dictionary->shard_count - 1);
}

int dictionary_enter(struct dictionary *dictionary, unsigned number,
                     struct dictionary_visit *ret_visit)
{
    struct shard *shard = &dictionary->shards[number];
    uint32_t limit_ms = dictionary->is_stuck[number] ? 0 : LOCK_MS;
    int error = shard_lock_take(&dictionary->locker, shard_lock_word(shard), limit_ms);
    dictionary->is_stuck[number] = error == -ETIMEDOUT;
    if (error == -ETIMEDOUT) {
        return -EAGAIN;
    }
    *ret_visit =
        (struct dictionary_visit){.dictionary = dictionary, .shard = shard, .number = number};
    if (error == -EOWNERDEAD) {
        shard_wipe(shard);
        ret_visit->news = DICTIONARY_OWNER_DIED;
    }
    return 0;
}

bool dictionary_leave(struct dictionary_visit *visit, int result)
{
    if (result == -EBADMSG) {
        shard_wipe(visit->shard);
        visit->news = DICTIONARY_DAMAGED;
        if (++visit->tries < TRIES_MAX) {
            return true;
        }
    }
    shard_lock_release(&visit->dictionary->locker, shard_lock_word(visit->shard));
    return false;
}
