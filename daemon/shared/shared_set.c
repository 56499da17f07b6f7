/* shared_set.c - the memory of the shared dictionaries: made here, never looked into.
 * Owns the memfds.  They are sealed against resizing, so that no worker can make another one fault, and never mapped: what workers write
 * there is no concern of the master's, however wrong it is.  A dictionary is kept from one configuration to the next if its name
 * and size are; the seed of its hash is drawn once and goes with it.
 * Called by inventory.c (make), pool/ and proc/ (keep, to hand out), upgrade/ (inherit).  Must not know who uses them. */
#include "daemon/shared/shared_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/fd.h"
#include "daemon/conf/conf.h"

/* All zero is an empty dictionary; no page of it exists before it is written to. */
static int make_memory(struct shared_memory *memory)
{
    int error = 0;
    memory->fd = memfd_create("fsd-shared", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory->fd < 0) {
        return -errno;
    }
    if (ftruncate(memory->fd, (off_t)memory->body.size) != 0 ||
        fcntl(memory->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0 ||
        getrandom(&memory->body.seed, sizeof(memory->body.seed), GRND_NONBLOCK) < 0) {
        error = -errno;
        fd_close(&memory->fd);
    }
    return error;
}

static bool is_same(const struct shared_memory *one, const struct shared_memory *other)
{
    return strcmp(one->body.name, other->body.name) == 0 && one->body.size == other->body.size;
}

static const struct shared_memory *find_alike(const struct shared_set *set,
                                              const struct shared_memory *memory)
{
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        if (is_same(&set->items[i], memory)) {
            return &set->items[i];
        }
    }
    return NULL;
}

static int fill(struct shared_memory *memory, const struct conf_shared *conf,
                const struct shared_set *from)
{
    (void)snprintf(memory->body.name, sizeof(memory->body.name), "%s", conf->name);
    memory->body.size = conf->size_bytes;
    const struct shared_memory *kept = find_alike(from, memory);
    if (kept == NULL) {
        return make_memory(memory);
    }
    memory->body = kept->body;
    memory->fd = fcntl(kept->fd, F_DUPFD_CLOEXEC, 0);
    return memory->fd < 0 ? -errno : 0;
}

int shared_set_make(const struct conf *conf, const struct shared_set *from,
                    struct shared_set **ret_set)
{
    size_t count = conf->shared_count;
    struct shared_set *set = calloc(1, sizeof(*set) + count * sizeof(set->items[0]));
    if (set == NULL) {
        return -ENOMEM;
    }
    set->references = 1;
    for (; set->count < count; set->count++) {
        int error = fill(&set->items[set->count], &conf->shared[set->count], from);
        if (error < 0) {
            shared_set_release(&set);
            return error;
        }
    }
    *ret_set = set;
    return 0;
}

struct shared_set *shared_set_keep(struct shared_set *set)
{
    if (set != NULL) {
        set->references++;
    }
    return set;
}

void shared_set_release(struct shared_set **set)
{
    struct shared_set *released = *set;
    *set = NULL;
    if (released == NULL || --released->references > 0) {
        return;
    }
    for (size_t i = 0; i < released->count; i++) {
        fd_close(&released->items[i].fd);
    }
    free(released);
}

const struct shared_memory *shared_set_find(const struct shared_set *set,
                                            const struct shared_memory *memory)
{
    const struct shared_memory *found = find_alike(set, memory);
    return found != NULL && found->body.seed == memory->body.seed ? found : NULL;
}

bool shared_set_inherit(struct shared_set *set, const char *name, uint64_t size, uint64_t seed,
                        int fd)
{
    for (size_t i = 0; i < set->count; i++) {
        struct shared_memory *memory = &set->items[i];
        if (strcmp(memory->body.name, name) == 0 && memory->body.size == size) {
            fd_close(&memory->fd);
            memory->fd = fd;
            memory->body.seed = seed;
            return true;
        }
    }
    return false;
}
