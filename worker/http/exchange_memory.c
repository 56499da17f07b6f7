/* exchange_memory.c - what the chain of a request takes beyond the room that the exchange has for it.
 * Owns the blocks, a list that hangs on the exchange.  Most requests need none.
 * Called by intake.c and resume.c, where the router fills the chain, and by exchange.c at the end.  Must not know what is in it. */
#include "worker/http/exchange_memory.h"

#include <stddef.h>
#include <stdlib.h>

#include "worker/http/exchange.h"

struct exchange_block {
    struct exchange_block *next;
    max_align_t bytes[];
};

static void *alloc_block(void *ctx, size_t size)
{
    struct exchange *exchange = ctx;
    struct exchange_block *block = malloc(sizeof(*block) + size);
    if (block == NULL) {
        abort();
    }
    block->next = exchange->blocks;
    exchange->blocks = block;
    return block->bytes;
}

struct router_memory exchange_memory_get(struct exchange *exchange)
{
    return (struct router_memory){alloc_block, exchange};
}

void exchange_memory_free(struct exchange *exchange)
{
    while (exchange->blocks != NULL) {
        struct exchange_block *block = exchange->blocks;
        exchange->blocks = block->next;
        free(block);
    }
}
