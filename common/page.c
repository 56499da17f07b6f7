/* page.c - makes, maps and reads the status page of one incarnation.
 * Owns the layout with page.h, and no memory: the mapping belongs to whoever asked for it.  The master makes one
 * memfd a worker, seals its size so that the worker can't make the master fault, and reads it; the worker writes.
 * Called by the master's process code and once by the worker.  Must not know what status prints. */
#include "common/page.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int page_create(void)
{
    int fd = memfd_create("fsd-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return -errno;
    }
    if (ftruncate(fd, sizeof(struct page)) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        int error = errno;
        (void)close(fd); /* nothing was written */
        return -error;
    }
    return fd;
}

struct page *page_map(int fd, int writable)
{
    int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *memory = mmap(NULL, sizeof(struct page), protection, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void page_unmap(struct page *page)
{
    if (page != NULL) {
        (void)munmap(page, sizeof(*page)); /* fails only for addresses that were never mapped */
    }
}

static uint64_t get(const _Atomic uint64_t *field)
{
    return atomic_load_explicit(field, memory_order_relaxed);
}

void page_read(const struct page *page, struct page_numbers *ret_numbers)
{
    if (get(&page->version) != PAGE_VERSION) {
        *ret_numbers = (struct page_numbers){0};
        return;
    }
    ret_numbers->heartbeat_ms = get(&page->heartbeat_ms);
    ret_numbers->generation = get(&page->generation);
    ret_numbers->requests = get(&page->requests);
    ret_numbers->connections = get(&page->connections);
    ret_numbers->accepted = get(&page->accepted);
    ret_numbers->running = get(&page->running);
    ret_numbers->log_lost = get(&page->log_lost);
    ret_numbers->memory_bytes = get(&page->memory_bytes);
    ret_numbers->lua_bytes = get(&page->lua_bytes);
    ret_numbers->refused = get(&page->refused);
    ret_numbers->timed_out = get(&page->timed_out);
    ret_numbers->access_lost = get(&page->access_lost);
}
