/* The memory of the Lua state: whose it is, how much there may be of it, and that blocks keep what is in them. */
#include "worker/core/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static const size_t stamp = 8;
static const size_t kib = 1 << 10;
static const size_t mib = 1 << 20;
static const size_t limit = 8 << 20;

static struct heap heap;
static unsigned alarms;

static void on_tight(struct heap *tight)
{
    assert_ptr_equal(tight, &heap);
    alarms++;
}

static int set_up(void **state)
{
    (void)state;
    alarms = 0;
    heap_init(&heap, on_tight);
    return 0;
}

/* It asserts that nothing is left. */
static int tear_down(void **state)
{
    (void)state;
    heap_fini(&heap);
    return 0;
}

static void *take(size_t bytes)
{
    return heap_allocate(&heap, NULL, 0, bytes);
}

static void give(void *block, size_t bytes)
{
    assert_null(heap_allocate(&heap, block, bytes, 0));
}

static void *must_take(size_t bytes)
{
    void *block = take(bytes);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 8, 0);
    memset(block, 0x5a, bytes);
    return block;
}

static void what_is_taken_is_charged_to_whom_it_is_for_and_given_back_by_anybody(void **state)
{
    (void)state;
    uint32_t one = heap_open_account(&heap, &alarms);
    uint32_t other = heap_open_account(&heap, &alarms);
    assert_int_equal(heap_charge(&heap, one), 0);
    void *small = must_take(100);
    void *large = must_take(100000);
    assert_int_equal(heap_charge(&heap, other), one);
    void *others = must_take(1);
    assert_int_equal(heap_account_bytes(&heap, one), 100100 + 2 * stamp);
    assert_int_equal(heap_account_bytes(&heap, other), 1 + stamp);
    assert_int_equal(heap.used_bytes, 100101 + 3 * stamp);
    give(small, 100);
    (void)heap_charge(&heap, 0);
    give(large, 100000);
    give(others, 1);
    assert_int_equal(heap_account_bytes(&heap, one), 0);
    assert_int_equal(heap_account_bytes(&heap, other), 0);
}

static void what_a_former_holder_has_left_is_not_charged_to_the_next(void **state)
{
    (void)state;
    uint32_t account = heap_open_account(&heap, &alarms);
    (void)heap_charge(&heap, account);
    void *old = must_take(500);
    heap_clear_account(&heap, account);
    heap_renew_account(&heap, account, &heap);
    assert_int_equal(heap_account_bytes(&heap, account), 0);
    void *new = must_take(20);
    give(old, 500);
    assert_int_equal(heap_account_bytes(&heap, account), 20 + stamp);
    give(new, 20);
    heap_clear_account(&heap, account);
    heap_close_account(&heap, account);
    assert_int_equal(heap_open_account(&heap, &heap), account);
}

static void
one_that_grows_is_charged_to_whoever_lets_it_and_one_that_shrinks_stays_where_it_was(void **state)
{
    (void)state;
    uint32_t one = heap_open_account(&heap, &alarms);
    uint32_t other = heap_open_account(&heap, &alarms);
    (void)heap_charge(&heap, one);
    void *block = must_take(2000);
    (void)heap_charge(&heap, other);
    block = heap_allocate(&heap, block, 2000, 200);
    assert_int_equal(heap_account_bytes(&heap, one), 200 + stamp);
    block = heap_allocate(&heap, block, 200, 3000);
    assert_int_equal(heap_account_bytes(&heap, one), 0);
    assert_int_equal(heap_account_bytes(&heap, other), 3000 + stamp);
    heap_clear_account(&heap, other);
    block = heap_allocate(&heap, block, 3000, 30);
    assert_int_equal(heap_account_bytes(&heap, other), 0);
    assert_int_equal(heap.used_bytes, 30 + stamp);
    give(block, 30);
}

static void an_account_that_reaches_its_limit_is_told_of_once(void **state)
{
    (void)state;
    uint32_t one = heap_open_account(&heap, &alarms);
    uint32_t other = heap_open_account(&heap, &heap);
    heap_limit_account(&heap, one, 4096 + 1);
    assert_int_equal(heap_account_limit(&heap, one), 5 * kib); /* whole KiB */
    assert_int_equal(heap_account_limit(&heap, other), 0);
    (void)heap_charge(&heap, other);
    void *others = must_take(100000);
    assert_int_equal(heap_find_overdrawn(&heap, 0), 0);
    (void)heap_charge(&heap, one);
    void *fits = must_take(4 * kib);
    assert_int_equal(alarms, 0);
    void *passes = must_take(1 * kib);
    void *more = must_take(1 * kib);
    assert_int_equal(alarms, 1);
    assert_true(heap.is_overdrawn);
    assert_int_equal(heap_find_overdrawn(&heap, 0), one);
    assert_int_equal(heap_find_overdrawn(&heap, one), 0);
    give(more, 1 * kib);
    give(passes, 1 * kib);
    assert_int_equal(heap_find_overdrawn(&heap, 0), 0);
    heap_forget_overdrawn(&heap);
    passes = heap_allocate(&heap, must_take(1), 1, 1 * kib);
    assert_int_equal(alarms, 2);
    heap_clear_account(&heap, one);
    assert_int_equal(heap_account_limit(&heap, one), 0); /* not the next holder's */
    give(passes, 1 * kib);
    give(fits, 4 * kib);
    give(others, 100000);
}

static void what_is_made_for_another_is_charged_to_that_one_until_something_is_refused(void **state)
{
    (void)state;
    uint32_t one = heap_open_account(&heap, &alarms);
    uint32_t other = heap_open_account(&heap, &heap);
    heap_set_limit(&heap, limit);
    assert_int_equal(heap_charge_for(&heap, other), 0);
    give(must_take(100), 100);
    assert_int_equal(heap.account, 0); /* the worker's own can't be refused, others' can */
    (void)heap_charge(&heap, one);
    assert_int_equal(heap_charge_for(&heap, other), one);
    void *others = must_take(100);
    assert_int_equal(heap_account_bytes(&heap, other), 100 + stamp);
    assert_null(take(limit)); /* which raises, past whatever would have ended it */
    assert_int_equal(heap.account, one);
    assert_int_equal(heap_charge_for(&heap, other), one);
    assert_null(heap_allocate(&heap, others, 100, limit));
    assert_int_equal(heap.account, one);
    give(others, 100);
}

static void the_largest_holder_is_found_unless_all_have_little(void **state)
{
    (void)state;
    char holders[200];
    void *blocks[200];
    for (size_t i = 0; i < 200; i++) { /* more than there are accounts at first */
        (void)heap_charge(&heap, heap_open_account(&heap, &holders[i]));
        blocks[i] = must_take(i == 77 ? 5000 : i + 1);
    }
    assert_ptr_equal(heap_find_largest(&heap, 5000), &holders[77]);
    assert_null(heap_find_largest(&heap, 5009));
    heap_clear_account(&heap, 78); /* the first one has number 1 */
    assert_ptr_equal(heap_find_largest(&heap, 0), &holders[199]);
    for (size_t i = 0; i < 200; i++) {
        give(blocks[i], i == 77 ? 5000 : i + 1);
    }
}

/* Takes blocks of a size until one is refused or so many are there; returns how many there are. */
static size_t fill(void **blocks, size_t most, size_t bytes)
{
    size_t count = 0;
    while (count < most && (blocks[count] = take(bytes)) != NULL) {
        count++;
    }
    return count;
}

static void empty(void **blocks, size_t count, size_t bytes)
{
    while (count > 0) {
        give(blocks[--count], bytes);
    }
}

static void what_is_large_is_refused_at_the_limit_and_what_is_small_an_eighth_later(void **state)
{
    (void)state;
    static void *large[1000];
    static void *small[20000];
    heap_set_limit(&heap, limit);
    (void)heap_charge(&heap, heap_open_account(&heap, &heap));
    size_t many = fill(large, 1000, 64 * kib);
    assert_int_equal(many, limit / (64 * kib + stamp));
    size_t few = fill(small, 20000, 120);
    assert_true(few < 20000);
    assert_in_range(heap.used_bytes, limit + limit / 8 - 128, limit + limit / 8);
    assert_null(heap_allocate(&heap, small[0], 120, 1000));
    assert_true(heap.was_refused);
    empty(small, few, 120);
    empty(large, many, 64 * kib);
}

static void one_block_may_have_a_quarter_of_it(void **state)
{
    (void)state;
    heap_set_limit(&heap, limit);
    (void)heap_charge(&heap, heap_open_account(&heap, &heap));
    assert_null(take(limit / 4));
    assert_false(heap.was_refused); /* nobody has to end for that */
    assert_int_equal(alarms, 0);
    give(must_take(limit / 4 - stamp), limit / 4 - stamp);
}

static void the_worker_itself_is_never_refused(void **state)
{
    (void)state;
    heap_set_limit(&heap, limit);
    void *block = must_take(2 * limit);
    (void)heap_charge(&heap, heap_open_account(&heap, &heap));
    assert_null(take(1 * mib));
    heap.pins++;
    void *pinned = must_take(1 * mib);
    heap.pins--;
    give(pinned, 1 * mib);
    block = heap_allocate(&heap, block, 2 * limit, limit + limit / 2); /* smaller: always */
    assert_non_null(block);
    give(block, limit + limit / 2);
}

static void the_alarm_comes_once_at_four_fifths_and_again_an_eighth_later(void **state)
{
    (void)state;
    static void *blocks[1200];
    heap_set_limit(&heap, limit);
    size_t size = 8 * kib - stamp;
    size_t most = limit / (8 * kib) * 4 / 5;
    size_t count = fill(blocks, most, size);
    assert_int_equal(alarms, 0);
    count += fill(blocks + count, 2, size);
    assert_int_equal(alarms, 1);
    count += fill(blocks + count, 100, size); /* nobody has dealt with it */
    assert_int_equal(alarms, 1);
    heap_settle(&heap);
    count += fill(blocks + count, limit / 8 / (8 * kib), size);
    assert_int_equal(alarms, 1);
    count += fill(blocks + count, 1, size);
    assert_int_equal(alarms, 2);
    empty(blocks, count, size);
    heap_settle(&heap);
    assert_int_equal(heap.alarm_bytes, heap.soft_bytes);
}

static void memory_of_one_size_serves_another_size_later(void **state)
{
    (void)state;
    static void *blocks[40000];
    for (size_t size = 40; size <= 1000; size += 96) {
        size_t count = fill(blocks, 40000, size);
        assert_int_equal(count, 40000);
        empty(blocks, count, size);
    }
    size_t slabs = 0;
    for (const struct heap_slab *slab = heap.pool.cold; slab != NULL; slab = slab->next) {
        slabs++;
    }
    assert_true(slabs <= 40000 / 63); /* what the largest size took, not the sum */
}

struct model_block {
    unsigned char *bytes;
    size_t size;
    unsigned char fill;
};

static void check_content(const struct model_block *block, size_t size)
{
    for (size_t i = 0; block->bytes != NULL && i < size; i++) {
        assert_int_equal(block->bytes[i], block->fill);
    }
}

static size_t random_size(void)
{
    size_t most = (size_t[]){64, 300, 1100, 5000}[rand() % 4];
    return 1 + (size_t)rand() % most;
}

static void step(struct model_block *block)
{
    size_t old = block->size;
    size_t size = block->bytes != NULL && rand() % 3 == 0 ? 0 : random_size();
    check_content(block, old);
    block->bytes = heap_allocate(&heap, block->bytes, block->bytes == NULL ? 5 : old, size);
    block->size = size;
    if (size == 0) {
        assert_null(block->bytes);
        return;
    }
    check_content(block, size < old ? size : old);
    block->fill = (unsigned char)rand();
    memset(block->bytes, block->fill, size);
}

/* How many of the whole pages within the block have memory. */
static size_t count_resident(const char *block, size_t bytes)
{
    unsigned char resident[8192];
    uintptr_t first = ((uintptr_t)block + 4095) & ~(uintptr_t)4095;
    size_t pages = ((uintptr_t)block + bytes - first) / 4096;
    size_t count = 0;
    assert_true(pages <= sizeof(resident));
    assert_int_equal(mincore((void *)first, pages * 4096, resident), 0);
    for (size_t i = 0; i < pages; i++) {
        count += resident[i] & 1;
    }
    return count;
}

static void a_block_that_was_lent_is_what_fits_it(void **state)
{
    (void)state;
    char *lent = take(mib);
    char *block = lent;
    heap_lend(&heap, &lent, mib);
    void *smaller = take(mib - HEAP_LENT_SPARE - 1);
    void *larger = take(mib + 1);
    assert_ptr_equal(lent, block);
    char *fitting = take(mib - HEAP_LENT_SPARE);
    assert_ptr_equal(fitting, block);
    assert_null(lent);
    char *next = take(mib - HEAP_LENT_SPARE);
    assert_non_null(next);
    give(smaller, mib - HEAP_LENT_SPARE - 1);
    give(larger, mib + 1);
    give(fitting, mib - HEAP_LENT_SPARE);
    give(next, mib - HEAP_LENT_SPARE);
    assert_int_equal(heap.used_bytes, 0);
}

static void a_block_that_was_lent_is_charged_once_and_to_who_takes_it(void **state)
{
    (void)state;
    heap_set_limit(&heap, 5 * mib);
    uint32_t one = heap_open_account(&heap, &alarms);
    uint32_t other = heap_open_account(&heap, &alarms);
    char *rest = take(4 * mib - 2 * stamp);
    (void)heap_charge(&heap, one);
    char *lent = take(mib);
    assert_int_equal(heap_account_bytes(&heap, one), mib + stamp);
    heap_lend(&heap, &lent, mib);
    (void)heap_charge(&heap, other);
    assert_null(take(mib / 2)); /* does not fit, neither there nor below the limit */
    char *taken = take(mib - 8);
    assert_non_null(taken);
    assert_null(lent);
    assert_int_equal(heap_account_bytes(&heap, one), 0);
    assert_int_equal(heap_account_bytes(&heap, other), mib - 8 + stamp);
    give(taken, mib - 8);
    give(rest, 4 * mib - 2 * stamp);
    assert_int_equal(heap.used_bytes, 0);
    (void)heap_charge(&heap, 0);
}

static void a_block_that_is_forgotten_stays_with_who_lent_it(void **state)
{
    (void)state;
    char *lent = take(mib);
    char *other = NULL;
    heap_lend(&heap, &lent, mib);
    heap_forget_lent(&heap, &other);
    assert_non_null(heap.lent);
    heap_forget_lent(&heap, &lent);
    assert_null(heap.lent);
    void *block = take(mib);
    assert_non_null(lent);
    give(block, mib);
    give(lent, mib);
}

static void the_next_large_block_gets_its_memory_at_once_when_it_will_be_filled(void **state)
{
    (void)state;
    heap_expect_filled(&heap, true);
    const size_t large = 24 * mib; /* which no test has had before */
    void *small = must_take(kib);
    char *filled = take(large);
    char *other = take(large);
    assert_true(count_resident(filled, large) >= large / 4096 - 1);
    assert_true(count_resident(other, large) < 16);
    heap_expect_filled(&heap, true);
    heap_expect_filled(&heap, false);
    char *last = take(large);
    assert_true(count_resident(last, large) < 16);
    give(small, kib);
    give(filled, large);
    give(other, large);
    give(last, large);
}

static void blocks_keep_what_is_in_them_whatever_happens_to_others(void **state)
{
    (void)state;
    static struct model_block blocks[3000];
    srand(7);
    for (int i = 0; i < 200000; i++) {
        step(&blocks[rand() % 3000]);
    }
    size_t expected = 0;
    for (size_t i = 0; i < 3000; i++) {
        check_content(&blocks[i], blocks[i].size);
        expected += blocks[i].bytes == NULL ? 0 : blocks[i].size + stamp;
    }
    assert_int_equal(heap.used_bytes, expected);
    assert_int_equal(heap_account_bytes(&heap, 0), expected);
    for (size_t i = 0; i < 3000; i++) {
        if (blocks[i].bytes != NULL) {
            give(blocks[i].bytes, blocks[i].size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_taken_is_charged_to_whom_it_is_for_and_given_back_by_anybody, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(what_a_former_holder_has_left_is_not_charged_to_the_next,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            one_that_grows_is_charged_to_whoever_lets_it_and_one_that_shrinks_stays_where_it_was,
            set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_account_that_reaches_its_limit_is_told_of_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_made_for_another_is_charged_to_that_one_until_something_is_refused, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(the_largest_holder_is_found_unless_all_have_little, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_large_is_refused_at_the_limit_and_what_is_small_an_eighth_later, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(one_block_may_have_a_quarter_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_worker_itself_is_never_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_alarm_comes_once_at_four_fifths_and_again_an_eighth_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_block_that_was_lent_is_what_fits_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_block_that_was_lent_is_charged_once_and_to_who_takes_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_block_that_is_forgotten_stays_with_who_lent_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(memory_of_one_size_serves_another_size_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            the_next_large_block_gets_its_memory_at_once_when_it_will_be_filled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blocks_keep_what_is_in_them_whatever_happens_to_others,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
