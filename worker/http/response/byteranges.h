#ifndef FSD_WORKER_HTTP_RESPONSE_BYTERANGES_H
#define FSD_WORKER_HTTP_RESPONSE_BYTERANGES_H

#include <h2o.h>
#include <stdint.h>

#include "worker/http/text/byte_range.h"

struct service;

/* An answer of several parts (multipart/byteranges, RFC 9110, 14.6); all texts are the request's. */
struct byteranges {
    h2o_req_t *req; /* borrowed */
    h2o_iovec_t boundary;
    h2o_iovec_t type; /* of the whole */
    uint64_t size;    /* of the whole */
};

/* Makes a boundary, and the answer's Content-Type tell it. */
void byteranges_init(struct byteranges *parts, struct service *service, h2o_req_t *req,
                     uint64_t size);
/* What stands before the bytes of a part. */
h2o_iovec_t byteranges_head(const struct byteranges *parts, const struct byte_range *range);
/* What stands behind the last one. */
h2o_iovec_t byteranges_tail(const struct byteranges *parts);
/* The value of Content-Range: "bytes 0-4/11". */
h2o_iovec_t byteranges_content_range(h2o_req_t *req, const struct byte_range *range, uint64_t size);

#endif
