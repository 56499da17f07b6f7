#ifndef FSD_DAEMON_SHARED_SHARED_SET_H
#define FSD_DAEMON_SHARED_SHARED_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/proto.h"

struct conf;

/* The memory of one shared dictionary. */
struct shared_memory {
    /* as workers are told of it; the seed tells it from others of its name */
    struct proto_shared body;
    int fd; /* owned; -1: none */
};

/* The dictionaries of one configuration, in its order.  Each set has descriptors of its own, so two may have the same memory. */
struct shared_set {
    unsigned references;
    size_t count;
    struct shared_memory items[];
};

/* A set with one reference; what `from` (may be NULL) has under the same name and with the same size is kept.  0 or a negative errno. */
int shared_set_make(const struct conf *conf, const struct shared_set *from,
                    struct shared_set **ret_set);
/* One reference more; NULL is fine, and given back. */
struct shared_set *shared_set_keep(struct shared_set *set);
/* One less, and NULL at *set; the last one closes everything.  NULL is fine. */
void shared_set_release(struct shared_set **set);
/* The same memory in another set; NULL: it is not there. */
const struct shared_memory *shared_set_find(const struct shared_set *set,
                                            const struct shared_memory *memory);
/* Takes fd, which an earlier program of ours has made, in place of the new memory of that name and size.  False, and fd is not taken:
 * there is none such. */
bool shared_set_inherit(struct shared_set *set, const char *name, uint64_t size, uint64_t seed,
                        int fd);

#endif
