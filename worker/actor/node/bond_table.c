/* bond_table.c - which links and monitors there are with another worker.
 * Owns the buckets; the bonds belong to their actors.  An actor may have thousands of bonds with one other worker, which speaks of each by
 * the number of the monitor or the two ends of the link: so they are found by these, and not in the actor's list.
 * Called by bond.c, which makes and removes them, by what other workers say, and when a link is lost.
 * Must not know what a bond is for. */
#include "worker/actor/node/bond_table.h"

#include <stdlib.h>

#include "worker/actor/actor.h"

enum { FIRST_BUCKETS = 16 };

static uint64_t hash_link(const struct actor *actor, const struct pid *other)
{
    return (actor->serial * 0x9e3779b97f4a7c15U ^ other->serial) * 0xff51afd7ed558ccdU;
}

static uint64_t hash_monitor(uint64_t number)
{
    return number * 0x9e3779b97f4a7c15U;
}

static struct bond **find_bucket(const struct bond_table *table, uint64_t hash)
{
    return &table->buckets[hash >> 32 & (table->bucket_count - 1)];
}

static void put(struct bond_table *table, struct bond *bond)
{
    struct bond_far *far = bond->far;
    uint64_t hash =
        bond->kind == BOND_LINK ? hash_link(bond->owner, &far->other) : hash_monitor(far->number);
    struct bond **bucket = find_bucket(table, hash);
    uint32_t place = (uint32_t)(bucket - table->buckets);
    table->first = place < table->first ? place : table->first;
    far->table = table;
    far->next = *bucket;
    far->link = bucket;
    if (far->next != NULL) {
        far->next->far->link = &far->next;
    }
    *bucket = bond;
}

static void grow(struct bond_table *table)
{
    struct bond_table before = *table;
    table->bucket_count = before.bucket_count == 0 ? FIRST_BUCKETS : before.bucket_count * 2;
    table->buckets = calloc(table->bucket_count, sizeof(struct bond *));
    if (table->buckets == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < before.bucket_count; i++) {
        struct bond *bond = before.buckets[i];
        while (bond != NULL) {
            struct bond *next = bond->far->next;
            put(table, bond);
            bond = next;
        }
    }
    free(before.buckets);
}

void bond_table_add(struct bond_table *table, struct bond *bond)
{
    if (table->count == table->bucket_count) {
        grow(table);
    }
    put(table, bond);
    table->count++;
}

void bond_table_remove(struct bond *bond)
{
    struct bond_far *far = bond->far;
    *far->link = far->next;
    if (far->next != NULL) {
        far->next->far->link = far->link;
    }
    far->table->count--;
}

struct bond *bond_table_find_link(const struct bond_table *table, const struct actor *actor,
                                  const struct pid *other)
{
    struct bond *bond = table->count == 0 ? NULL : *find_bucket(table, hash_link(actor, other));
    while (bond != NULL && (bond->kind != BOND_LINK || bond->owner != actor ||
                            !pid_equal(&bond->far->other, other))) {
        bond = bond->far->next;
    }
    return bond;
}

struct bond *bond_table_find_monitor(const struct bond_table *table, const struct actor *actor,
                                     enum bond_kind kind, uint64_t number)
{
    struct bond *bond = table->count == 0 ? NULL : *find_bucket(table, hash_monitor(number));
    while (bond != NULL &&
           (bond->kind != kind || bond->owner != actor || bond->far->number != number)) {
        bond = bond->far->next;
    }
    return bond;
}

struct bond *bond_table_first(struct bond_table *table)
{
    if (table->count == 0) {
        return NULL;
    }
    while (table->buckets[table->first] == NULL) {
        table->first++;
    }
    return table->buckets[table->first];
}

void bond_table_fini(struct bond_table *table)
{
    free(table->buckets);
    *table = (struct bond_table){0};
}
