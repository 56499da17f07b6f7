/* router_arena.c - the memory of a router's tables.
 * Owns a list of blocks.  Pieces are cut from the newest block and never returned one by one,
 * because routes are added while an application loads and leave together with its generation; so
 * neighbours in the tables are neighbours in memory.
 * The router's files call it at registration and freeze, never for a request. */
#include "worker/http/route/router_arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum { BLOCK_SIZE = 16 * 1024, PIECE_ALIGN = 16 };

struct router_arena_block {
    struct router_arena_block *next; /* owned */
    size_t size;
    alignas(PIECE_ALIGN) unsigned char bytes[];
};

void *router_arena_take(struct router_arena *arena, size_t size)
{
    size_t rounded = (size + PIECE_ALIGN - 1) & ~(size_t)(PIECE_ALIGN - 1);
    if (arena->blocks == NULL || arena->blocks->size - arena->used < rounded) {
        size_t block_size = rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE;
        struct router_arena_block *block = calloc(1, sizeof(*block) + block_size);
        if (block == NULL) {
            abort(); /* the worker's rule: the master starts another one */
        }
        block->next = arena->blocks;
        block->size = block_size;
        arena->blocks = block;
        arena->used = 0;
    }
    void *piece = arena->blocks->bytes + arena->used;
    arena->used += rounded;
    return piece;
}

void router_arena_fini(struct router_arena *arena)
{
    struct router_arena_block *block = arena->blocks;
    while (block != NULL) {
        struct router_arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct router_arena){0};
}
