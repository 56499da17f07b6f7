/* asked.c - the questions of other workers: who here still owes an answer to whom.
 * Owns struct asked.  Each is found by the number of its call, when the answer is given or the asker gives up, and by the actor that
 * was asked, when that one ends.  Called by remote_read.c, by reply and receive, and at the end of an actor.
 * Must not know what is asked. */
#include "worker/actor/node/asked.h"

#include <stdlib.h>

#include "worker/actor/actor.h"

enum { FIRST_BUCKETS = 16 };

/* A call's number holds its place among the calls above the lowest bit: they are spread already. */
static struct asked **find_bucket(const struct asked_table *table, uint64_t number)
{
    return &table->buckets[number >> 1 & (table->bucket_count - 1)];
}

static void move_all(struct asked_table *table, struct asked *asked)
{
    while (asked != NULL) {
        struct asked *next = asked->next;
        struct asked **bucket = find_bucket(table, asked->number);
        asked->next = *bucket;
        *bucket = asked;
        asked = next;
    }
}

static void grow(struct asked_table *table)
{
    struct asked_table larger = {
        .count = table->count,
        .bucket_count = table->bucket_count == 0 ? FIRST_BUCKETS : table->bucket_count * 2};
    larger.buckets = calloc(larger.bucket_count, sizeof(struct asked *));
    if (larger.buckets == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < table->bucket_count; i++) {
        move_all(&larger, table->buckets[i]);
    }
    free(table->buckets);
    *table = larger;
}

void asked_add(struct asked_table *table, struct remote *remote, struct actor *actor,
               uint64_t number)
{
    if (table->count == table->bucket_count) {
        grow(table);
    }
    struct asked *asked = malloc(sizeof(*asked));
    if (asked == NULL) {
        abort();
    }
    struct asked **bucket = find_bucket(table, number);
    *asked = (struct asked){.remote = remote,
                            .actor = actor,
                            .number = number,
                            .next = *bucket,
                            .next_of_actor = actor->asked,
                            .link = &actor->asked};
    if (asked->next_of_actor != NULL) {
        asked->next_of_actor->link = &asked->next_of_actor;
    }
    actor->asked = asked;
    *bucket = asked;
    table->count++;
}

struct asked *asked_find(const struct asked_table *table, uint64_t number)
{
    struct asked *asked = table->count == 0 ? NULL : *find_bucket(table, number);
    while (asked != NULL && asked->number != number) {
        asked = asked->next;
    }
    return asked;
}

static void free_asked(struct asked *asked)
{
    *asked->link = asked->next_of_actor;
    if (asked->next_of_actor != NULL) {
        asked->next_of_actor->link = asked->link;
    }
    free(asked);
}

void asked_remove(struct asked_table *table, struct asked *asked)
{
    struct asked **link = find_bucket(table, asked->number);
    while (*link != asked) {
        link = &(*link)->next;
    }
    *link = asked->next;
    table->count--;
    free_asked(asked);
}

void asked_clear(struct asked_table *table)
{
    for (uint32_t i = 0; i < table->bucket_count; i++) {
        while (table->buckets[i] != NULL) {
            struct asked *asked = table->buckets[i];
            table->buckets[i] = asked->next;
            free_asked(asked);
        }
    }
    free(table->buckets);
    *table = (struct asked_table){0};
}
