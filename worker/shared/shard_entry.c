/* shard_entry.c - the entries of a shard: which bucket has them, and which was used last.
 * Owns the chains of the buckets and the list in the order of use.  A link is believed when the entry at its other end says the
 * same; a bucket with more entries than chance allows is no bucket of ours.  When room is needed the entries that were not used
 * for the longest time go; leases stay, they are passed over.
 * Called by shard.c.  Pure.  Must not know what a value is. */
#include <errno.h>
#include <string.h>

#include "worker/shared/shard_parts.h"

enum {
    EXPIRED_MAX = 2, /* that go with each entry that comes, so that they do not pile up */
    PASSED_MAX = 64, /* leases that are passed over in one search for room */
};

int shard_entry_read(const struct shard *shard, uint32_t index, struct shard_found *ret_found)
{
    if (!shard_is_index(shard, index)) {
        return -EBADMSG;
    }
    struct shard_entry entry;
    memcpy(&entry, shard_entry_at(shard, index), offsetof(struct shard_entry, bytes));
    bool is_good = entry.mark == SHARD_MARK && entry.key_len >= 1 &&
                   entry.key_len <= SHARD_KEY_MAX && entry.value_len <= SHARD_VALUE_MAX &&
                   entry.kind >= SHARD_BOOLEAN && entry.kind <= SHARD_TABLE &&
                   entry.space <= SHARD_LEASES;
    if (!is_good || shard_chunks_for(entry.key_len, entry.value_len) > shard->chunk_count) {
        return -EBADMSG;
    }
    *ret_found = (struct shard_found){.index = index,
                                      .key_len = entry.key_len,
                                      .value_len = entry.value_len,
                                      .kind = (enum shard_kind)entry.kind,
                                      .space = (enum shard_space)entry.space,
                                      .expires_ms = entry.expires_ms};
    return 0;
}

static uint32_t *bucket_of(const struct shard *shard, uint32_t hash)
{
    return &shard->buckets[hash & (shard->bucket_count - 1)];
}

bool shard_entry_is_expired(const struct shard_found *found, uint64_t now_ms)
{
    return found->expires_ms != 0 && found->expires_ms <= now_ms;
}

static int has_key(const struct shard *shard, const struct shard_found *found,
                   const struct shard_key *key)
{
    struct shard_place place;
    if (shard_load(&shard_entry_at(shard, found->index)->hash) != key->hash ||
        found->key_len != key->len || found->space != key->space) {
        return 0;
    }
    shard_place_init(&place, shard, found->index);
    return shard_place_equals(&place, key->bytes, key->len);
}

int shard_entry_find(struct shard *shard, const struct shard_key *key, uint64_t now_ms,
                     struct shard_found *ret_found)
{
    struct shard_found found = {.index = shard_load(bucket_of(shard, key->hash))};
    for (uint32_t steps = 0; found.index != 0; steps++) {
        if (steps == SHARD_BUCKET_MAX || shard_entry_read(shard, found.index, &found) < 0) {
            return -EBADMSG;
        }
        int result = has_key(shard, &found, key);
        if (result < 0) {
            return result;
        }
        if (result > 0) {
            break;
        }
        found.index = shard_load(&shard_entry_at(shard, found.index)->below);
    }
    if (found.index != 0 && shard_entry_is_expired(&found, now_ms)) {
        if (shard_entry_remove(shard, found.index) < 0) {
            return -EBADMSG;
        }
        found.index = 0;
    }
    *ret_found = found;
    return 0;
}

static void link_newest(struct shard *shard, uint32_t index)
{
    struct shard_head *head = shard->head;
    struct shard_entry *entry = shard_entry_at(shard, index);
    uint32_t second = shard_load(&head->newest);
    entry->newer = 0;
    entry->older = second;
    if (shard_is_index(shard, second)) {
        shard_entry_at(shard, second)->newer = index;
    } else {
        head->oldest = index;
    }
    head->newest = index;
}

/* Both neighbours must agree before anything is changed. */
static int unlink_use(struct shard *shard, uint32_t index)
{
    struct shard_head *head = shard->head;
    const struct shard_entry *entry = shard_entry_at(shard, index);
    uint32_t newer = shard_load(&entry->newer);
    uint32_t older = shard_load(&entry->older);
    if ((newer != 0 && !shard_is_index(shard, newer)) ||
        (older != 0 && !shard_is_index(shard, older))) {
        return -EBADMSG;
    }
    uint32_t *from_newer = newer != 0 ? &shard_entry_at(shard, newer)->older : &head->newest;
    uint32_t *from_older = older != 0 ? &shard_entry_at(shard, older)->newer : &head->oldest;
    if (shard_load(from_newer) != index || shard_load(from_older) != index) {
        return -EBADMSG;
    }
    *from_newer = older;
    *from_older = newer;
    return 0;
}

static int unlink_bucket(struct shard *shard, uint32_t index)
{
    const struct shard_entry *entry = shard_entry_at(shard, index);
    uint32_t *at = bucket_of(shard, shard_load(&entry->hash));
    for (uint32_t steps = 0; steps < SHARD_BUCKET_MAX; steps++) {
        uint32_t found = shard_load(at);
        if (found == index) {
            *at = shard_load(&entry->below);
            return 0;
        }
        if (!shard_is_index(shard, found)) {
            return -EBADMSG;
        }
        at = &shard_entry_at(shard, found)->below;
    }
    return -EBADMSG;
}

int shard_entry_add(struct shard *shard, const struct shard_key *key, uint32_t count,
                    uint32_t *ret_index)
{
    uint32_t index = 0;
    if (shard_take_chunks(shard, count, &index) < 0) {
        return -EBADMSG;
    }
    struct shard_entry *entry = shard_entry_at(shard, index);
    uint32_t *bucket = bucket_of(shard, key->hash);
    entry->hash = key->hash;
    entry->key_len = (uint16_t)key->len;
    entry->space = (uint8_t)key->space;
    entry->mark = SHARD_MARK;
    entry->below = shard_load(bucket);
    *bucket = index;
    link_newest(shard, index);
    shard->head->entries++;
    *ret_index = index;
    return 0;
}

int shard_entry_remove(struct shard *shard, uint32_t index)
{
    struct shard_found found;
    if (shard_entry_read(shard, index, &found) < 0 || unlink_bucket(shard, index) < 0 ||
        unlink_use(shard, index) < 0) {
        return -EBADMSG;
    }
    shard_entry_at(shard, index)->mark = 0;
    shard->head->entries--;
    return shard_give_chunks(shard, index, shard_chunks_for(found.key_len, found.value_len));
}

int shard_entry_touch(struct shard *shard, uint32_t index)
{
    if (shard_load(&shard->head->newest) == index) {
        return 0;
    }
    if (unlink_use(shard, index) < 0) {
        return -EBADMSG;
    }
    link_newest(shard, index);
    return 0;
}

/* A few of the oldest may have expired.  The next one is taken before its neighbour goes. */
static int remove_expired(struct shard *shard, uint64_t now_ms)
{
    for (int i = 0; i < EXPIRED_MAX; i++) {
        struct shard_found found;
        uint32_t oldest = shard_load(&shard->head->oldest);
        if (oldest == 0) {
            break;
        }
        if (shard_entry_read(shard, oldest, &found) < 0) {
            return -EBADMSG;
        }
        if (!shard_entry_is_expired(&found, now_ms)) {
            break;
        }
        if (shard_entry_remove(shard, oldest) < 0) {
            return -EBADMSG;
        }
    }
    return 0;
}

/* The oldest goes.  1: it was a lease, which is the newest now. */
static int evict_one(struct shard *shard, struct shard_turn *turn)
{
    struct shard_found found;
    uint32_t oldest = shard_load(&shard->head->oldest);
    if (shard_entry_read(shard, oldest, &found) < 0) {
        return -EBADMSG;
    }
    if (shard_entry_is_expired(&found, turn->now_ms)) {
        return shard_entry_remove(shard, oldest);
    }
    if (found.space == SHARD_LEASES) {
        return shard_entry_touch(shard, oldest) < 0 ? -EBADMSG : 1;
    }
    shard->head->evicted++;
    turn->evicted++;
    return shard_entry_remove(shard, oldest);
}

int shard_entry_make_room(struct shard *shard, struct shard_turn *turn, uint32_t count)
{
    uint32_t available = 0;
    int passed = 0;
    if (remove_expired(shard, turn->now_ms) < 0) {
        return -EBADMSG;
    }
    for (uint32_t steps = 0; steps <= shard->chunk_count; steps++) {
        if (shard_get_available(shard, &available) < 0) {
            return -EBADMSG;
        }
        if (available >= count) {
            return 0;
        }
        if (shard_load(&shard->head->oldest) == 0 || passed == PASSED_MAX) {
            return -ENOSPC;
        }
        int result = evict_one(shard, turn);
        if (result < 0) {
            return result;
        }
        passed += result;
    }
    return -EBADMSG;
}
