/* shard.c - what can be done with a shard: get, put, swap, add, list.
 * Owns nothing: the memory is the caller's, and so is the lock that it holds.  Each operation finds the entry (shard_entry.c), copies
 * bytes in or out (shard_chunk.c), and stops at the first thing that cannot be, with -EBADMSG.
 * Called by dictionary.c's users, one shard at a time.  Pure: the time comes with each call.  Must not know Lua, locks, processes. */
#include "worker/shared/shard.h"

#include <errno.h>
#include <string.h>

#include "worker/shared/shard_parts.h"

enum { NUMBER_LEN = 8 };
_Static_assert(sizeof(int64_t) == NUMBER_LEN && sizeof(double) == NUMBER_LEN, "both are alike");

void shard_init(struct shard *shard, void *memory, size_t size)
{
    unsigned char *bytes = memory;
    size_t most = (size - SHARD_LINE) / (SHARD_CHUNK + sizeof(uint32_t));
    uint32_t buckets = SHARD_LINE / sizeof(uint32_t);
    while ((size_t)buckets * 2 <= most && buckets < 1U << 31) {
        buckets *= 2;
    }
    size_t first_chunk = SHARD_LINE + (size_t)buckets * sizeof(uint32_t);
    size_t chunks = (size - first_chunk) / SHARD_CHUNK;
    *shard = (struct shard){.head = memory,
                            .buckets = (uint32_t *)(void *)(bytes + SHARD_LINE),
                            .chunks = bytes + first_chunk,
                            .bucket_count = buckets,
                            .chunk_count = chunks < UINT32_MAX ? (uint32_t)chunks : UINT32_MAX - 1};
}

uint32_t *shard_lock_word(const struct shard *shard)
{
    return &shard->head->lock;
}

/* The lock and the counters stay. */
static void empty(struct shard *shard)
{
    size_t from = offsetof(struct shard_head, used);
    memset(&shard->head->used, 0, offsetof(struct shard_head, evicted) - from);
    memset(shard->buckets, 0, (size_t)shard->bucket_count * sizeof(uint32_t));
}

void shard_wipe(struct shard *shard)
{
    empty(shard);
    shard->head->wiped++;
}

void shard_flush(struct shard *shard)
{
    empty(shard);
}

/* The value of an entry, copied. */
static int read_value(const struct shard *shard, const struct shard_turn *turn,
                      const struct shard_found *found, struct shard_value *ret_value)
{
    struct shard_place place;
    bool is_number = found->kind == SHARD_INTEGER || found->kind == SHARD_FLOAT;
    if ((is_number && found->value_len != NUMBER_LEN) ||
        (found->kind == SHARD_BOOLEAN && found->value_len != 1) || found->value_len > turn->size) {
        return -EBADMSG;
    }
    shard_place_init(&place, shard, found->index);
    if (shard_place_skip(&place, found->key_len) < 0 ||
        shard_place_read(&place, turn->buf, found->value_len) < 0) {
        return -EBADMSG;
    }
    *ret_value = (struct shard_value){found->kind, turn->buf, found->value_len};
    return 0;
}

int shard_get(struct shard *shard, struct shard_turn *turn, const struct shard_key *key,
              struct shard_value *ret_value)
{
    struct shard_found found;
    if (shard_entry_find(shard, key, turn->now_ms, &found) < 0) {
        return -EBADMSG;
    }
    if (found.index == 0) {
        return 0;
    }
    if (shard_entry_touch(shard, found.index) < 0 ||
        read_value(shard, turn, &found, ret_value) < 0) {
        return -EBADMSG;
    }
    return 1;
}

/* Into an entry whose chunks are there. */
static int write_value(struct shard *shard, uint32_t index, size_t key_len,
                       const struct shard_record *record)
{
    struct shard_place place;
    struct shard_entry *entry = shard_entry_at(shard, index);
    entry->kind = (uint8_t)record->value.kind;
    entry->value_len = (uint32_t)record->value.len;
    entry->expires_ms = record->expires_ms;
    shard_place_init(&place, shard, index);
    if (shard_place_skip(&place, key_len) < 0) {
        return -EBADMSG;
    }
    return shard_place_write(&place, record->value.bytes, record->value.len);
}

static int create(struct shard *shard, struct shard_turn *turn, const struct shard_key *key,
                  const struct shard_record *record)
{
    struct shard_place place;
    uint32_t index = 0;
    uint32_t count = shard_chunks_for(key->len, record->value.len);
    int error = shard_entry_make_room(shard, turn, count);
    if (error < 0) {
        return error;
    }
    if (shard_entry_add(shard, key, count, &index) < 0) {
        return -EBADMSG;
    }
    shard_place_init(&place, shard, index);
    if (shard_place_write(&place, key->bytes, key->len) < 0) {
        return -EBADMSG;
    }
    return write_value(shard, index, key->len, record);
}

static bool is_too_large(const struct shard *shard, const struct shard_key *key,
                         const struct shard_record *record)
{
    return record->value.len > SHARD_VALUE_MAX ||
           shard_chunks_for(key->len, record->value.len) > shard->chunk_count / 2;
}

/* In the place of what was found, or as a new entry. */
static int store(struct shard *shard, struct shard_turn *turn, const struct shard_key *key,
                 const struct shard_found *found, const struct shard_record *record)
{
    int error = 0;
    if (found->index != 0 && shard_chunks_for(key->len, record->value.len) ==
                                 shard_chunks_for(found->key_len, found->value_len)) {
        error = shard_entry_touch(shard, found->index);
        error = error < 0 ? error : write_value(shard, found->index, key->len, record);
    } else {
        error = found->index == 0 ? 0 : shard_entry_remove(shard, found->index);
        error = error < 0 ? error : create(shard, turn, key, record);
    }
    return error < 0 ? error : 1;
}

int shard_put(struct shard *shard, struct shard_turn *turn, const struct shard_key *key,
              const struct shard_record *record, enum shard_when when)
{
    struct shard_found found;
    if (is_too_large(shard, key, record)) {
        return -E2BIG;
    }
    if (shard_entry_find(shard, key, turn->now_ms, &found) < 0) {
        return -EBADMSG;
    }
    if ((when == SHARD_IF_ABSENT && found.index != 0) ||
        (when == SHARD_IF_PRESENT && found.index == 0)) {
        return 0;
    }
    return store(shard, turn, key, &found, record);
}

int shard_remove(struct shard *shard, const struct shard_turn *turn, const struct shard_key *key)
{
    struct shard_found found;
    if (shard_entry_find(shard, key, turn->now_ms, &found) < 0) {
        return -EBADMSG;
    }
    if (found.index == 0) {
        return 0;
    }
    return shard_entry_remove(shard, found.index) < 0 ? -EBADMSG : 1;
}

static bool is_same_number(int64_t whole, double number)
{
    /* cppcheck-suppress incorrectLogicOperator ; it can't read hexadecimal floats */
    return number >= -0x1p63 && number < 0x1p63 && (int64_t)number == whole &&
           (double)(int64_t)number == number;
}

/* An integer and a float, in either order. */
static bool is_same_mixed(const struct shard_value *one, const struct shard_value *other)
{
    int64_t whole;
    double number;
    memcpy(&whole, one->kind == SHARD_INTEGER ? one->bytes : other->bytes, sizeof(whole));
    memcpy(&number, one->kind == SHARD_INTEGER ? other->bytes : one->bytes, sizeof(number));
    return is_same_number(whole, number);
}

/* 1: what was found equals old. */
static int has_value(const struct shard *shard, const struct shard_found *found,
                     const struct shard_value *old)
{
    struct shard_place place;
    unsigned char bytes[NUMBER_LEN];
    if (found->kind == old->kind) {
        shard_place_init(&place, shard, found->index);
        return found->value_len != old->len ? 0
               : shard_place_skip(&place, found->key_len) < 0
                   ? -EBADMSG
                   : shard_place_equals(&place, old->bytes, old->len);
    }
    bool is_mixed = (found->kind == SHARD_INTEGER && old->kind == SHARD_FLOAT) ||
                    (found->kind == SHARD_FLOAT && old->kind == SHARD_INTEGER);
    if (!is_mixed) {
        return 0;
    }
    struct shard_value value;
    const struct shard_turn turn = {.buf = bytes, .size = sizeof(bytes)};
    if (read_value(shard, &turn, found, &value) < 0) {
        return -EBADMSG;
    }
    return is_same_mixed(&value, old);
}

int shard_swap(struct shard *shard, struct shard_turn *turn, const struct shard_key *key,
               const struct shard_value *old, const struct shard_record *record)
{
    struct shard_found found;
    if (record != NULL && is_too_large(shard, key, record)) {
        return -E2BIG;
    }
    if (shard_entry_find(shard, key, turn->now_ms, &found) < 0) {
        return -EBADMSG;
    }
    int is_equal = (old == NULL) == (found.index == 0);
    if (is_equal && old != NULL) {
        is_equal = has_value(shard, &found, old);
    }
    if (is_equal <= 0) {
        return is_equal;
    }
    if (record != NULL) {
        return store(shard, turn, key, &found, record);
    }
    return found.index != 0 && shard_entry_remove(shard, found.index) < 0 ? -EBADMSG : 1;
}

static double get_float(const struct shard_value *value)
{
    int64_t whole;
    double number;
    if (value->kind == SHARD_FLOAT) {
        memcpy(&number, value->bytes, sizeof(number));
        return number;
    }
    memcpy(&whole, value->bytes, sizeof(whole));
    return (double)whole;
}

/* As Lua adds: integers wrap around, and a float makes the sum one.  sum has room for a number, and may be one of them. */
static enum shard_kind add(const struct shard_value *one, const struct shard_value *other,
                           unsigned char *sum)
{
    uint64_t wholes[2];
    if (one->kind == SHARD_INTEGER && other->kind == SHARD_INTEGER) {
        memcpy(&wholes[0], one->bytes, NUMBER_LEN);
        memcpy(&wholes[1], other->bytes, NUMBER_LEN);
        wholes[0] += wholes[1];
        memcpy(sum, wholes, NUMBER_LEN);
        return SHARD_INTEGER;
    }
    double number = get_float(one) + get_float(other);
    memcpy(sum, &number, NUMBER_LEN);
    return SHARD_FLOAT;
}

int shard_sum(struct shard *shard, struct shard_turn *turn, const struct shard_key *key,
              const struct shard_value *by, const struct shard_record *initial,
              struct shard_value *ret_sum)
{
    struct shard_found found;
    struct shard_value before;
    if (shard_entry_find(shard, key, turn->now_ms, &found) < 0) {
        return -EBADMSG;
    }
    if (found.index == 0 && initial == NULL) {
        return 0;
    }
    if (found.index == 0) {
        before = initial->value;
        found.expires_ms = initial->expires_ms;
    } else if (found.kind != SHARD_INTEGER && found.kind != SHARD_FLOAT) {
        return -EINVAL;
    } else if (read_value(shard, turn, &found, &before) < 0) {
        return -EBADMSG;
    }
    enum shard_kind kind = add(&before, by, turn->buf);
    const struct shard_record record = {{kind, turn->buf, NUMBER_LEN}, found.expires_ms};
    *ret_sum = record.value;
    return store(shard, turn, key, &found, &record);
}
