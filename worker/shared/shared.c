/* shared.c - the shared dictionaries of a worker, by name.
 * Owns them, and one buffer through which every value passes on its way out of shared memory.  A dictionary that is replaced or removed
 * keeps its struct, because Lua has handles to it; only the mapping goes.
 * Called by life.c for the master's messages and by mod_shared.c.  Must not know what is in a dictionary. */
#include "worker/shared/shared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

struct shared *shared_new(void)
{
    struct shared *shared = calloc(1, sizeof(*shared));
    if (shared == NULL) {
        abort();
    }
    msgpack_writer_init(&shared->writer, SHARD_VALUE_MAX);
    return shared;
}

void shared_free(struct shared *shared)
{
    if (shared == NULL) {
        return;
    }
    while (shared->first != NULL) {
        struct shared_item *item = shared->first;
        shared->first = item->next;
        dictionary_unmap(&item->dictionary);
        free(item);
    }
    msgpack_writer_fini(&shared->writer);
    free(shared->buf);
    free(shared);
}

struct dictionary *shared_find(const struct shared *shared, const char *name, size_t len)
{
    for (struct shared_item *item = shared->first; item != NULL; item = item->next) {
        if (strlen(item->dictionary.name) == len && memcmp(item->dictionary.name, name, len) == 0) {
            return &item->dictionary;
        }
    }
    return NULL;
}

static struct dictionary *find_body(const struct shared *shared, const struct proto_shared *body)
{
    return shared_find(shared, body->name, strnlen(body->name, sizeof(body->name)));
}

static void make_buf(struct shared *shared)
{
    shared->buf = shared->buf != NULL ? shared->buf : malloc(SHARD_VALUE_MAX);
    if (shared->buf == NULL) {
        abort();
    }
}

int shared_add(struct shared *shared, const struct proto_shared *body, int fd, struct fsd_err *err)
{
    make_buf(shared);
    struct dictionary *known = find_body(shared, body);
    struct shared_item *item = NULL;
    if (known == NULL) {
        item = calloc(1, sizeof(*item));
        if (item == NULL) {
            abort();
        }
        memcpy(item->dictionary.name, body->name, sizeof(body->name) - 1);
        known = &item->dictionary;
    }
    int error = dictionary_map(known, fd, body->size, body->seed);
    if (error < 0) {
        (void)fsd_err_set(err, -error, "cannot map the shared dictionary \"%s\": %s", known->name,
                          strerror(-error));
        free(item); /* known is in it, or it is NULL */
        return error;
    }
    if (item != NULL) {
        item->next = shared->first;
        shared->first = item;
    }
    return 0;
}

void shared_remove(struct shared *shared, const struct proto_shared *body)
{
    struct dictionary *known = find_body(shared, body);
    if (known != NULL) {
        dictionary_unmap(known);
    }
}
