#ifndef FSD_DAEMON_METHOD_STREAM_PARAMS_H
#define FSD_DAEMON_METHOD_STREAM_PARAMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/log_level.h"
#include "common/proto.h"
#include "daemon/log/log_hub.h"

struct fsd_err;

/* What somebody wants to see of the recent past, and of what comes. */
struct stream_params {
    bool is_following;
    char pool[PROTO_NAME_MAX + 1]; /* "": of all, and of the master */
    enum log_level level;          /* that, and more severe ones */
    uint64_t since_us;             /* not older */
    uint64_t since_id;             /* only events with a greater id */
    uint64_t lines;                /* at most so many of those that are there already, the newest */
};

/* The parameters of `events` (follow, since_id) or `logs` (follow, pool, level, since_ms, lines).  -EINVAL with the sentence for
 * who asked: an unknown one, or one of the wrong kind. */
int stream_params_parse(struct stream_params *ret_params, enum log_hub_kind kind,
                        const json_t *params, struct fsd_err *err);
/* pool: not NUL-terminated. */
bool stream_params_match(const struct stream_params *params, const struct log_ring_entry *entry,
                         const char *pool);

#endif
