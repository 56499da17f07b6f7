/* What a shard keeps, for how long, and what has to go. */
#include "worker/shared/shard.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test/support/shard_memory.h"

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

static struct shard_numbers count(void)
{
    struct shard_numbers numbers;
    shard_count(&shard, &numbers);
    return numbers;
}

static void zeroed_memory_is_an_empty_shard(void **state)
{
    (void)state;
    assert_null(get_text(&shard, "a", 1));
    assert_int_equal(count().entries, 0);
    assert_int_equal(count().used_bytes, 0);
    assert_true(count().size_bytes > SHARD_SIZE_MIN * 9 / 10);
}

static void what_is_put_is_there_until_it_is_removed(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of("a");
    assert_int_equal(put_text(&shard, "a", "one", 0), 1);
    assert_int_equal(put_text(&shard, "b", "", 0), 1);
    assert_string_equal(get_text(&shard, "a", 1), "one");
    assert_string_equal(get_text(&shard, "b", 1), "");
    assert_int_equal(put_text(&shard, "a", "two", 0), 1);
    assert_string_equal(get_text(&shard, "a", 1), "two");
    assert_int_equal(shard_remove(&shard, &turn, &key), 1);
    assert_int_equal(shard_remove(&shard, &turn, &key), 0);
    assert_null(get_text(&shard, "a", 1));
    assert_int_equal(count().entries, 1);
}

static void values_of_every_length_around_a_chunk_come_back(void **state)
{
    (void)state;
    char text[1000];
    for (size_t len = 0; len < sizeof(text); len++) {
        memset(text, 'a' + (int)(len % 26), len);
        text[len] = '\0';
        assert_int_equal(put_text(&shard, "key", text, 0), 1);
        assert_string_equal(get_text(&shard, "key", 1), text);
    }
    assert_int_equal(count().entries, 1);
}

static void keys_of_every_length_are_told_apart(void **state)
{
    (void)state;
    char key[SHARD_KEY_MAX + 1];
    char number[16];
    for (size_t len = 1; len <= SHARD_KEY_MAX; len += 37) {
        memset(key, 'k', len);
        key[len] = '\0';
        (void)snprintf(number, sizeof(number), "%zu", len);
        assert_int_equal(put_text(&shard, key, number, 0), 1);
        assert_string_equal(get_text(&shard, key, 1), number);
        key[len - 1] = 'x';
        assert_null(get_text(&shard, key, 1));
    }
}

static void add_needs_an_absent_key_and_replace_a_present_one(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of("a");
    const struct shard_record record = {text_of("x"), 0};
    assert_int_equal(shard_put(&shard, &turn, &key, &record, SHARD_IF_PRESENT), 0);
    assert_int_equal(shard_put(&shard, &turn, &key, &record, SHARD_IF_ABSENT), 1);
    assert_int_equal(shard_put(&shard, &turn, &key, &record, SHARD_IF_ABSENT), 0);
    assert_int_equal(shard_put(&shard, &turn, &key, &record, SHARD_IF_PRESENT), 1);
}

static void a_value_ends_with_its_time(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(99);
    const struct shard_key key = key_of("a");
    uint64_t expires_ms = 7;
    (void)put_text(&shard, "a", "x", 100);
    assert_int_equal(shard_get_expiry(&shard, &turn, &key, &expires_ms), 1);
    assert_int_equal(expires_ms, 100);
    assert_string_equal(get_text(&shard, "a", 99), "x");
    assert_null(get_text(&shard, "a", 100));
    assert_int_equal(count().entries, 0);
    assert_int_equal(shard_get_expiry(&shard, &turn, &key, &expires_ms), 0);
    assert_int_equal(shard_expire(&shard, &turn, &key, 200), 0);
    (void)put_text(&shard, "a", "x", 100);
    assert_int_equal(shard_expire(&shard, &turn, &key, 0), 1);
    assert_string_equal(get_text(&shard, "a", 1000), "x");
}

/* Fills the shard with keys 0, 1, ... of one chunk each; returns how many fit. */
static unsigned fill(void)
{
    char key[16];
    unsigned number = 0;
    do {
        (void)snprintf(key, sizeof(key), "%u", number++);
        assert_int_equal(put_text(&shard, key, key, 0), 1);
    } while (count().evicted == 0);
    return number - 1;
}

static void the_entry_that_was_not_used_for_the_longest_time_goes_first(void **state)
{
    (void)state;
    unsigned fits = fill(); /* "0" has gone for the last one */
    assert_null(get_text(&shard, "0", 1));
    assert_string_equal(get_text(&shard, "1", 1), "1"); /* which makes "2" the oldest */
    (void)put_text(&shard, "more", "x", 0);
    assert_string_equal(get_text(&shard, "1", 1), "1");
    assert_null(get_text(&shard, "2", 1));
    assert_int_equal(count().entries, fits);
    assert_int_equal(count().evicted, 2);
    assert_int_equal(count().used_bytes, count().size_bytes);
}

static void what_has_expired_goes_before_what_has_not(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(500);
    const struct shard_key key = key_of("new");
    const struct shard_record record = {text_of("x"), 0};
    (void)put_text(&shard, "short", "x", 100);
    (void)put_text(&shard, "long", "x", 0);
    (void)fill(); /* "short" was the oldest, and had not expired at that time */
    assert_int_equal(count().evicted, 1);
    shard_flush(&shard);
    (void)put_text(&shard, "short", "x", 100);
    for (int i = 0; i < 3; i++) {
        char name[] = {'e', (char)('0' + i), '\0'};
        (void)put_text(&shard, name, "x", 100);
    }
    assert_int_equal(shard_put(&shard, &turn, &key, &record, SHARD_ALWAYS), 1);
    assert_int_equal(turn.evicted, 0);
    assert_int_equal(count().entries, 3); /* two of the four that had expired have gone */
}

static void eviction_of_many_small_ones_makes_room_for_a_large_one(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of("large");
    static char large[SHARD_SIZE_MIN / 3];
    const struct shard_record record = {{SHARD_TABLE, large, sizeof(large)}, 0};
    struct shard_value value;
    (void)fill();
    assert_int_equal(shard_put(&shard, &turn, &key, &record, SHARD_ALWAYS), 1);
    assert_true(turn.evicted > 100);
    assert_int_equal(shard_get(&shard, &turn, &key, &value), 1);
    assert_int_equal(value.kind, SHARD_TABLE);
    assert_int_equal(value.len, sizeof(large));
}

static void what_would_take_more_than_half_of_the_shard_is_refused(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of("large");
    static char large[SHARD_VALUE_MAX + 1];
    struct shard_record record = {{SHARD_STRING, large, SHARD_SIZE_MIN / 2}, 0};
    (void)put_text(&shard, "large", "small", 0);
    assert_int_equal(shard_put(&shard, &turn, &key, &record, SHARD_ALWAYS), -E2BIG);
    record.value.len = sizeof(large);
    assert_int_equal(shard_put(&shard, &turn, &key, &record, SHARD_ALWAYS), -E2BIG);
    assert_int_equal(shard_swap(&shard, &turn, &key, NULL, &record), -E2BIG);
    assert_string_equal(get_text(&shard, "large", 1), "small");
}

static void leases_are_apart_from_values_and_are_not_evicted(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(1);
    const struct shard_key lease = lease_of("job");
    const struct shard_record record = {text_of("me"), 0};
    struct shard_value value;
    assert_int_equal(shard_put(&shard, &turn, &lease, &record, SHARD_IF_ABSENT), 1);
    assert_null(get_text(&shard, "job", 1));
    (void)fill();
    for (int i = 0; i < 1000; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "n%d", i);
        assert_int_equal(put_text(&shard, key, key, 0), 1);
    }
    assert_int_equal(shard_get(&shard, &turn, &lease, &value), 1);
}

static void a_shard_full_of_leases_takes_nothing_more(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(1);
    const struct shard_record record = {text_of("me"), 0};
    int result = 1;
    for (unsigned i = 0; result == 1; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%u", i);
        const struct shard_key lease = lease_of(name);
        result = shard_put(&shard, &turn, &lease, &record, SHARD_IF_ABSENT);
    }
    assert_int_equal(result, -ENOSPC);
    assert_int_equal(turn.evicted, 0);
    assert_int_equal(put_text(&shard, "a", "x", 0), -ENOSPC);
    shard_wipe(&shard);
    assert_int_equal(put_text(&shard, "a", "x", 0), 1);
    assert_int_equal(count().wiped, 1);
}

static void a_swap_needs_the_value_that_is_there(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of("a");
    const struct shard_value old = text_of("old");
    const struct shard_value shorter = text_of("ol");
    const struct shard_value other = text_of("odd");
    const struct shard_record fresh = {text_of("new"), 0};
    const struct shard_record first = {text_of("old"), 0};
    assert_int_equal(shard_swap(&shard, &turn, &key, &old, &fresh), 0);
    assert_int_equal(shard_swap(&shard, &turn, &key, NULL, NULL), 1);
    assert_int_equal(shard_swap(&shard, &turn, &key, NULL, &first), 1);
    assert_int_equal(shard_swap(&shard, &turn, &key, NULL, &fresh), 0);
    assert_int_equal(shard_swap(&shard, &turn, &key, &shorter, &fresh), 0);
    assert_int_equal(shard_swap(&shard, &turn, &key, &other, &fresh), 0);
    assert_string_equal(get_text(&shard, "a", 1), "old");
    assert_int_equal(shard_swap(&shard, &turn, &key, &old, &fresh), 1);
    assert_string_equal(get_text(&shard, "a", 1), "new");
    assert_int_equal(shard_swap(&shard, &turn, &key, &fresh.value, NULL), 1);
    assert_null(get_text(&shard, "a", 1));
}

static void a_swap_compares_numbers_as_lua_does(void **state)
{
    (void)state;
    static const struct {
        int64_t integer;
        double number;
        int is_equal;
    } rows[] = {
        {3, 3.0, 1},
        {3, 3.5, 0},
        {0, -0.5, 0},
        {INT64_MIN, -0x1p63, 1},
        {INT64_MAX, 0x1p63, 0},
        {INT64_MIN, -0x1p64, 0},
        {0, (double)NAN, 0},
    };
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of("n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct shard_record whole = {integer_of(&rows[i].integer), 0};
        const struct shard_record number = {float_of(&rows[i].number), 0};
        assert_int_equal(shard_put(&shard, &turn, &key, &whole, SHARD_ALWAYS), 1);
        assert_int_equal(shard_swap(&shard, &turn, &key, &number.value, &whole), rows[i].is_equal);
        assert_int_equal(shard_put(&shard, &turn, &key, &number, SHARD_ALWAYS), 1);
        assert_int_equal(shard_swap(&shard, &turn, &key, &whole.value, &number), rows[i].is_equal);
    }
    const struct shard_value text = text_of("3");
    assert_int_equal(shard_swap(&shard, &turn, &key, &text, NULL), 0);
    (void)put_text(&shard, "n", "3", 0);
    const struct shard_value whole = integer_of(&rows[0].integer);
    assert_int_equal(shard_swap(&shard, &turn, &key, &whole, NULL), 0);
    const struct shard_value number = float_of(&rows[0].number);
    assert_int_equal(shard_swap(&shard, &turn, &key, &number, NULL), 0);
}

static int64_t read_integer(const struct shard_value *value)
{
    int64_t integer;
    assert_int_equal(value->kind, SHARD_INTEGER);
    memcpy(&integer, value->bytes, sizeof(integer));
    return integer;
}

static void assert_float(const struct shard_value *value, double wanted)
{
    double number;
    assert_int_equal(value->kind, SHARD_FLOAT);
    memcpy(&number, value->bytes, sizeof(number));
    assert_true(number >= wanted && number <= wanted);
}

static void sums_of_integers_are_exact_and_keep_the_time_to_live(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of("n");
    const int64_t zero = 0;
    const int64_t most = INT64_MAX;
    const int64_t one = 1;
    const struct shard_record initial = {integer_of(&zero), 50};
    const struct shard_value by = integer_of(&one);
    const struct shard_value much = integer_of(&most);
    struct shard_value sum;
    uint64_t expires_ms = 0;
    assert_int_equal(shard_sum(&shard, &turn, &key, &by, NULL, &sum), 0);
    assert_int_equal(shard_sum(&shard, &turn, &key, &by, &initial, &sum), 1);
    assert_int_equal(read_integer(&sum), 1);
    assert_int_equal(shard_sum(&shard, &turn, &key, &by, &initial, &sum), 1);
    assert_int_equal(read_integer(&sum), 2);
    assert_int_equal(shard_get_expiry(&shard, &turn, &key, &expires_ms), 1);
    assert_int_equal(expires_ms, 50);
    assert_int_equal(shard_sum(&shard, &turn, &key, &much, NULL, &sum), 1);
    assert_true(read_integer(&sum) == INT64_MIN + 1); /* as in Lua */
    struct shard_turn later = turn_at(50);
    assert_int_equal(shard_sum(&shard, &later, &key, &by, NULL, &sum), 0);
}

static void a_float_makes_the_sum_one(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(1);
    const struct shard_key key = key_of("n");
    const int64_t two = 2;
    const double half = 0.5;
    const struct shard_record initial = {integer_of(&two), 0};
    const struct shard_value by = float_of(&half);
    const struct shard_value whole = integer_of(&two);
    struct shard_value sum;
    assert_int_equal(shard_sum(&shard, &turn, &key, &by, &initial, &sum), 1);
    assert_float(&sum, 2.5);
    assert_int_equal(shard_sum(&shard, &turn, &key, &whole, NULL, &sum), 1);
    assert_float(&sum, 4.5);
    (void)put_text(&shard, "n", "4.5", 0);
    assert_int_equal(shard_sum(&shard, &turn, &key, &whole, NULL, &sum), -EINVAL);
    assert_string_equal(get_text(&shard, "n", 1), "4.5");
}

static void each_key_is_listed_once_in_pieces(void **state)
{
    (void)state;
    struct shard_turn turn = turn_at(100);
    const struct shard_key lease = lease_of("lease");
    const struct shard_record record = {text_of("x"), 0};
    bool seen[300] = {false};
    unsigned found = 0;
    unsigned pieces = 0;
    (void)put_text(&shard, "expired", "x", 100);
    (void)shard_put(&shard, &turn, &lease, &record, SHARD_ALWAYS);
    for (int i = 0; i < 300; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "%03d", i);
        (void)put_text(&shard, key, "x", 0);
    }
    turn.size = 200;
    for (uint32_t cursor = 0; cursor < shard.bucket_count; pieces++) {
        int len = shard_list(&shard, &turn, &cursor);
        assert_true(len >= 0 && len <= 200 && len % 5 == 0);
        for (int at = 0; at < len; at += 5) {
            char key[4] = "";
            memcpy(key, turn.buf + at + 2, 3);
            assert_int_equal(turn.buf[at], 3);
            assert_false(seen[atoi(key)]);
            seen[atoi(key)] = true;
            found++;
        }
    }
    assert_int_equal(found, 300);
    assert_true(pieces > 7);
}

/* Every operation against a model: a flat list of what must be there. */
static void random_operations_keep_what_a_plain_list_keeps(void **state)
{
    (void)state;
    enum { KEYS = 40, STEPS = 200000 };
    static char model[KEYS][3000];
    static char text[3000];
    uint64_t random = 88172645463325252U;
    memset(model, 0, sizeof(model));
    for (int i = 0; i < STEPS; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        unsigned which = (unsigned)(random % KEYS);
        char name[8];
        (void)snprintf(name, sizeof(name), "k%u", which);
        struct shard_turn turn = turn_at(1);
        const struct shard_key key = key_of(name);
        size_t len = (random >> 20) % 1000 + 1;
        switch ((random >> 40) % 4) {
        case 0:
            memset(text, 'a' + (int)(random >> 50) % 26, len);
            text[len] = '\0';
            assert_int_equal(put_text(&shard, name, text, 0), 1);
            (void)snprintf(model[which], sizeof(model[which]), "%s", text);
            break;
        case 1:
            assert_int_equal(shard_remove(&shard, &turn, &key), model[which][0] != '\0');
            model[which][0] = '\0';
            break;
        default: {
            const char *there = get_text(&shard, name, 1);
            assert_string_equal(there == NULL ? "" : there, model[which]);
            break;
        }
        }
    }
    assert_int_equal(count().evicted, 0);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(zeroed_memory_is_an_empty_shard),
        ROW(what_is_put_is_there_until_it_is_removed),
        ROW(values_of_every_length_around_a_chunk_come_back),
        ROW(keys_of_every_length_are_told_apart),
        ROW(add_needs_an_absent_key_and_replace_a_present_one),
        ROW(a_value_ends_with_its_time),
        ROW(the_entry_that_was_not_used_for_the_longest_time_goes_first),
        ROW(what_has_expired_goes_before_what_has_not),
        ROW(eviction_of_many_small_ones_makes_room_for_a_large_one),
        ROW(what_would_take_more_than_half_of_the_shard_is_refused),
        ROW(leases_are_apart_from_values_and_are_not_evicted),
        ROW(a_shard_full_of_leases_takes_nothing_more),
        ROW(a_swap_needs_the_value_that_is_there),
        ROW(a_swap_compares_numbers_as_lua_does),
        ROW(sums_of_integers_are_exact_and_keep_the_time_to_live),
        ROW(a_float_makes_the_sum_one),
        ROW(each_key_is_listed_once_in_pieces),
        ROW(random_operations_keep_what_a_plain_list_keeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
