#ifndef FSD_WORKER_LIFE_CODE_H
#define FSD_WORKER_LIFE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/proto.h"

struct life;

/* PREPARE of code: the descriptor of the bundle stays the caller's.  The answer comes when the code is loaded. */
void life_code_prepare(struct life *life, const struct proto_transaction *wanted, int fd);
/* COMMIT.  False when it is not the change that was prepared. */
bool life_code_commit(struct life *life, uint64_t number);
/* ABORT; of another number it does nothing.  is_late: what is not ready yet is rejected soon, with the place where it stood; what
 * is ready, and was said to be, is left to COMMIT or another ABORT. */
void life_code_abort(struct life *life, uint64_t number, bool is_late);
/* Drops what is prepared, whatever its number. */
void life_code_drop(struct life *life);

#endif
