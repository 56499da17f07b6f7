/* sources: worker/shared/shard.c worker/shared/shard_chunk.c worker/shared/shard_entry.c worker/shared/shard_list.c | */
/* A shard whose memory others write to: the input is a list of operations, and of bytes that change behind them.  The sanitizers see to it
 * that nothing outside is touched; what is checked here is that each result is one of those that are promised. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/shared/shard.h"

enum {
    SIZE = SHARD_SIZE_MIN,
    STEP = 6, /* bytes: what, key, four of an argument */
    KEYS = 16,
    TEXT_MAX = 3000,
};

static unsigned char copy[SHARD_VALUE_MAX];
static unsigned char text[SHARD_VALUE_MAX];

static struct shard_key key_of(unsigned char number)
{
    static const char bytes[KEYS * 64] = "keys are told apart by their length alone";
    /* several in one bucket */
    return (struct shard_key){bytes, (size_t)(number % KEYS) * 60 + 1, number % 4,
                              number < 240 ? SHARD_VALUES : SHARD_LEASES};
}

static struct shard_value value_of(uint32_t argument)
{
    size_t len = argument % 16 == 0 ? argument % sizeof(text) : argument % TEXT_MAX;
    switch (argument >> 30) {
    case 0:
        return (struct shard_value){SHARD_INTEGER, text + argument % 100, 8};
    case 1:
        return (struct shard_value){SHARD_FLOAT, text + argument % 100, 8};
    case 2:
        return (struct shard_value){SHARD_BOOLEAN, text, 1};
    default:
        return (struct shard_value){argument % 2 ? SHARD_STRING : SHARD_TABLE, text, len};
    }
}

static void list(const struct shard *shard, const struct shard_turn *turn)
{
    int result = 0;
    for (uint32_t cursor = 0; result >= 0 && cursor < shard->bucket_count;) {
        uint32_t before = cursor;
        result = shard_list(shard, turn, &cursor);
        assert(result < 0 || cursor > before);
    }
}

static int run(struct shard *shard, struct shard_turn *turn, unsigned char what,
               const struct shard_key *key, uint32_t argument)
{
    const struct shard_record record = {value_of(argument), argument % 7};
    const struct shard_value other = value_of(argument * 7);
    struct shard_value value;
    uint64_t expires_ms;
    turn->now_ms = argument % 5 + 1;
    switch (what % 10) {
    case 0:
        return shard_get(shard, turn, key, &value);
    case 1:
    case 2:
        return shard_put(shard, turn, key, &record, (enum shard_when)(argument % 3));
    case 3:
        return shard_remove(shard, turn, key);
    case 4:
        return shard_swap(shard, turn, key, argument % 3 ? &other : NULL,
                          argument % 4 ? &record : NULL);
    case 5:
        if (other.kind != SHARD_INTEGER && other.kind != SHARD_FLOAT) {
            return 0;
        }
        return record.value.kind <= SHARD_FLOAT && record.value.kind >= SHARD_INTEGER
                   ? shard_sum(shard, turn, key, &other, &record, &value)
                   : shard_sum(shard, turn, key, &other, NULL, &value);
    case 6:
        return shard_expire(shard, turn, key, argument % 9);
    case 7:
        return shard_get_expiry(shard, turn, key, &expires_ms);
    case 8:
        list(shard, turn);
        return 0;
    default: /* somebody else */
        ((unsigned char *)shard->head)[(argument >> 8) % (argument % 2 ? SIZE : 2200)] =
            (unsigned char)argument;
        return 0;
    }
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len);

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
    struct shard shard;
    void *memory = aligned_alloc(SHARD_ALIGNMENT, SIZE);
    assert(memory != NULL);
    memset(memory, 0, SIZE);
    shard_init(&shard, memory, SIZE);
    struct shard_turn turn = {.buf = copy, .size = sizeof(copy)};
    for (; len >= STEP; data += STEP, len -= STEP) {
        uint32_t argument;
        const struct shard_key key = key_of(data[1]);
        memcpy(&argument, data + 2, sizeof(argument));
        int result = run(&shard, &turn, data[0], &key, argument);
        if (result < 0) {
            assert(result == -EBADMSG || result == -ENOSPC || result == -E2BIG ||
                   result == -EINVAL);
        }
        if (result == -EBADMSG && data[0] < 200) { /* else go on in the ruins */
            shard_wipe(&shard);
        }
    }
    struct shard_numbers numbers;
    shard_count(&shard, &numbers);
    assert(numbers.used_bytes <= numbers.size_bytes);
    free(memory);
    return 0;
}
