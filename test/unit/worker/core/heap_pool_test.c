#include "worker/core/heap_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>

enum {
    PAGE_BYTES = 4096,
    SLAB_PAGES = HEAP_POOL_SLAB / PAGE_BYTES,
    BLOCK_BYTES = 1024,
    BLOCKS = 1200, /* about twenty slabs */
    KEPT_SLABS = 8,
};

static struct heap_pool pool;
static void *blocks[BLOCKS];

static int set_up(void **state)
{
    (void)state;
    heap_pool_init(&pool);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    heap_pool_fini(&pool);
    return 0;
}

static void take_all(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = heap_pool_take(&pool, BLOCK_BYTES);
        assert_non_null(blocks[i]);
        memset(blocks[i], 'x', BLOCK_BYTES);
    }
}

static void give_all(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        heap_pool_give(&pool, blocks[i]);
    }
}

static size_t count(const struct heap_slab *slab)
{
    size_t n = 0;
    for (; slab != NULL; slab = slab->next) {
        n++;
    }
    return n;
}

static size_t resident_pages(struct heap_slab *slab)
{
    unsigned char pages[SLAB_PAGES];
    assert_int_equal(mincore(slab, HEAP_POOL_SLAB, pages), 0);
    size_t n = 0;
    for (int i = 0; i < SLAB_PAGES; i++) {
        n += pages[i] & 1;
    }
    return n;
}

static void a_pool_that_cools_gives_most_of_its_empty_slabs_back(void **state)
{
    (void)state;
    take_all();
    give_all();
    size_t empty = count(pool.warm);
    assert_true(empty > KEPT_SLABS);
    assert_null(pool.cold);
    heap_pool_cool(&pool);
    assert_int_equal(count(pool.warm), KEPT_SLABS);
    assert_int_equal(pool.warm_count, KEPT_SLABS);
    assert_int_equal(count(pool.cold), empty - KEPT_SLABS);
    for (struct heap_slab *slab = pool.cold; slab != NULL; slab = slab->next) {
        assert_int_equal(resident_pages(slab), 1);
    }
}

static void the_last_slab_of_a_size_gives_its_memory_back_too(void **state)
{
    (void)state;
    void *few[40];
    for (int i = 0; i < 40; i++) {
        few[i] = heap_pool_take(&pool, BLOCK_BYTES);
        memset(few[i], 'x', BLOCK_BYTES);
    }
    for (int i = 0; i < 40; i++) {
        heap_pool_give(&pool, few[i]);
    }
    struct heap_slab *slab = pool.open[heap_pool_class(BLOCK_BYTES)];
    assert_non_null(slab);
    assert_true(resident_pages(slab) > 8);
    heap_pool_cool(&pool);
    assert_ptr_equal(pool.open[heap_pool_class(BLOCK_BYTES)], slab);
    assert_int_equal(resident_pages(slab), 1);
    take_all();
    give_all();
}

static void a_pool_that_has_cooled_serves_as_before(void **state)
{
    (void)state;
    take_all();
    give_all();
    heap_pool_cool(&pool);
    struct heap_region *regions = pool.regions;
    take_all();
    assert_ptr_equal(pool.regions, regions);
    assert_null(pool.warm);
    give_all();
}

static void cooling_leaves_alone_what_is_in_use(void **state)
{
    (void)state;
    take_all();
    heap_pool_cool(&pool);
    assert_null(pool.cold);
    for (int i = 0; i < BLOCKS; i++) {
        assert_int_equal(((char *)blocks[i])[BLOCK_BYTES - 1], 'x');
    }
    give_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pool_that_cools_gives_most_of_its_empty_slabs_back,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_slab_of_a_size_gives_its_memory_back_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_pool_that_has_cooled_serves_as_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cooling_leaves_alone_what_is_in_use, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
