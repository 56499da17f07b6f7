#ifndef FSD_WORKER_ACTOR_NODE_BOND_TABLE_H
#define FSD_WORKER_ACTOR_NODE_BOND_TABLE_H

#include <stdint.h>

#include "worker/actor/bond.h"
#include "worker/actor/pid.h"

struct actor;

/* All ends here of links and monitors with one other worker. */
struct bond_table {
    struct bond **buckets; /* owned array of borrowed bonds; NULL while there is none */
    uint32_t bucket_count; /* a power of two */
    uint32_t count;
    uint32_t first; /* no bucket before this one holds anything */
};

/* The bond has its far end already.  Dies on no memory. */
void bond_table_add(struct bond_table *table, struct bond *bond);
void bond_table_remove(struct bond *bond);
/* The actor's end of its link with that one; NULL: they are not linked. */
struct bond *bond_table_find_link(const struct bond_table *table, const struct actor *actor,
                                  const struct pid *other);
/* The actor's end, of that kind, of the monitor with that number; NULL: there is none. */
struct bond *bond_table_find_monitor(const struct bond_table *table, const struct actor *actor,
                                     enum bond_kind kind, uint64_t number);
/* Any of them; NULL: there is none. */
struct bond *bond_table_first(struct bond_table *table);
void bond_table_fini(struct bond_table *table);

#endif
