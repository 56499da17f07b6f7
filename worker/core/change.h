#ifndef FSD_WORKER_CORE_CHANGE_H
#define FSD_WORKER_CORE_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/proto.h"
#include "worker/core/config.h"

struct fsd_err;

/* A change that was prepared and waits for COMMIT or ABORT; all zero: there is none. */
struct change {
    bool is_pending;
    uint64_t number;
    struct config config; /* owned while pending */
};

/* Takes a change of the running configuration in (change of code: life_code.c), in place of one that was pending; the
 * descriptor stays the caller's.  0; or nothing is pending then, and err says why: -ENOTSUP when it needs a new process or is of
 * a kind that is not known, -EPROTO and what mapping says when it cannot be read. */
int change_prepare(struct change *change, const struct config *running,
                   const struct proto_transaction *wanted, int fd, struct fsd_err *err);
/* Makes the change of that number the running configuration.  False when it is not the one that is pending. */
bool change_commit(struct change *change, uint64_t number, struct config *running);
/* Forgets the change of that number, if it is the one that is pending. */
void change_abort(struct change *change, uint64_t number);
void change_fini(struct change *change);

#endif
