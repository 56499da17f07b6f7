#ifndef FSD_WORKER_SHARED_SHARD_PARTS_H
#define FSD_WORKER_SHARED_SHARD_PARTS_H

#include "worker/shared/shard.h"

/* The layout of a shard's memory, and what the files shard*.c need of each other; nobody else includes it.
 *
 *   head, buckets (index of the first entry), chunks
 *
 * Chunks have numbers from 1 on, 0 is none.  An entry is a chain of chunks: the first begins with struct shard_entry, then come the
 * bytes of the key and of the value, which go on in the others. */

struct shard_head {
    uint32_t lock;       /* shard_lock.c */
    uint32_t used;       /* chunks that have ever been in use: those above are fresh */
    uint32_t free;       /* the first of those that are free again */
    uint32_t free_count; /* of that list */
    uint32_t newest;     /* entries in the order of their last use */
    uint32_t oldest;
    uint32_t entries;
    uint32_t reserved;
    uint64_t evicted;
    uint64_t wiped;
    uint64_t spare[2];
};

enum {
    SHARD_CHUNK = 128,
    SHARD_LINE = SHARD_ALIGNMENT,
    SHARD_MARK = 0xe5,
    SHARD_BUCKET_MAX =
        256, /* entries in one: there are two on average at most, and a dozen by chance */
};

struct shard_entry {
    uint32_t next;  /* chunk */
    uint32_t below; /* entry in the same bucket */
    uint32_t newer; /* entry */
    uint32_t older;
    uint32_t hash;
    uint32_t value_len;
    uint16_t key_len;
    uint8_t kind;
    uint8_t space;
    uint8_t mark; /* SHARD_MARK: it is an entry */
    uint8_t reserved[3];
    uint64_t expires_ms;
    unsigned char bytes[SHARD_CHUNK - 40];
};

struct shard_more {
    uint32_t next;
    unsigned char bytes[SHARD_CHUNK - 4];
};

_Static_assert(sizeof(struct shard_head) == SHARD_LINE, "a line of its own");
_Static_assert(sizeof(struct shard_entry) == SHARD_CHUNK, "an entry begins in one chunk");
_Static_assert(sizeof(struct shard_more) == SHARD_CHUNK, "and goes on in others");

/* A number in shared memory, read once: what is checked is what is used. */
static inline uint32_t shard_load(const uint32_t *at)
{
    return __atomic_load_n(at, __ATOMIC_RELAXED);
}

/* What an entry says of itself, checked. */
struct shard_found {
    uint32_t index; /* 0: there is none */
    uint32_t key_len;
    uint32_t value_len;
    enum shard_kind kind;
    enum shard_space space;
    uint64_t expires_ms;
};

/* All of them give -EBADMSG for damage, and 0, or what they say, else. */

/* shard_chunk.c */

/* A place in the bytes of an entry. */
struct shard_place {
    const struct shard *shard; /* borrowed */
    uint32_t index;            /* of the chunk */
    unsigned char *at;         /* borrowed */
    size_t room;               /* until the end of the chunk */
};
uint32_t shard_chunks_for(size_t key_len, size_t value_len);
bool shard_is_index(const struct shard *shard, uint32_t index);
/* index must be one. */
struct shard_entry *shard_entry_at(const struct shard *shard, uint32_t index);
/* How many chunks are free. */
int shard_get_available(const struct shard *shard, uint32_t *ret_count);
/* A chain of count chunks, of which there are enough. */
int shard_take_chunks(struct shard *shard, uint32_t count, uint32_t *ret_first);
/* Gives the count chunks of a chain back. */
int shard_give_chunks(struct shard *shard, uint32_t first, uint32_t count);
/* The bytes of the entry from the first one on.  What follows moves the place on. */
void shard_place_init(struct shard_place *place, const struct shard *shard, uint32_t entry);
int shard_place_skip(struct shard_place *place, size_t len);
int shard_place_read(struct shard_place *place, void *to, size_t len);
int shard_place_write(struct shard_place *place, const void *from, size_t len);
/* 1: the next bytes are these; 0: they are not. */
int shard_place_equals(struct shard_place *place, const void *bytes, size_t len);

/* shard_entry.c */

int shard_entry_read(const struct shard *shard, uint32_t index, struct shard_found *ret_found);
bool shard_entry_is_expired(const struct shard_found *found, uint64_t now_ms);
/* One that has expired is removed, and not found. */
int shard_entry_find(struct shard *shard, const struct shard_key *key, uint64_t now_ms,
                     struct shard_found *ret_found);
/* A new one of count chunks, which is the newest; key and value are still to be written. */
int shard_entry_add(struct shard *shard, const struct shard_key *key, uint32_t count,
                    uint32_t *ret_index);
int shard_entry_remove(struct shard *shard, uint32_t index);
/* Makes it the newest. */
int shard_entry_touch(struct shard *shard, uint32_t index);
/* Removes old entries until there are count chunks, and a few that have expired in any case.  -ENOSPC. */
int shard_entry_make_room(struct shard *shard, struct shard_turn *turn, uint32_t count);

#endif
