#ifndef FSD_WORKER_CORE_HEAP_H
#define FSD_WORKER_CORE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/heap_pool.h"

struct holding;

enum { HEAP_LENT_SPARE = 64 }; /* more than the header of a string */

/* Who is charged for memory.  Every block says which account it was charged to, and for which of the holders that the
 * account has had; the first account, 0, is the worker's own, and is never closed. */
struct heap_account {
    size_t bytes;    /* of blocks that this holder has taken and that still exist */
    uint32_t serial; /* of the holder: blocks of earlier ones are nobody's */
    union {
        uint32_t limit_kib; /* UINT32_MAX: none */
        uint32_t next_free; /* while the account is closed */
    };
    void *holder; /* borrowed from whoever opened it; NULL: it has none */
};

/* The memory of the Lua state: Lua's allocator, who has how much of it, and what happens when it gets tight.  Embedded in
 * the runtime. */
struct heap {
    size_t used_bytes;
    size_t check_bytes; /* the smaller of limit and alarm */
    size_t limit_bytes; /* SIZE_MAX: none */
    size_t soft_bytes;  /* four fifths of it */
    size_t alarm_bytes; /* what passes it is tight; never below soft */
    uint32_t account;   /* is charged now */
    uint32_t payer;     /* is charged again when something is refused: see heap_charge_for */
    unsigned pins;      /* places on the C stack that can't take a refusal */
    bool is_filled;     /* see heap_expect_filled */
    char **lent;        /* borrowed: see heap_lend; NULL: none */
    size_t lent_bytes;
    bool is_tight;    /* on_tight was called; until heap_settle */
    bool was_refused; /* and something was refused */
    bool
        is_overdrawn; /* an account has passed its limit, on_tight was called; until heap_forget_overdrawn */
    /* The alarm or an account's limit was passed, or something is refused: called in the allocator, it may only take notes. */
    void (*on_tight)(struct heap *heap);
    struct heap_account *accounts; /* owned array */
    uint32_t account_count;
    uint32_t free_account; /* 0: none */
    struct heap_pool pool; /* owned */
};

/* No limit yet.  Dies on no memory, as all of this. */
void heap_init(struct heap *heap, void (*on_tight)(struct heap *heap));
/* After lua_close. */
void heap_fini(struct heap *heap);
/* From the configuration; may fall below what is used already. */
void heap_set_limit(struct heap *heap, size_t limit_bytes);

/* A lua_Alloc, whose data is the heap.  What is taken while an account other than 0 is charged, and nothing is pinned, may
 * be refused: above the limit (a small block only an eighth above it), or when it is a quarter of it alone. */
void *heap_allocate(void *data, void *block, size_t old_bytes, size_t new_bytes);

/* The next large block is written to its end at once, as a string is: it gets its memory in one go.  Until then, or until false. */
void heap_expect_filled(struct heap *heap, bool is_filled);
/* The next block that Lua takes of so many bytes, or up to HEAP_LENT_SPARE less, is *block, which heap_allocate has made, of so many bytes
 * and no small ones: then *block is NULL.  For block as long as heap_forget_lent is not called for it, or another one is lent. */
void heap_lend(struct heap *heap, char **block, size_t bytes);
void heap_forget_lent(struct heap *heap, char **block);
/* Has the kernel give the whole pages in there at once. */
void heap_fill_pages(void *from, size_t bytes);

/* For holding.c: charges for so many bytes instead of those it was charged for; false: refused. */
bool heap_hold(struct heap *heap, struct holding *holding, size_t bytes);

/* An account with a new holder, which has no memory. */
uint32_t heap_open_account(struct heap *heap, void *holder);
/* The same account, and a new holder, which has no memory. */
void heap_renew_account(struct heap *heap, uint32_t account, void *holder);
/* What its holder has taken is nobody's from now on; it may have a holder again (renew). */
void heap_clear_account(struct heap *heap, uint32_t account);
/* It has been cleared, and may be opened by anybody. */
void heap_close_account(struct heap *heap, uint32_t account);
/* Whose account has the most, if that is at least so much; NULL: nobody's. */
void *heap_find_largest(const struct heap *heap, size_t at_least);
/* The next account behind another one that has a holder; 0: none has. */
uint32_t heap_next_holder(const struct heap *heap, uint32_t behind);
/* How much its holder may have, 0: anything.  What passes that is only told of. */
void heap_limit_account(struct heap *heap, uint32_t account, size_t bytes);
/* In bytes; 0: none. */
size_t heap_account_limit(const struct heap *heap, uint32_t account);
/* The next account behind another one that has more than it may; 0: none has. */
uint32_t heap_find_overdrawn(const struct heap *heap, uint32_t behind);
/* They have been dealt with: the next account that passes its limit is told of. */
void heap_forget_overdrawn(struct heap *heap);
/* It has been dealt with: the next alarm is an eighth of the limit above what is used now, but not below soft. */
void heap_settle(struct heap *heap);

/* Charges another account; returns the one that was charged until now. */
static inline uint32_t heap_charge(struct heap *heap, uint32_t account)
{
    uint32_t before = heap->account;
    heap->account = account;
    heap->payer = account;
    return before;
}

/* Charges another account while something is made for its holder; heap_charge with what is returned ends that, and so does a refusal,
 * which may raise.  The worker itself stays charged when it is, since others can be refused. */
static inline uint32_t heap_charge_for(struct heap *heap, uint32_t account)
{
    uint32_t before = heap->account;
    heap->account = before == 0 ? 0 : account;
    return before;
}

static inline size_t heap_account_bytes(const struct heap *heap, uint32_t account)
{
    return heap->accounts[account].bytes;
}

static inline bool heap_is_overdrawn(const struct heap *heap, uint32_t account)
{
    return heap->accounts[account].bytes >> 10 >= heap->accounts[account].limit_kib;
}

#endif
