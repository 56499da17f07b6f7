/* peers.c - how many connections are open from each address.
 * Owns a hash table with open addressing, at most half full; whoever has no connection any more has no row.  Rows that stand behind
 * one that goes are moved up, so that nothing marks where one was.
 * Called by connection.c, when the connections of one address are limited.  Pure: must not know sockets, nor the limit. */
#include "worker/http/connection/peers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 16 };

void peers_fini(struct peers *peers)
{
    free(peers->rows);
    *peers = (struct peers){.seed = peers->seed};
}

uint64_t peers_key(const struct address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool is_ipv4 = memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
    uint64_t key = 0;
    for (size_t i = 0; i < 8; i++) {
        key = key << 8 | address->bytes[is_ipv4 ? i + 8 : i];
    }
    return key != 0 ? key : 1; /* ::/64 and 0.0.0.0 are nobody's; ::1 is in it */
}

/* The last step of splitmix64. */
static size_t find_home(const struct peers *peers, uint64_t key)
{
    uint64_t hash = key ^ peers->seed;
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9U;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111ebU;
    return (size_t)(hash ^ hash >> 31) & (peers->capacity - 1);
}

/* Its row, or the free one where it would stand. */
static struct peers_row *find_row(const struct peers *peers, uint64_t key)
{
    size_t at = find_home(peers, key);
    while (peers->rows[at].key != 0 && peers->rows[at].key != key) {
        at = (at + 1) & (peers->capacity - 1);
    }
    return &peers->rows[at];
}

uint32_t peers_count(const struct peers *peers, uint64_t key)
{
    return peers->used == 0 ? 0 : find_row(peers, key)->count;
}

static void grow(struct peers *peers)
{
    struct peers old = *peers;
    peers->capacity = old.capacity == 0 ? CAPACITY_MIN : old.capacity * 2;
    peers->rows = calloc(peers->capacity, sizeof(*peers->rows));
    if (peers->rows == NULL) {
        abort();
    }
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.rows[i].key != 0) {
            *find_row(peers, old.rows[i].key) = old.rows[i];
        }
    }
    free(old.rows);
}

void peers_add(struct peers *peers, uint64_t key)
{
    assert(key != 0);
    if (peers->used * 2 >= peers->capacity) {
        grow(peers);
    }
    struct peers_row *row = find_row(peers, key);
    peers->used += row->key == 0;
    row->key = key;
    row->count++;
}

/* Those behind a hole that would not be found across it are moved into it. */
static void fill_hole(struct peers *peers, size_t hole)
{
    size_t mask = peers->capacity - 1;
    for (size_t at = (hole + 1) & mask; peers->rows[at].key != 0; at = (at + 1) & mask) {
        size_t home = find_home(peers, peers->rows[at].key);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            peers->rows[hole] = peers->rows[at];
            hole = at;
        }
    }
    peers->rows[hole] = (struct peers_row){0};
}

void peers_remove(struct peers *peers, uint64_t key)
{
    assert(peers->used > 0);
    struct peers_row *row = find_row(peers, key);
    assert(row->count > 0);
    if (--row->count == 0) {
        fill_hole(peers, (size_t)(row - peers->rows));
        peers->used--;
    }
}
