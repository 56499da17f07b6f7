#ifndef FSD_TEST_SUPPORT_SHARD_MEMORY_H
#define FSD_TEST_SUPPORT_SHARD_MEMORY_H

/* A shard in memory of its own, and short words for what can be done with it.  To be included behind cmocka.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/shared/shard.h"
#include "worker/shared/shard_hash.h"

static unsigned char shard_copy[SHARD_VALUE_MAX];

static inline struct shard shard_memory_new(size_t size)
{
    struct shard shard;
    void *memory = aligned_alloc(SHARD_ALIGNMENT, size);
    assert_non_null(memory);
    memset(memory, 0, size);
    shard_init(&shard, memory, size);
    return shard;
}

static inline void shard_memory_free(struct shard *shard)
{
    free(shard->head);
}

static inline struct shard_turn turn_at(uint64_t now_ms)
{
    return (struct shard_turn){.now_ms = now_ms, .buf = shard_copy, .size = sizeof(shard_copy)};
}

static inline struct shard_key key_of(const char *text)
{
    return (struct shard_key){text, strlen(text), (uint32_t)shard_hash(1, text, strlen(text)),
                              SHARD_VALUES};
}

static inline struct shard_key lease_of(const char *text)
{
    struct shard_key key = key_of(text);
    key.space = SHARD_LEASES;
    return key;
}

static inline struct shard_value text_of(const char *text)
{
    return (struct shard_value){SHARD_STRING, text, strlen(text)};
}

static inline struct shard_value integer_of(const int64_t *number)
{
    return (struct shard_value){SHARD_INTEGER, number, sizeof(*number)};
}

static inline struct shard_value float_of(const double *number)
{
    return (struct shard_value){SHARD_FLOAT, number, sizeof(*number)};
}

static inline int put_text(struct shard *shard, const char *key, const char *text,
                           uint64_t expires_ms)
{
    struct shard_turn turn = turn_at(1);
    const struct shard_key where = key_of(key);
    const struct shard_record record = {text_of(text), expires_ms};
    return shard_put(shard, &turn, &where, &record, SHARD_ALWAYS);
}

/* The text that is there, or NULL. */
static inline const char *get_text(struct shard *shard, const char *key, uint64_t now_ms)
{
    struct shard_turn turn = turn_at(now_ms);
    const struct shard_key where = key_of(key);
    struct shard_value value;
    int result = shard_get(shard, &turn, &where, &value);
    assert_true(result >= 0);
    if (result == 0) {
        return NULL;
    }
    assert_int_equal(value.kind, SHARD_STRING);
    shard_copy[value.len] = '\0';
    return (const char *)shard_copy;
}

#endif
