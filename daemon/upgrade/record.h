#ifndef FSD_DAEMON_UPGRADE_RECORD_H
#define FSD_DAEMON_UPGRADE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/msgpack.h"

struct fsd_err;

/* Plain structs as MessagePack maps: one row a member, read by everything that is done with them. */
enum record_kind {
    RECORD_UINT,     /* uint64_t, at most limit; UINT64_MAX: any 64 bits */
    RECORD_BOOL,     /* bool */
    RECORD_NAME,     /* char[limit], ends with NUL */
    RECORD_TEXT,     /* char *, owned; at most limit bytes; NULL is written as "" */
    RECORD_FD,       /* int, at least 3; limit is what it must be, for the visitor */
    RECORD_MAYBE_FD, /* the same, or -1 */
    RECORD_LIST,     /* struct record_list of at most limit items of type */
    RECORD_PART,     /* a struct of type */
};

struct record_type;

struct record_row {
    const char *key;
    enum record_kind kind;
    size_t offset;
    uint64_t limit;
    const struct record_type *type; /* of a LIST or PART */
};

struct record_type {
    size_t size;
    const struct record_row *rows;
    size_t count; /* at most RECORD_ROWS_MAX */
};

enum { RECORD_ROWS_MAX = 64 };

/* Members of one kind in a row of memory. */
struct record_list {
    void *items; /* owned */
    size_t count;
};

/* A list of so many zeroed items; NULL: no memory. */
void *record_list_make(struct record_list *list, const struct record_type *type, size_t count);

void record_write(struct msgpack_writer *writer, const struct record_type *type,
                  const void *object);

struct record_source {
    struct msgpack_reader reader;
    bool may_lack; /* keys that were not written yet when it was: zero, and -1 for a MAYBE_FD */
};

/* Fills an object that is all zero; every key must be there once, unknown ones are passed over.  -EPROTO or -ENOMEM with a
 * sentence; record_free in any case. */
int record_read(struct record_source *source, const struct record_type *type, void *object,
                struct fsd_err *err);
/* Frees what the object owns, descriptors are left alone. */
void record_free(const struct record_type *type, void *object);

/* Called with every descriptor and its row's limit; another result than 0 ends the walk and is returned. */
typedef int (*record_fd_fn)(void *owner, int fd, uint64_t what);
int record_visit_fds(const struct record_type *type, const void *object, record_fd_fn visit,
                     void *owner);

#endif
