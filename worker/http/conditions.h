#ifndef FSD_WORKER_HTTP_CONDITIONS_H
#define FSD_WORKER_HTTP_CONDITIONS_H

#include <h2o.h>
#include <stdbool.h>

#include "worker/http/text/conditional.h"

/* The conditions of a request, and its Range (base NULL: none). */
struct conditions {
    struct conditional conditional;
    h2o_iovec_t range;
    bool has_any; /* of both */
};

/* Reads them from the request's headers; the texts are the request's. */
void conditions_read(h2o_req_t *req, struct conditions *ret_conditions);
/* Whether the method is GET or HEAD. */
bool conditions_is_reading(const h2o_req_t *req);

#endif
