#ifndef FSD_WORKER_SHARED_SHARD_H
#define FSD_WORKER_SHARED_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shard_head;

/* One part of a shared dictionary: a hash table with its values in a fixed piece of memory that several processes map.  Whoever calls
 * anything here holds the shard's lock (shard_lock.h).
 *
 * The memory has no pointers, and memory that is all zero is an empty shard.  Whatever is read from it may be wrong, since a process may
 * have died while it wrote, or run wild: each function gives -EBADMSG when it sees that, never reads or writes anything
 * outside the shard, and always comes to an end.  The caller wipes the shard then. */

enum {
    SHARD_ALIGNMENT = 64, /* of its memory */
    SHARD_SIZE_MIN = 64 * 1024,
    SHARD_KEY_MAX = 1024,
    SHARD_VALUE_MAX = 1024 * 1024, /* and an entry takes at most half of the shard */
};

struct shard {
    struct shard_head *head; /* borrowed, and all that follows in memory */
    uint32_t *buckets;
    unsigned char *chunks;
    uint32_t bucket_count; /* a power of two */
    uint32_t chunk_count;
};

/* Keys of one space do not meet those of the other. */
enum shard_space { SHARD_VALUES, SHARD_LEASES };

struct shard_key {
    const char *bytes; /* borrowed */
    size_t len;        /* 1 to SHARD_KEY_MAX */
    uint32_t hash;
    enum shard_space space;
};

enum shard_kind {
    SHARD_BOOLEAN = 1, /* one byte */
    SHARD_INTEGER,     /* int64_t */
    SHARD_FLOAT,       /* double */
    SHARD_STRING,
    SHARD_TABLE, /* MessagePack */
};

struct shard_value {
    enum shard_kind kind;
    const void *bytes; /* borrowed */
    size_t len;        /* at most SHARD_VALUE_MAX */
};

enum shard_when { SHARD_ALWAYS, SHARD_IF_ABSENT, SHARD_IF_PRESENT };

/* A value and when it ends. */
struct shard_record {
    struct shard_value value;
    uint64_t expires_ms; /* on the clock of now_ms; 0: never */
};

/* What one operation is given, and says beside its result. */
struct shard_turn {
    uint64_t now_ms;
    unsigned char *buf; /* borrowed: values and keys are copied to it */
    size_t size;        /* of buf; SHARD_VALUE_MAX, but for shard_remove and the like */
    /* grows by the number of entries that had to go, though they had not expired */
    uint32_t evicted;
};

struct shard_numbers {
    uint64_t size_bytes; /* room for entries */
    uint64_t used_bytes;
    uint64_t entries; /* those that have expired and were not met since included */
    uint64_t evicted;
    uint64_t wiped; /* how often */
};

/* Lays the view over memory, aligned, of at least SHARD_SIZE_MIN; reads and changes nothing in it. */
void shard_init(struct shard *shard, void *memory, size_t size);
/* Where the lock is; the first bytes of the memory, which a wipe leaves alone. */
uint32_t *shard_lock_word(const struct shard *shard);
/* Empties it, whatever it is now. */
void shard_wipe(struct shard *shard);
/* The same for what is no damage: not counted. */
void shard_flush(struct shard *shard);

/* What has expired is not there.  1: done; 0: not, as the key is not there (or is, or differs); -EBADMSG: damage. */

/* The value is in turn->buf. */
int shard_get(struct shard *shard, struct shard_turn *turn, const struct shard_key *key,
              struct shard_value *ret_value);
/* -E2BIG: it never fits; -ENOSPC: it does not, beside what may not be evicted. */
int shard_put(struct shard *shard, struct shard_turn *turn, const struct shard_key *key,
              const struct shard_record *record, enum shard_when when);
int shard_remove(struct shard *shard, const struct shard_turn *turn, const struct shard_key *key);
/* Puts record (NULL: removes the key) if the value is equal to old (NULL: if the key is not there).  An integer and a float are equal as
 * in Lua.  Errors as shard_put. */
int shard_swap(struct shard *shard, struct shard_turn *turn, const struct shard_key *key,
               const struct shard_value *old, const struct shard_record *record);
/* Adds by, a number, to the one that is there, or to the initial one (NULL: there must be one); the sum is in turn->buf.  -EINVAL: what is
 * there is no number.  Else as shard_put. */
int shard_sum(struct shard *shard, struct shard_turn *turn, const struct shard_key *key,
              const struct shard_value *by, const struct shard_record *initial,
              struct shard_value *ret_sum);
int shard_expire(struct shard *shard, const struct shard_turn *turn, const struct shard_key *key,
                 uint64_t expires_ms);
int shard_get_expiry(struct shard *shard, const struct shard_turn *turn,
                     const struct shard_key *key, uint64_t *ret_expires_ms);
/* Copies keys of SHARD_VALUES to turn->buf, each behind its length as a uint16_t, from the bucket *cursor on, which moves to the one to go
 * on with (bucket_count: that was all).  Looks at a bounded number of them.  The number of bytes, or -EBADMSG. */
int shard_list(const struct shard *shard, const struct shard_turn *turn, uint32_t *cursor);
void shard_count(const struct shard *shard, struct shard_numbers *ret_numbers);

#endif
