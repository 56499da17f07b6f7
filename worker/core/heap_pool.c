/* heap_pool.c - small blocks of memory, sorted by size, for the Lua state of a worker.
 * Owns the memory: regions from the system, cut into slabs of 64 KiB that each hold blocks of one size.  A block's slab is
 * found by its address, so that a block needs no size of its own; blocks are cut off a slab one by one, so that what is
 * not used yet takes no memory.  A slab that has become empty serves any other size: what one kind of objects has
 * left behind does not stay theirs.  Called by heap.c, and by leisure.c when nobody needs memory soon.  Must not know whose a block is, nor any limit. */
#include "worker/core/heap_pool.h"

#include <stdlib.h>
#include <sys/mman.h>

enum {
    REGION_SLABS = 16,
    WARM_MAX = 64,     /* empty slabs that keep their memory: 4 MiB */
    IDLE_WARM_MAX = 8, /* of a worker that has nothing to do: 512 KiB */
    MEMORY_PAGE = 4096,
};

/* 1 MiB of slabs. */
struct heap_region {
    struct heap_region *next; /* owned */
    char *memory;             /* owned mapping */
    char *slabs;              /* in it, the first one */
};

enum { REGION_BYTES = (REGION_SLABS + 1) * HEAP_POOL_SLAB }; /* one more, to be aligned */

void heap_pool_init(struct heap_pool *pool)
{
    *pool = (struct heap_pool){.cut = REGION_SLABS};
}

void heap_pool_fini(struct heap_pool *pool)
{
    while (pool->regions != NULL) {
        struct heap_region *region = pool->regions;
        pool->regions = region->next;
        (void)munmap(region->memory, REGION_BYTES); /* fails only for what never was mapped */
        free(region);
    }
    heap_pool_init(pool);
}

static int add_region(struct heap_pool *pool)
{
    struct heap_region *region = malloc(sizeof(*region));
    if (region == NULL) {
        return -1;
    }
    region->memory =
        mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region->memory == MAP_FAILED) {
        free(region);
        return -1;
    }
    size_t past = (uintptr_t)region->memory % HEAP_POOL_SLAB;
    region->slabs = region->memory + (past == 0 ? 0 : HEAP_POOL_SLAB - past);
    region->next = pool->regions;
    pool->regions = region;
    pool->cut = 0;
    return 0;
}

static struct heap_slab *take_first(struct heap_slab **list)
{
    struct heap_slab *slab = *list;
    *list = slab->next;
    return slab;
}

static struct heap_slab *find_empty(struct heap_pool *pool)
{
    if (pool->warm != NULL) {
        pool->warm_count--;
        return take_first(&pool->warm);
    }
    if (pool->cold != NULL) {
        return take_first(&pool->cold);
    }
    if (pool->cut == REGION_SLABS && add_region(pool) != 0) {
        return NULL;
    }
    size_t offset = (size_t)pool->cut++ * HEAP_POOL_SLAB;
    return (struct heap_slab *)(void *)(pool->regions->slabs + offset);
}

static void link_slab(struct heap_pool *pool, struct heap_slab *slab)
{
    struct heap_slab **list = &pool->open[slab->class_index];
    slab->next = *list;
    slab->previous = list;
    if (slab->next != NULL) {
        slab->next->previous = &slab->next;
    }
    *list = slab;
}

static void unlink_slab(struct heap_slab *slab)
{
    *slab->previous = slab->next;
    if (slab->next != NULL) {
        slab->next->previous = slab->previous;
    }
}

struct heap_slab *heap_pool_open(struct heap_pool *pool, uint32_t class_index)
{
    struct heap_slab *slab = find_empty(pool);
    if (slab == NULL) {
        return NULL;
    }
    uint32_t block_bytes = (class_index + 1) * HEAP_POOL_STEP;
    *slab = (struct heap_slab){
        .fresh = sizeof(*slab),
        .capacity = (uint32_t)(HEAP_POOL_SLAB - sizeof(*slab)) / block_bytes,
        .class_index = class_index,
    };
    link_slab(pool, slab);
    return slab;
}

static void put_first(struct heap_slab **list, struct heap_slab *slab)
{
    slab->next = *list;
    *list = slab;
}

/* Of an empty one; the page with its head keeps its memory. */
static void give_back_memory(struct heap_slab *slab)
{
    (void)madvise((char *)slab + MEMORY_PAGE, HEAP_POOL_SLAB - MEMORY_PAGE, MADV_DONTNEED);
}

static void cool(struct heap_pool *pool, struct heap_slab *slab)
{
    give_back_memory(slab);
    put_first(&pool->cold, slab);
}

/* It stays its size's. */
static void start_over(struct heap_slab *slab)
{
    slab->free = NULL;
    slab->fresh = sizeof(*slab);
    give_back_memory(slab);
}

static void retire(struct heap_pool *pool, struct heap_slab *slab)
{
    if (pool->warm_count == WARM_MAX) {
        cool(pool, slab);
        return;
    }
    pool->warm_count++;
    put_first(&pool->warm, slab);
}

void heap_pool_cool(struct heap_pool *pool)
{
    while (pool->warm_count > IDLE_WARM_MAX) {
        pool->warm_count--;
        cool(pool, take_first(&pool->warm));
    }
    for (uint32_t i = 0; i < HEAP_POOL_CLASSES; i++) {
        for (struct heap_slab *slab = pool->open[i]; slab != NULL; slab = slab->next) {
            if (slab->used == 0 && slab->fresh > MEMORY_PAGE) {
                start_over(slab);
            }
        }
    }
}

void heap_pool_note_given(struct heap_pool *pool, struct heap_slab *slab)
{
    if (slab->used + 1 == slab->capacity) {
        link_slab(pool, slab);
    }
    if (slab->used > 0 || (pool->open[slab->class_index] == slab && slab->next == NULL)) {
        return; /* the only one with room stays: the next block of this size comes soon */
    }
    unlink_slab(slab);
    retire(pool, slab);
}

void heap_pool_note_full(struct heap_slab *slab)
{
    unlink_slab(slab);
}
