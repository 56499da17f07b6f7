/* shard_list.c - what is in a shard: when a key ends, which keys there are, how full it is.
 * Owns nothing.  Keys are listed in pieces, bucket by bucket, so that nobody holds the lock for long; a key that comes or goes meanwhile
 * may be in the list or not, every other one is, once.
 * Called by dictionary.c's users.  Pure.  Must not know Lua, locks, processes. */
#include <errno.h>
#include <string.h>

#include "worker/shared/shard_parts.h"

enum { BUCKETS_MAX = 512 /* looked at in one turn */ };

int shard_expire(struct shard *shard, const struct shard_turn *turn, const struct shard_key *key,
                 uint64_t expires_ms)
{
    struct shard_found found;
    if (shard_entry_find(shard, key, turn->now_ms, &found) < 0) {
        return -EBADMSG;
    }
    if (found.index == 0) {
        return 0;
    }
    shard_entry_at(shard, found.index)->expires_ms = expires_ms;
    return 1;
}

int shard_get_expiry(struct shard *shard, const struct shard_turn *turn,
                     const struct shard_key *key, uint64_t *ret_expires_ms)
{
    struct shard_found found;
    if (shard_entry_find(shard, key, turn->now_ms, &found) < 0) {
        return -EBADMSG;
    }
    if (found.index == 0) {
        return 0;
    }
    *ret_expires_ms = found.expires_ms;
    return 1;
}

/* Appends the key, if it is to be listed.  The new length, -ENOSPC or -EBADMSG. */
static int append(const struct shard *shard, const struct shard_turn *turn,
                  const struct shard_found *found, int len)
{
    struct shard_place place;
    uint16_t key_len = (uint16_t)found->key_len;
    unsigned char *at = turn->buf + len;
    if (found->space != SHARD_VALUES || shard_entry_is_expired(found, turn->now_ms)) {
        return len;
    }
    if (turn->size - (size_t)len < sizeof(key_len) + key_len) {
        return -ENOSPC;
    }
    memcpy(at, &key_len, sizeof(key_len));
    shard_place_init(&place, shard, found->index);
    if (shard_place_read(&place, at + sizeof(key_len), key_len) < 0) {
        return -EBADMSG;
    }
    return len + (int)sizeof(key_len) + key_len;
}

/* All keys of one bucket, or none. */
static int append_bucket(const struct shard *shard, const struct shard_turn *turn, uint32_t bucket,
                         int len)
{
    uint32_t index = shard_load(&shard->buckets[bucket]);
    for (uint32_t steps = 0; index != 0; steps++) {
        struct shard_found found;
        if (steps == SHARD_BUCKET_MAX || shard_entry_read(shard, index, &found) < 0) {
            return -EBADMSG;
        }
        len = append(shard, turn, &found, len);
        if (len < 0) {
            return len;
        }
        index = shard_load(&shard_entry_at(shard, index)->below);
    }
    return len;
}

int shard_list(const struct shard *shard, const struct shard_turn *turn, uint32_t *cursor)
{
    int len = 0;
    for (int i = 0; i < BUCKETS_MAX && *cursor < shard->bucket_count; i++) {
        int longer = append_bucket(shard, turn, *cursor, len);
        if (longer == -ENOSPC && len > 0) {
            break;
        }
        if (longer < 0) {
            return -EBADMSG; /* no bucket is so full that its keys do not fit */
        }
        len = longer;
        ++*cursor;
    }
    return len;
}

void shard_count(const struct shard *shard, struct shard_numbers *ret_numbers)
{
    uint32_t available = 0;
    uint32_t used = shard_get_available(shard, &available) < 0 ? 0 : shard->chunk_count - available;
    *ret_numbers = (struct shard_numbers){.size_bytes = (uint64_t)shard->chunk_count * SHARD_CHUNK,
                                          .used_bytes = (uint64_t)used * SHARD_CHUNK,
                                          .entries = shard_load(&shard->head->entries),
                                          .evicted = shard->head->evicted,
                                          .wiped = shard->head->wiped};
}
