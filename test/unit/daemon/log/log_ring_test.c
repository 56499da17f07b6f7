/* The ring of texts, against a plain model of it. */
#include "daemon/log/log_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CAPACITY = 8, SIZE = 100, TEXTS = 20000 };

static void add(struct log_ring *ring, const char *pool, const char *text)
{
    struct log_ring_entry entry = {.id = ring->next, .pool_len = strlen(pool)};
    entry.text_len = strlen(text);
    while (!log_ring_has_room(ring, entry.pool_len + entry.text_len)) {
        assert_false(log_ring_is_empty(ring));
        log_ring_drop(ring);
    }
    log_ring_add(ring, &entry, pool, text);
}

static void expect(const struct log_ring *ring, uint64_t number, const char *pool, const char *text)
{
    const struct log_ring_entry *entry = log_ring_get(ring, number);
    assert_int_equal(entry->id, number);
    assert_int_equal(entry->pool_len, strlen(pool));
    assert_memory_equal(log_ring_get_pool(ring, entry), pool, entry->pool_len);
    assert_int_equal(entry->text_len, strlen(text));
    assert_memory_equal(log_ring_get_text(ring, entry), text, entry->text_len);
}

static void texts_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct log_ring ring;
    assert_int_equal(log_ring_init(&ring, CAPACITY, SIZE), 0);
    assert_true(log_ring_is_empty(&ring));
    add(&ring, "web", "hello");
    add(&ring, "", "world");
    expect(&ring, 0, "web", "hello");
    expect(&ring, 1, "", "world");
    log_ring_fini(&ring);
}

static void a_text_longer_than_the_ring_has_no_room_even_when_it_is_empty(void **state)
{
    (void)state;
    struct log_ring ring;
    assert_int_equal(log_ring_init(&ring, CAPACITY, SIZE), 0);
    assert_false(log_ring_has_room(&ring, SIZE + 1));
    assert_true(log_ring_has_room(&ring, SIZE));
    log_ring_fini(&ring);
}

static void the_number_of_texts_is_bounded(void **state)
{
    (void)state;
    struct log_ring ring;
    assert_int_equal(log_ring_init(&ring, CAPACITY, SIZE), 0);
    for (int i = 0; i < 3 * CAPACITY; i++) {
        add(&ring, "", "x");
    }
    assert_int_equal(ring.next - ring.first, CAPACITY);
    assert_int_equal(ring.next, 3 * CAPACITY);
    log_ring_fini(&ring);
}

/* What text number n is; about as long as a fifth of the ring at most. */
static void make_text(uint64_t number, char text[64])
{
    unsigned seed = (unsigned)number * 2654435761U;
    int len = 1 + (int)(seed >> 16) % 20;
    (void)snprintf(text, 64, "%0*llu", len, (unsigned long long)number);
}

static void whatever_is_kept_is_whole_however_long_it_runs(void **state)
{
    (void)state;
    struct log_ring ring;
    assert_int_equal(log_ring_init(&ring, CAPACITY, SIZE), 0);
    size_t least = CAPACITY;
    for (uint64_t i = 0; i < TEXTS; i++) {
        char text[64];
        make_text(i, text);
        add(&ring, i % 3 == 0 ? "web" : "", text);
        for (uint64_t n = ring.first; n < ring.next; n++) {
            make_text(n, text);
            expect(&ring, n, n % 3 == 0 ? "web" : "", text);
        }
        size_t kept = (size_t)(ring.next - ring.first);
        least = i > CAPACITY && kept < least ? kept : least;
    }
    assert_in_range(least, 2, CAPACITY); /* of 20 bytes each at most, in 100 */
    log_ring_fini(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_out_as_they_went_in),
        cmocka_unit_test(a_text_longer_than_the_ring_has_no_room_even_when_it_is_empty),
        cmocka_unit_test(the_number_of_texts_is_bounded),
        cmocka_unit_test(whatever_is_kept_is_whole_however_long_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
