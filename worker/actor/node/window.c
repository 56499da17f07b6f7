/* window.c - how much is on its way to each actor of another worker, so that none of them is flooded.
 * Pure.  Owns the flights of one link: a message counts from its sending until the other worker says that its mailbox had room for it,
 * at once in most cases.  So a full mailbox over there passes its bounds by one window for each worker at most, and then its
 * senders here wait, and no others: the link goes on for all else.
 * Called by remote.c.  Must not know how anything is sent. */
#include "worker/actor/node/window.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 16 };

static struct flight **find_bucket(const struct window *window, const struct frame_actor *to)
{
    uint64_t hash = (to->serial ^ (uint64_t)to->index << 32) * 0x9e3779b97f4a7c15U;
    return &window->buckets[hash >> 32 & (window->bucket_count - 1)];
}

static void move_all(struct window *window, struct flight *flight)
{
    while (flight != NULL) {
        struct flight *next = flight->next;
        struct flight **bucket = find_bucket(window, &flight->to);
        flight->next = *bucket;
        *bucket = flight;
        flight = next;
    }
}

static void grow(struct window *window)
{
    struct window larger = {.count = window->count,
                            .bucket_count = window->bucket_count == 0 ? FIRST_BUCKETS
                                                                      : window->bucket_count * 2};
    larger.buckets = calloc(larger.bucket_count, sizeof(struct flight *));
    if (larger.buckets == NULL) {
        abort();
    }
    for (uint32_t i = 0; i < window->bucket_count; i++) {
        move_all(&larger, window->buckets[i]);
    }
    free(window->buckets);
    *window = larger;
}

struct flight *window_find(const struct window *window, const struct frame_actor *to)
{
    if (window->count == 0) {
        return NULL;
    }
    struct flight *flight = *find_bucket(window, to);
    while (flight != NULL && (flight->to.serial != to->serial || flight->to.index != to->index)) {
        flight = flight->next;
    }
    return flight;
}

bool window_has_room(const struct flight *flight)
{
    return flight == NULL || (flight->senders.first == NULL && flight->count < WINDOW_COUNT &&
                              flight->bytes < WINDOW_BYTES);
}

static struct flight *add_flight(struct window *window, const struct frame_actor *to)
{
    if (window->count == window->bucket_count) {
        grow(window);
    }
    struct flight *flight = calloc(1, sizeof(*flight));
    if (flight == NULL) {
        abort();
    }
    struct flight **bucket = find_bucket(window, to);
    flight->to = *to;
    flight->next = *bucket;
    *bucket = flight;
    window->count++;
    return flight;
}

void window_add(struct window *window, const struct frame_actor *to, size_t bytes)
{
    struct flight *flight = window_find(window, to);
    if (flight == NULL) {
        flight = add_flight(window, to);
    }
    flight->count++;
    flight->bytes += bytes;
}

void window_credit(struct flight *flight, const struct frame_credit *credit)
{
    flight->count -= credit->count < flight->count ? credit->count : flight->count;
    bool has_more = flight->count > 0 && credit->bytes < flight->bytes;
    flight->bytes = has_more ? flight->bytes - credit->bytes : 0;
}

void window_drop_idle(struct window *window, struct flight *flight)
{
    if (flight->count > 0 || flight->senders.first != NULL) {
        return;
    }
    struct flight **link = find_bucket(window, &flight->to);
    while (*link != flight) {
        link = &(*link)->next;
    }
    *link = flight->next;
    window->count--;
    free(flight);
}

void window_clear(struct window *window)
{
    struct window all = *window;
    *window = (struct window){0};
    for (uint32_t i = 0; i < all.bucket_count; i++) {
        while (all.buckets[i] != NULL) {
            struct flight *flight = all.buckets[i];
            all.buckets[i] = flight->next;
            sender_turn_away(&flight->senders);
            free(flight);
        }
    }
    free(all.buckets);
}
