/* log_ring.c - the last texts that came, in memory that never grows.
 * Owns the bytes and the entries.  A text lies in one piece: where it would run over the end it begins at the start again, and
 * what is left there stays unused until the next turn.  Adding one more is preceded by dropping the oldest until it fits.
 * Called by log_hub.c.  Pure.  Must not know what the texts are. */
#include "daemon/log/log_ring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int log_ring_init(struct log_ring *ring, size_t capacity, size_t size)
{
    *ring = (struct log_ring){.capacity = capacity, .size = size};
    ring->bytes = malloc(size);
    ring->entries = malloc(capacity * sizeof(*ring->entries));
    if (ring->bytes == NULL || ring->entries == NULL) {
        log_ring_fini(ring);
        return -ENOMEM;
    }
    memset(ring->bytes, ' ',
           size); /* so that the process does not grow later, while it is watched for leaks */
    memset(ring->entries, 0xff, capacity * sizeof(*ring->entries));
    return 0;
}

void log_ring_fini(struct log_ring *ring)
{
    free(ring->bytes);
    free(ring->entries);
    ring->bytes = NULL;
    ring->entries = NULL;
}

bool log_ring_is_empty(const struct log_ring *ring)
{
    return ring->first == ring->next;
}

static const struct log_ring_entry *get(const struct log_ring *ring, uint64_t number)
{
    return &ring->entries[number % ring->capacity];
}

/* Where len bytes fit in one piece; size when nowhere. */
static size_t find_place(const struct log_ring *ring, size_t len)
{
    if (log_ring_is_empty(ring)) {
        return len <= ring->size ? 0 : ring->size;
    }
    const struct log_ring_entry *oldest = get(ring, ring->first);
    const struct log_ring_entry *newest = get(ring, ring->next - 1);
    size_t end = newest->offset + newest->pool_len + newest->text_len;
    if (newest->offset < oldest->offset) {
        return oldest->offset - end >= len ? end : ring->size;
    }
    if (ring->size - end >= len) {
        return end;
    }
    return oldest->offset >= len ? 0 : ring->size;
}

bool log_ring_has_room(const struct log_ring *ring, size_t len)
{
    return ring->next - ring->first < ring->capacity && find_place(ring, len) < ring->size;
}

void log_ring_drop(struct log_ring *ring)
{
    assert(!log_ring_is_empty(ring));
    ring->first++;
}

void log_ring_add(struct log_ring *ring, const struct log_ring_entry *entry, const char *pool,
                  const char *text)
{
    size_t len = entry->pool_len + entry->text_len;
    assert(entry->text_len > 0 && log_ring_has_room(ring, len));
    size_t offset = find_place(ring, len);
    struct log_ring_entry *place = &ring->entries[ring->next % ring->capacity];
    *place = *entry;
    place->offset = offset;
    if (entry->pool_len > 0) {
        memcpy(ring->bytes + offset, pool, entry->pool_len);
    }
    memcpy(ring->bytes + offset + entry->pool_len, text, entry->text_len);
    ring->next++;
}

const struct log_ring_entry *log_ring_get(const struct log_ring *ring, uint64_t number)
{
    assert(number >= ring->first && number < ring->next);
    return get(ring, number);
}

const char *log_ring_get_pool(const struct log_ring *ring, const struct log_ring_entry *entry)
{
    return ring->bytes + entry->offset;
}

const char *log_ring_get_text(const struct log_ring *ring, const struct log_ring_entry *entry)
{
    return ring->bytes + entry->offset + entry->pool_len;
}
