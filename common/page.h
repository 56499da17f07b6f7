#ifndef FSD_COMMON_PAGE_H
#define FSD_COMMON_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

/* The status page: a memfd that the master makes, sizes and seals, and one worker (one incarnation) writes.
 * The master reads it whenever somebody asks, so status answers while a worker is stuck.  The content is
 * the worker's word: every number is taken as it is, none is used as an index, length or pointer. */

enum {
    PAGE_VERSION = 1,
    PAGE_BYTES_MIN = 72, /* what masters of old have made; what is behind that reads as 0 */
};

struct page {
    _Atomic uint64_t version;      /* PAGE_VERSION once the worker has mapped it */
    _Atomic uint64_t heartbeat_ms; /* CLOCK_MONOTONIC of the last turn of the worker's loop */
    _Atomic uint64_t generation;   /* of the code that is active; 0 before */
    _Atomic uint64_t requests;     /* answered, ever */
    _Atomic uint64_t connections;  /* open now */
    _Atomic uint64_t accepted;     /* ever */
    _Atomic uint64_t running;      /* requests whose handler has not finished */
    _Atomic uint64_t log_lost;     /* log records dropped since the last one that was sent */
    _Atomic uint64_t memory_bytes; /* resident, at the latest a turn and a second ago; 0: unknown */
    _Atomic uint64_t lua_bytes;    /* of Lua's values, when a task ran last */
    _Atomic uint64_t refused;      /* connections closed as soon as they were accepted, ever */
    _Atomic uint64_t timed_out;    /* connections that took too long, ever */
    _Atomic uint64_t access_lost;  /* lines of the access log that were dropped, ever */
};

/* A copy of the numbers at one moment. */
struct page_numbers {
    uint64_t heartbeat_ms;
    uint64_t generation;
    uint64_t requests;
    uint64_t connections;
    uint64_t accepted;
    uint64_t running;
    uint64_t log_lost;
    uint64_t memory_bytes;
    uint64_t lua_bytes;
    uint64_t refused;
    uint64_t timed_out;
    uint64_t access_lost;
};

/* Master: a new zeroed page as a sealed, close-on-exec memfd.  Returns the descriptor or a negative errno. */
int page_create(void);
/* Maps the page in fd, writable for the worker.  The descriptor may be closed then.  NULL with errno. */
struct page *page_map(int fd, int writable);
void page_unmap(struct page *page); /* NULL is allowed */
/* All zero until a worker of the same PAGE_VERSION has mapped the page. */
void page_read(const struct page *page, struct page_numbers *ret_numbers);

/* Worker: plain stores, no lock; each number stands alone. */
static inline void page_set(_Atomic uint64_t *field, uint64_t value)
{
    atomic_store_explicit(field, value, memory_order_relaxed);
}

#endif
