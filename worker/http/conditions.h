#ifndef FSD_WORKER_HTTP_CONDITIONS_H
#define FSD_WORKER_HTTP_CONDITIONS_H

#include <h2o.h>
#include <stdbool.h>

#include "worker/http/text/conditional.h"

/* The conditions of a request, and its Range (base NULL: none). */
struct conditions {
    struct conditional conditional;
    h2o_iovec_t range;
};

/* Whether there is anything to be judged: a name that begins with "if-", or Range. */
bool conditions_has_any(const h2o_req_t *req);
/* Reads them from the request's headers; the texts are the request's. */
void conditions_read(h2o_req_t *req, struct conditions *ret_conditions);
/* The header Range alone; base NULL: there is none. */
h2o_iovec_t conditions_find_range(h2o_req_t *req);
/* Whether the method is GET or HEAD. */
bool conditions_is_reading(const h2o_req_t *req);
/* What the answer says of its content by now (ETag, Last-Modified), whoever set it; borrows from its headers. */
struct conditional_state conditions_state(const h2o_req_t *req);
/* Removes the headers that describe a body, from an answer that has none (RFC 9110, 15.4.5). */
void conditions_drop_body_headers(h2o_req_t *req);

#endif
