#ifndef FSD_WORKER_HTTP_CONNECTION_PEERS_H
#define FSD_WORKER_HTTP_CONNECTION_PEERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

struct peers_row {
    uint64_t key; /* 0: free */
    uint32_t count;
};

/* How many connections come from where.  All zero but for the seed: nobody is there. */
struct peers {
    struct peers_row *rows; /* owned */
    size_t capacity;        /* a power of two, or 0 */
    size_t used;
    uint64_t seed; /* random: whoever chooses addresses must not choose their places */
};

void peers_fini(struct peers *peers);
/* Whom one address stands for: itself, or of IPv6 its /64, which one customer has whole.  Never 0. */
uint64_t peers_key(const struct address *address);
uint32_t peers_count(const struct peers *peers, uint64_t key);
/* One connection more.  Runs out of memory like all of the worker: by abort. */
void peers_add(struct peers *peers, uint64_t key);
/* One less, of those that were added. */
void peers_remove(struct peers *peers, uint64_t key);

#endif
