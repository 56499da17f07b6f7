#ifndef FSD_DAEMON_METHOD_STREAM_ANSWER_H
#define FSD_DAEMON_METHOD_STREAM_ANSWER_H

#include <stddef.h>

#include "daemon/log/log_hub.h"

struct stream_params;

/* The result of the method `logs` or `events` as JSON text: what is kept and wanted, oldest first, and how many that are older
 * are gone from memory (whether those were wanted can't be told any more).  The caller frees it; NULL: no memory. */
char *stream_answer_make(const struct log_ring *ring, enum log_hub_kind kind,
                         const struct stream_params *params, size_t *ret_len);

#endif
