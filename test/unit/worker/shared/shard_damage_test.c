/* Memory that somebody has written nonsense to: each operation says so or gives some answer, and stays inside. */
#include "worker/shared/shard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test/support/shard_memory.h"
#include "worker/shared/shard_parts.h"

static struct shard shard;

static int set_up(void **state)
{
    (void)state;
    shard = shard_memory_new(SHARD_SIZE_MIN);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shard_memory_free(&shard);
    return 0;
}

static struct shard_entry *entry_of(const char *key)
{
    return shard_entry_at(&shard, shard.buckets[key_of(key).hash & (shard.bucket_count - 1)]);
}

static int get(const char *name)
{
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of(name);
    struct shard_value value;
    return shard_get(&shard, &turn, &key, &value);
}

static int take_out(const char *name)
{
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of(name);
    return shard_remove(&shard, &turn, &key);
}

static int list(void)
{
    struct shard_turn turn = turn_at(1);
    int result = 0;
    for (uint32_t cursor = 0; result >= 0 && cursor < shard.bucket_count;) {
        result = shard_list(&shard, &turn, &cursor);
    }
    return result;
}

/* All that looks at the entry must say so. */
static void assert_damaged(const char *name)
{
    const int64_t one = 1;
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of(name);
    const struct shard_value by = integer_of(&one);
    const struct shard_record record = {by, 0};
    struct shard_value sum;
    uint64_t expires_ms;
    assert_int_equal(get(name), -EBADMSG);
    assert_int_equal(put_text(&shard, name, "x", 0), -EBADMSG);
    assert_int_equal(shard_swap(&shard, &turn, &key, &by, &record), -EBADMSG);
    assert_int_equal(shard_sum(&shard, &turn, &key, &by, &record, &sum), -EBADMSG);
    assert_int_equal(shard_expire(&shard, &turn, &key, 1), -EBADMSG);
    assert_int_equal(shard_get_expiry(&shard, &turn, &key, &expires_ms), -EBADMSG);
    assert_int_equal(take_out(name), -EBADMSG);
    assert_int_equal(list(), -EBADMSG);
    shard_wipe(&shard);
    assert_int_equal(get(name), 0);
    assert_int_equal(put_text(&shard, name, "x", 0), 1);
}

static void an_entry_that_makes_no_sense_is_seen(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        (void)put_text(&shard, "a", "x", 0);
        struct shard_entry *entry = entry_of("a");
        switch (i) {
        case 0:
            entry->mark = 0;
            break;
        case 1:
            entry->key_len = 0;
            break;
        case 2:
            entry->key_len = SHARD_KEY_MAX + 1;
            break;
        case 3:
            entry->value_len = SHARD_VALUE_MAX + 1;
            break;
        case 4:
            entry->value_len = SHARD_SIZE_MIN;
            break;
        case 5:
            entry->kind = 0;
            break;
        case 6:
            entry->kind = SHARD_TABLE + 1;
            break;
        case 7:
            entry->space = SHARD_LEASES + 1;
            break;
        default:
            shard.buckets[key_of("a").hash & (shard.bucket_count - 1)] = UINT32_MAX;
            break;
        }
        assert_damaged("a");
    }
}

static void a_bucket_that_is_a_circle_is_seen(void **state)
{
    (void)state;
    (void)put_text(&shard, "a", "x", 0);
    struct shard_entry *entry = entry_of("a");
    entry->below = shard.buckets[key_of("a").hash & (shard.bucket_count - 1)];
    entry->hash ^= shard.bucket_count; /* another key of the same bucket */
    assert_damaged("a");
}

static void a_chain_that_ends_too_early_is_seen(void **state)
{
    (void)state;
    char text[400];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (uint32_t next = 0; next != 1; next = next == 0 ? UINT32_MAX : 1) {
        (void)put_text(&shard, "a", text, 0);
        entry_of("a")->next = next;
        assert_int_equal(get("a"), -EBADMSG);
        assert_int_equal(put_text(&shard, "a", text, 0), -EBADMSG);
        assert_int_equal(take_out("a"), -EBADMSG);
        shard_wipe(&shard);
        (void)put_text(&shard, text, "x", 0);
        entry_of(text)->next = next;
        assert_damaged(text);
    }
}

static void a_number_of_another_length_is_seen(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of("a");
    const int64_t one = 1;
    const double two = 2;
    const struct shard_value integer = integer_of(&one);
    const struct shard_value number = float_of(&two);
    struct shard_value sum;
    (void)put_text(&shard, "a", "x", 0);
    entry_of("a")->kind = SHARD_INTEGER;
    assert_int_equal(get("a"), -EBADMSG);
    assert_int_equal(shard_sum(&shard, &turn, &key, &integer, NULL, &sum), -EBADMSG);
    assert_int_equal(shard_swap(&shard, &turn, &key, &number, NULL), -EBADMSG);
    entry_of("a")->kind = SHARD_BOOLEAN;
    assert_int_equal(get("a"), 1);
    (void)put_text(&shard, "a", "xx", 0);
    entry_of("a")->kind = SHARD_BOOLEAN;
    assert_int_equal(get("a"), -EBADMSG);
}

static void links_that_disagree_are_seen(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        (void)put_text(&shard, "a", "x", 0);
        (void)put_text(&shard, "b", "x", 0);
        (void)put_text(&shard, "c", "x", 0);
        struct shard_entry *entry = entry_of("b");
        switch (i) {
        case 0:
            entry->newer = UINT32_MAX;
            break;
        case 1:
            entry->older = UINT32_MAX;
            break;
        case 2:
            entry->newer = 0;
            break;
        case 3:
            entry->older = 0;
            break;
        case 4:
            entry_of("a")->newer = 0;
            break;
        default:
            entry_of("c")->older = 0;
            break;
        }
        assert_int_equal(get("b"), -EBADMSG);
        assert_int_equal(take_out("b"), -EBADMSG);
        shard_wipe(&shard);
    }
}

static void counters_of_free_memory_that_lie_are_seen(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        (void)put_text(&shard, "a", "x", 0);
        (void)take_out("a");
        struct shard_numbers numbers;
        switch (i) {
        case 0:
            shard.head->used = UINT32_MAX;
            break;
        case 1:
            shard.head->free_count = UINT32_MAX;
            break;
        case 2:
            shard.head->free = UINT32_MAX;
            break;
        case 3: /* nothing is free, though one is counted */
            shard.head->used = shard.chunk_count;
            shard.head->free = 0;
            shard.head->free_count = 1;
            break;
        default: /* a list of old that nothing backs */
            shard.head->oldest = UINT32_MAX;
            break;
        }
        shard_count(&shard, &numbers);
        assert_true(numbers.used_bytes <= numbers.size_bytes);
        assert_int_equal(put_text(&shard, "b", "x", 0), -EBADMSG);
        shard_wipe(&shard);
    }
}

static void an_old_entry_that_makes_no_sense_ends_the_search_for_room(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        char key[16];
        struct shard_numbers numbers = {0};
        const struct shard_key lease = lease_of("0");
        struct shard_turn turn = turn_at(1);
        const struct shard_record record = {text_of("x"), 0};
        assert_int_equal(shard_put(&shard, &turn, &lease, &record, SHARD_ALWAYS), 1);
        for (unsigned n = 1; numbers.used_bytes < numbers.size_bytes || n == 1; n++) {
            (void)snprintf(key, sizeof(key), "%u", n);
            (void)put_text(&shard, key, "x", 0);
            shard_count(&shard, &numbers);
        }
        struct shard_entry *oldest = shard_entry_at(&shard, shard.head->oldest);
        if (i == 0) {
            oldest->space = SHARD_VALUES;
            oldest->hash ^= 1; /* in the wrong bucket */
        } else if (i == 1) {
            oldest->newer = UINT32_MAX; /* of a lease: it can't become the newest */
        } else {
            oldest->expires_ms = 1;
            oldest->older = UINT32_MAX;
        }
        assert_int_equal(put_text(&shard, "one more", "x", 0), -EBADMSG);
        shard_wipe(&shard);
    }
}

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* The sanitizers watch. */
static void random_nonsense_never_leads_outside(void **state)
{
    (void)state;
    enum { ROUNDS = 3000, BYTES = 20, OPERATIONS = 60 };
    uint64_t random = 88172645463325252U;
    unsigned damaged = 0;
    unsigned char *memory = (unsigned char *)shard.head;
    for (int i = 0; i < ROUNDS; i++) {
        for (int j = 0; j < BYTES; j++) {
            size_t limit = j % 2 == 0 ? 4096 : SHARD_SIZE_MIN;
            memory[next_random(&random) % limit] = (unsigned char)next_random(&random);
        }
        for (int j = 0; j < OPERATIONS; j++) {
            char name[16];
            static char text[700];
            memset(text, 'x', sizeof(text));
            text[next_random(&random) % sizeof(text)] = '\0';
            text[sizeof(text) - 1] = '\0';
            (void)snprintf(name, sizeof(name), "k%u", (unsigned)(next_random(&random) % 100));
            int result = j % 4 == 0    ? get(name)
                         : j % 4 == 1  ? take_out(name)
                         : j % 40 == 2 ? list()
                                       : put_text(&shard, name, text, 0);
            assert_true(result >= 0 || result == -EBADMSG || result == -ENOSPC);
            damaged += result == -EBADMSG;
            if (result == -EBADMSG) {
                shard_wipe(&shard);
            }
        }
    }
    assert_true(damaged > 100);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(an_entry_that_makes_no_sense_is_seen),
        ROW(a_bucket_that_is_a_circle_is_seen),
        ROW(a_chain_that_ends_too_early_is_seen),
        ROW(a_number_of_another_length_is_seen),
        ROW(links_that_disagree_are_seen),
        ROW(counters_of_free_memory_that_lie_are_seen),
        ROW(an_old_entry_that_makes_no_sense_ends_the_search_for_room),
        ROW(random_nonsense_never_leads_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
