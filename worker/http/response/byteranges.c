/* byteranges.c - what stands around the parts of an answer that has several.
 * Owns nothing; all texts go into the request's pool.
 * Called by response_range.c for bodies, and by file/file_answer.c for files.  Must not know where the bytes of a part come from. */
#include "worker/http/response/byteranges.h"

#include <inttypes.h>
#include <stdio.h>

#include "worker/http/response/response_headers.h"
#include "worker/http/service.h"
#include "worker/http/text/etag.h"

enum { TEXT_MAX = 80 };

/* The numbers that requests get are random at first and then counted: no body that anybody can foresee has this. */
static h2o_iovec_t make_boundary(struct service *service, h2o_req_t *req)
{
    char text[TEXT_MAX];
    uint64_t serial = service->id_seed++;
    int len = snprintf(text, sizeof(text), "fsd-%016" PRIx64, etag_hash(&serial, sizeof(serial)));
    return h2o_strdup(&req->pool, text, (size_t)len);
}

void byteranges_init(struct byteranges *parts, struct service *service, h2o_req_t *req,
                     uint64_t size)
{
    *parts = (struct byteranges){
        .req = req,
        .boundary = make_boundary(service, req),
        .type = response_headers_find(req, "content-type"),
        .size = size,
    };
    response_headers_put(req, "content-type",
                         h2o_concat(&req->pool,
                                    h2o_iovec_init(H2O_STRLIT("multipart/byteranges; boundary=")),
                                    parts->boundary));
}

h2o_iovec_t byteranges_head(const struct byteranges *parts, const struct byte_range *range)
{
    return h2o_concat(&parts->req->pool, h2o_iovec_init(H2O_STRLIT("\r\n--")), parts->boundary,
                      h2o_iovec_init(H2O_STRLIT("\r\ncontent-type: ")), parts->type,
                      h2o_iovec_init(H2O_STRLIT("\r\ncontent-range: ")),
                      byteranges_content_range(parts->req, range, parts->size),
                      h2o_iovec_init(H2O_STRLIT("\r\n\r\n")));
}

h2o_iovec_t byteranges_tail(const struct byteranges *parts)
{
    return h2o_concat(&parts->req->pool, h2o_iovec_init(H2O_STRLIT("\r\n--")), parts->boundary,
                      h2o_iovec_init(H2O_STRLIT("--\r\n")));
}

h2o_iovec_t byteranges_content_range(h2o_req_t *req, const struct byte_range *range, uint64_t size)
{
    char text[TEXT_MAX];
    int len = snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->first,
                       range->last, size);
    return h2o_strdup(&req->pool, text, (size_t)len);
}
