#ifndef FSD_WORKER_TOOLBOX_COMPUTE_FRAME_H
#define FSD_WORKER_TOOLBOX_COMPUTE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "modules/sodium.h"

/* What a worker and its helper say to each other: one message of the socket each.  Both are the same program, so a struct is what it is
 * on either side. */

enum { COMPUTE_FD = 3, COMPUTE_TEXT_MAX = 4096 };

enum compute_kind {
    COMPUTE_PASSWORD_HASH,
    COMPUTE_PASSWORD_VERIFY,
    COMPUTE_SYNC,   /* the descriptor that comes with it */
    COMPUTE_RENAME, /* text is two paths, each with its NUL */
};

struct compute_request {
    enum compute_kind kind;
    struct sodium_cost cost;
    char hash[SODIUM_PASSWORD_HASH_ROOM]; /* to verify; ends with a NUL */
    size_t len;
    char text[COMPUTE_TEXT_MAX]; /* the password, or paths; only len bytes of it are sent */
};

struct compute_result {
    int error; /* 0 or a negative errno */
    int is_verified;
    int needs_rehash;
    char hash[SODIUM_PASSWORD_HASH_ROOM];
};

/* How many bytes of a request are sent. */
static inline size_t compute_request_size(const struct compute_request *request)
{
    return offsetof(struct compute_request, text) + request->len;
}

#endif
