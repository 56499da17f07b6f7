#ifndef FSD_DAEMON_LOG_LOG_RING_H
#define FSD_DAEMON_LOG_LOG_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log_level.h"

/* One text that is kept, and what it is found by. */
struct log_ring_entry {
    uint64_t id; /* of an event; else 0 */
    uint64_t wall_us;
    enum log_level level;
    size_t offset;   /* in the ring's bytes: the pool's name, then the text */
    size_t pool_len; /* 0: the master's own */
    size_t text_len; /* at least 1 */
};

/* The last texts that came, in fixed memory.  Each has a number, one more than that before it; those from first up to
 * next - 1 are kept. */
struct log_ring {
    char *bytes; /* owned */
    size_t size;
    struct log_ring_entry *entries; /* owned; number n is at n % capacity */
    size_t capacity;
    uint64_t first;
    uint64_t next;
};

/* Takes all the memory that it will ever need, and touches it.  0 or -ENOMEM. */
int log_ring_init(struct log_ring *ring, size_t capacity, size_t size);
/* Half-built is allowed. */
void log_ring_fini(struct log_ring *ring);
/* May log_ring_add take so many bytes more?  If not, drop the oldest and ask again; an empty ring without room never has. */
bool log_ring_has_room(const struct log_ring *ring, size_t len);
bool log_ring_is_empty(const struct log_ring *ring);
void log_ring_drop(struct log_ring *ring);
/* Copies the entry (its offset is filled in here), pool and text.  There must be room. */
void log_ring_add(struct log_ring *ring, const struct log_ring_entry *entry, const char *pool,
                  const char *text);
/* The number must be kept. */
const struct log_ring_entry *log_ring_get(const struct log_ring *ring, uint64_t number);
const char *log_ring_get_pool(const struct log_ring *ring, const struct log_ring_entry *entry);
const char *log_ring_get_text(const struct log_ring *ring, const struct log_ring_entry *entry);

#endif
