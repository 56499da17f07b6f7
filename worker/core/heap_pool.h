#ifndef FSD_WORKER_CORE_HEAP_POOL_H
#define FSD_WORKER_CORE_HEAP_POOL_H

#include <stddef.h>
#include <stdint.h>

enum {
    HEAP_POOL_STEP = 8,
    HEAP_POOL_MAX = 1032, /* the largest block */
    HEAP_POOL_CLASSES = HEAP_POOL_MAX / HEAP_POOL_STEP,
    HEAP_POOL_SLAB = 64 << 10,
};

struct heap_region;

struct heap_free_block {
    struct heap_free_block *next; /* borrowed */
};

/* The head of a slab: 64 KiB at an address that is a multiple of that, cut into blocks of one size. */
struct heap_slab {
    struct heap_free_block *free; /* those that were given back */
    uint32_t fresh;               /* offset of the first block that never was taken */
    uint32_t used;                /* blocks taken now */
    uint32_t capacity;            /* blocks in all */
    uint32_t class_index;
    struct heap_slab *next;      /* borrowed: in the list of its class, or of the empty ones */
    struct heap_slab **previous; /* borrowed: what points to this one, in the list of its class */
};

/* Small blocks by size.  A slab whose blocks have all come back serves any size again; a few such are kept, the
 * memory of others goes back to the system. */
struct heap_pool {
    struct heap_slab *open[HEAP_POOL_CLASSES]; /* owned by regions; those with room, by size */
    struct heap_slab *warm;                    /* owned by regions; empty, they keep their memory */
    uint32_t warm_count;
    struct heap_slab *cold;      /* owned by regions; empty, the system has their memory */
    struct heap_region *regions; /* owned list */
    uint32_t cut;                /* slabs of the first region that are in use or were */
};

void heap_pool_init(struct heap_pool *pool);
/* Gives everything back to the system, taken blocks included. */
void heap_pool_fini(struct heap_pool *pool);
/* Makes a slab of blocks of a class, with room, the first of its list.  NULL: the system has no memory. */
struct heap_slab *heap_pool_open(struct heap_pool *pool, uint32_t class_index);
/* The last block of a slab came back, or the first one of a full slab. */
void heap_pool_note_given(struct heap_pool *pool, struct heap_slab *slab);
/* The slab has no room left. */
void heap_pool_note_full(struct heap_slab *slab);
/* Nobody needs much soon: no more than 512 KiB of what is empty keep their memory. */
void heap_pool_cool(struct heap_pool *pool);

static inline uint32_t heap_pool_class(size_t bytes)
{
    return (uint32_t)((bytes - 1) / HEAP_POOL_STEP);
}

/* A block of at least so many bytes, from 1 to HEAP_POOL_MAX, aligned to 8.  NULL: no memory. */
static inline void *heap_pool_take(struct heap_pool *pool, size_t bytes)
{
    uint32_t class_index = heap_pool_class(bytes);
    struct heap_slab *slab = pool->open[class_index];
    if (slab == NULL && (slab = heap_pool_open(pool, class_index)) == NULL) {
        return NULL;
    }
    void *block = slab->free;
    if (block != NULL) {
        slab->free = slab->free->next;
    } else {
        block = (char *)slab + slab->fresh;
        slab->fresh += (class_index + 1) * HEAP_POOL_STEP;
    }
    slab->used++;
    if (slab->used == slab->capacity) {
        heap_pool_note_full(slab);
    }
    return block;
}

/* Gives a block back that heap_pool_take has returned. */
static inline void heap_pool_give(struct heap_pool *pool, void *block)
{
    uintptr_t address = (uintptr_t)block & ~(uintptr_t)(HEAP_POOL_SLAB - 1);
    struct heap_slab *slab = (struct heap_slab *)address; /* NOLINT(performance-no-int-to-ptr) */
    struct heap_free_block *free_block = block;
    free_block->next = slab->free;
    slab->free = free_block;
    slab->used--;
    if (slab->used == 0 || slab->used + 1 == slab->capacity) {
        heap_pool_note_given(pool, slab);
    }
}

#endif
