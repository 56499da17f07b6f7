#ifndef FSD_WORKER_HTTP_SERVICE_H
#define FSD_WORKER_HTTP_SERVICE_H

#include <h2o.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "worker/core/json/json.h"
#include "worker/http/refusals.h"
#include "worker/http/text/guard_head.h"

struct edition;
struct exchange;
struct refresh;
struct runtime;
struct stream;

/* What the requests of one worker share; embedded in the server, seen by exchange, dispatch, request and response. */
struct service {
    struct runtime *runtime; /* borrowed */
    h2o_context_t *context;  /* borrowed: libh2o's, of this worker */
    h2o_hostconf_t **hosts;  /* borrowed, with it */
    struct edition
        *edition;        /* one use owned: what answers new requests; NULL before there is code */
    bool draining;       /* every answer closes its connection */
    bool notes_requests; /* the access log asks which request one was */
    bool is_unavailable; /* there is no application: every answer is 503 */
    uint64_t retry_after_s; /* what it then says */
    uint64_t requests;      /* ever */
    uint64_t running;       /* exchanges that are not over */
    uint64_t id_seed;       /* request ids: random, then counted up */
    /* of an answer that is given whole: nothing is left to proceed with */
    h2o_generator_t complete;
    struct address_trust trust; /* where the application sets nothing */
    struct guard_head_limits head_limits;
    struct refusals refusals;
    struct json_buf json; /* owned; scratch of res:json */
    void (*on_exchange_over)(struct service *service);
    struct exchange *free;        /* owned list of exchanges for use again */
    struct stream *event_streams; /* borrowed list: what a drain ends */
    struct refresh *refreshes;    /* borrowed list; the same */
};

#endif
