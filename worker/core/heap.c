/* heap.c - Lua's allocator in a worker: small blocks from a pool, large ones from malloc, each charged to somebody.
 * Owns the memory of the Lua state and the accounts.  In front of each block stands whose it is: account and serial of the
 * holder, so that whatever frees it, the collector above all, gives it back to the right one, and to nobody when the holder has gone.
 * A worker can use so much; when most of it is used the alarm tells the runtime, which collects and ends a task (relief.c), and at
 * the limit itself whoever asks for more while a task runs is refused: Lua collects, tries again and raises "not enough memory".
 * An account may have a limit of its own: passing that is only told of, because some of it may be garbage (overdraft.c).
 * Called by Lua, and by task.c for accounts.  Must not know what a task is. */
#include "worker/core/heap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "worker/core/holding.h"

enum {
    FIRST_ACCOUNTS = 64,
    LARGE_BYTES = 64 << 10, /* what is refused at the limit, and not a little later */
    STEP_PART = 8,          /* of the limit */
    SINGLE_PART = 4,
    KIB = 1 << 10,
    PAGE_BYTES = 4096, /* or a part of a page */
    FILLED_BYTES = 1 << 20,
};

/* In front of each block; what Lua keeps there needs no more than this alignment. */
struct stamp {
    uint32_t account;
    uint32_t serial;
};

_Static_assert(sizeof(struct stamp) == HEAP_POOL_STEP, "blocks stay aligned");

/* Under ASan each block is one of malloc's, which is watched. */
static bool is_pooled(size_t bytes)
{
#ifdef __SANITIZE_ADDRESS__
    (void)bytes;
    return false;
#else
    return bytes <= HEAP_POOL_MAX;
#endif
}

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

static void grow_accounts(struct heap *heap)
{
    uint32_t first = heap->account_count;
    uint32_t count = first == 0 ? FIRST_ACCOUNTS : first * 2;
    struct heap_account *accounts = realloc(heap->accounts, count * sizeof(*accounts));
    if (accounts == NULL) {
        abort();
    }
    for (uint32_t i = first; i < count; i++) {
        accounts[i] = (struct heap_account){.next_free = i + 1 < count ? i + 1 : 0};
    }
    if (first == 0) {
        accounts[0].limit_kib = UINT32_MAX;
    }
    heap->accounts = accounts;
    heap->account_count = count;
    heap->free_account = first == 0 ? 1 : first; /* the first one of all is the worker's own */
}

void heap_init(struct heap *heap, void (*on_tight)(struct heap *heap))
{
    *heap = (struct heap){.on_tight = on_tight};
    heap_pool_init(&heap->pool);
    grow_accounts(heap);
    heap_set_limit(heap, SIZE_MAX);
}

void heap_fini(struct heap *heap)
{
    assert(heap->used_bytes == 0);
    heap_pool_fini(&heap->pool);
    free(heap->accounts);
    heap->accounts = NULL;
}

void heap_set_limit(struct heap *heap, size_t limit_bytes)
{
    heap->limit_bytes = limit_bytes;
    heap->soft_bytes = limit_bytes - limit_bytes / 5;
    heap_settle(heap);
}

void heap_settle(struct heap *heap)
{
    size_t step = heap->limit_bytes / STEP_PART;
    size_t next = heap->used_bytes < SIZE_MAX - step ? heap->used_bytes + step : SIZE_MAX;
    heap->alarm_bytes = next > heap->soft_bytes ? next : heap->soft_bytes;
    heap->check_bytes = least(heap->alarm_bytes, heap->limit_bytes);
    heap->is_tight = false;
    heap->was_refused = false;
}

/* Whether the block that was lent is what is asked for. */
static bool is_lent(const struct heap *heap, size_t bytes)
{
    return heap->lent != NULL && bytes <= heap->lent_bytes &&
           heap->lent_bytes - bytes <= HEAP_LENT_SPARE;
}

/* Whether so much more may be taken; above check_bytes, or when much is asked for at once. */
static bool admit(struct heap *heap, size_t more)
{
    size_t wanted = heap->used_bytes + more - (is_lent(heap, more) ? heap->lent_bytes : 0);
    size_t limit = heap->limit_bytes;
    bool is_own = heap->account == 0 || heap->pins > 0;
    size_t most = more >= LARGE_BYTES ? limit : limit + least(limit / STEP_PART, SIZE_MAX - limit);
    bool is_refused = !is_own && (wanted > most || more > limit / SINGLE_PART);
    if (is_refused && wanted > limit) {
        heap->was_refused = true;
    }
    if ((wanted > heap->alarm_bytes || heap->was_refused) && !heap->is_tight) {
        heap->is_tight = true;
        heap->on_tight(heap);
    }
    return !is_refused;
}

static bool may_grow(struct heap *heap, size_t more)
{
    return (heap->used_bytes + more <= heap->check_bytes && more < LARGE_BYTES) ||
           admit(heap, more);
}

static void charge(struct heap *heap, struct stamp *stamp, size_t bytes)
{
    struct heap_account *account = &heap->accounts[heap->account];
    *stamp = (struct stamp){heap->account, account->serial};
    account->bytes += bytes;
    heap->used_bytes += bytes;
    if (heap_is_overdrawn(heap, heap->account) && !heap->is_overdrawn) {
        heap->is_overdrawn = true;
        heap->on_tight(heap);
    }
}

static void discharge(struct heap *heap, const struct stamp *stamp, size_t bytes)
{
    struct heap_account *account = &heap->accounts[stamp->account];
    if (account->serial == stamp->serial) {
        account->bytes -= bytes;
    }
    heap->used_bytes -= bytes;
}

/* The kernel gives whole pages at once at half of what it takes to be asked for each of them by a write: a millisecond for each two
 * mebibytes.  What it can't give now it gives later. */
void heap_fill_pages(void *from, size_t bytes)
{
    uintptr_t first = ((uintptr_t)from + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);
    uintptr_t end = ((uintptr_t)from + bytes) & ~(uintptr_t)(PAGE_BYTES - 1);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): within the block */
    (void)madvise((void *)first, end - first, MADV_POPULATE_WRITE);
}

/* The block that was lent; what it was charged for is for whoever takes it to be charged for. */
static struct stamp *take_lent(struct heap *heap)
{
    char **lent = heap->lent;
    struct stamp *stamp = (struct stamp *)(void *)*lent - 1;
    *lent = NULL;
    heap->lent = NULL;
    discharge(heap, stamp, heap->lent_bytes);
    return stamp;
}

static __attribute__((noinline)) struct stamp *take_large(struct heap *heap, size_t bytes)
{
    if (is_lent(heap, bytes)) {
        return take_lent(heap);
    }
    struct stamp *stamp = malloc(bytes);
    if (heap->is_filled && bytes >= FILLED_BYTES) {
        heap->is_filled = false;
        if (stamp != NULL) {
            heap_fill_pages(stamp, bytes);
        }
    }
    return stamp;
}

static inline struct stamp *take(struct heap *heap, size_t bytes)
{
    return is_pooled(bytes) ? heap_pool_take(&heap->pool, bytes) : take_large(heap, bytes);
}

static inline void give(struct heap *heap, struct stamp *stamp, size_t bytes)
{
    if (is_pooled(bytes)) {
        heap_pool_give(&heap->pool, stamp);
    } else {
        free(stamp);
    }
}

/* One that gets smaller stays charged to whom it was: most are the collector's.  One that grows is charged to whoever lets it. */
static void charge_again(struct heap *heap, struct stamp *stamp, size_t old_size, size_t new_size)
{
    if (new_size > old_size) {
        discharge(heap, stamp, old_size);
        charge(heap, stamp, new_size);
    } else {
        discharge(heap, stamp, old_size - new_size);
    }
}

static __attribute__((noinline)) struct stamp *resize(struct heap *heap, struct stamp *stamp,
                                                      size_t old_size, size_t new_size)
{
    struct stamp *moved = stamp;
    bool old_pooled = is_pooled(old_size);
    bool new_pooled = is_pooled(new_size);
    if (!old_pooled && !new_pooled) {
        moved = realloc(stamp, new_size);
    } else if (!old_pooled || !new_pooled ||
               heap_pool_class(old_size) != heap_pool_class(new_size)) {
        moved = take(heap, new_size);
        if (moved != NULL) {
            memcpy(moved, stamp, least(old_size, new_size));
            give(heap, stamp, old_size);
        }
    }
    if (moved != NULL) {
        charge_again(heap, moved, old_size, new_size);
    }
    return moved;
}

static void *refuse(struct heap *heap)
{
    heap->account = heap->payer;
    return NULL;
}

void *heap_allocate(void *data, void *block, size_t old_bytes, size_t new_bytes)
{
    struct heap *heap = data;
    size_t new_size = new_bytes + sizeof(struct stamp);
    size_t old_size = old_bytes + sizeof(struct stamp);
    if (block == NULL) {
        if (new_bytes == 0) {
            return NULL;
        }
        struct stamp *stamp = may_grow(heap, new_size) ? take(heap, new_size) : NULL;
        if (stamp == NULL) {
            return refuse(heap);
        }
        charge(heap, stamp, new_size);
        return stamp + 1;
    }
    struct stamp *stamp = (struct stamp *)block - 1;
    if (new_bytes == 0) {
        discharge(heap, stamp, old_size);
        give(heap, stamp, old_size);
        return NULL;
    }
    if (new_bytes > old_bytes && !may_grow(heap, new_bytes - old_bytes)) {
        return refuse(heap);
    }
    stamp = resize(heap, stamp, old_size, new_size);
    return stamp == NULL ? refuse(heap) : stamp + 1;
}

void heap_expect_filled(struct heap *heap, bool is_filled)
{
    heap->is_filled = is_filled;
}

void heap_lend(struct heap *heap, char **block, size_t bytes)
{
    heap->lent = block;
    heap->lent_bytes = bytes + sizeof(struct stamp);
}

void heap_forget_lent(struct heap *heap, char **block)
{
    if (heap->lent == block) {
        heap->lent = NULL;
    }
}

bool heap_hold(struct heap *heap, struct holding *holding, size_t bytes)
{
    if (bytes > holding->bytes && !may_grow(heap, bytes - holding->bytes)) {
        return false;
    }
    struct stamp stamp = {holding->account, holding->serial};
    discharge(heap, &stamp, holding->bytes);
    charge(heap, &stamp, bytes);
    *holding = (struct holding){bytes, stamp.account, stamp.serial};
    return true;
}

uint32_t heap_open_account(struct heap *heap, void *holder)
{
    if (heap->free_account == 0) {
        grow_accounts(heap);
    }
    uint32_t account = heap->free_account;
    heap->free_account = heap->accounts[account].next_free;
    heap->accounts[account].limit_kib = UINT32_MAX;
    heap->accounts[account].holder = holder;
    return account;
}

void heap_renew_account(struct heap *heap, uint32_t account, void *holder)
{
    heap->accounts[account].holder = holder;
}

void heap_clear_account(struct heap *heap, uint32_t account)
{
    struct heap_account *cleared = &heap->accounts[account];
    cleared->serial++;
    cleared->bytes = 0;
    cleared->limit_kib = UINT32_MAX;
    cleared->holder = NULL;
}

void heap_close_account(struct heap *heap, uint32_t account)
{
    heap->accounts[account].next_free = heap->free_account;
    heap->free_account = account;
}

uint32_t heap_next_holder(const struct heap *heap, uint32_t behind)
{
    for (uint32_t account = behind + 1; account < heap->account_count; account++) {
        if (heap->accounts[account].holder != NULL) {
            return account;
        }
    }
    return 0;
}

void heap_limit_account(struct heap *heap, uint32_t account, size_t bytes)
{
    size_t kib = bytes / KIB + (bytes % KIB > 0 ? 1 : 0);
    heap->accounts[account].limit_kib = kib == 0 || kib > UINT32_MAX ? UINT32_MAX : (uint32_t)kib;
}

size_t heap_account_limit(const struct heap *heap, uint32_t account)
{
    uint32_t kib = heap->accounts[account].limit_kib;
    return kib == UINT32_MAX ? 0 : (size_t)kib * KIB;
}

uint32_t heap_find_overdrawn(const struct heap *heap, uint32_t behind)
{
    for (uint32_t i = behind + 1; i < heap->account_count; i++) {
        if (heap->accounts[i].holder != NULL && heap_is_overdrawn(heap, i)) {
            return i;
        }
    }
    return 0;
}

void heap_forget_overdrawn(struct heap *heap)
{
    heap->is_overdrawn = false;
}

void *heap_find_largest(const struct heap *heap, size_t at_least)
{
    const struct heap_account *largest = NULL;
    for (uint32_t i = 1; i < heap->account_count; i++) {
        const struct heap_account *account = &heap->accounts[i];
        size_t most = largest == NULL ? at_least : largest->bytes;
        if (account->holder != NULL && account->bytes >= most) {
            largest = account;
        }
    }
    return largest == NULL ? NULL : largest->holder;
}
