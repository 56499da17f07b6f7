#ifndef FSD_WORKER_SHARED_SHARED_H
#define FSD_WORKER_SHARED_SHARED_H

#include "common/msgpack.h"
#include "worker/shared/dictionary.h"

struct fsd_err;
struct runtime;

/* A dictionary and the next one; lives as long as struct shared, so that handles of Lua's may point to it. */
struct shared_item {
    struct dictionary dictionary;
    struct shared_item *next; /* owned */
};

/* The dictionaries that the master has handed out, and what all of them need in this process. */
struct shared {
    struct shared_item *first; /* owned list */
    unsigned char *buf;        /* owned; SHARD_VALUE_MAX bytes, NULL until there is a dictionary */
    struct msgpack_writer writer; /* owned; a table on its way in */
    uint64_t leases;              /* that were taken by this process: tells them apart */
};

/* Dies on no memory. */
struct shared *shared_new(void);
/* NULL is fine. */
void shared_free(struct shared *shared);
/* SHARED: a dictionary is new, or takes the place of the one of that name; fd stays the caller's.  Negative errno with a sentence: it is
 * as it was before. */
int shared_add(struct shared *shared, const struct proto_shared *body, int fd, struct fsd_err *err);
/* UNSHARED: whoever uses it from now on is told that it has gone. */
void shared_remove(struct shared *shared, const struct proto_shared *body);
/* NULL when there is none of that name; one that has gone has no memory. */
struct dictionary *shared_find(const struct shared *shared, const char *name, size_t len);

#endif
