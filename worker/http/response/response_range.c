/* response_range.c - parts of a whole body, for a client that has the others.
 * Owns nothing.  One part is sent as it is, several as multipart/byteranges (byteranges.c); parts that overlap or touch are one.  A
 * header that can't be understood, or asks for too many parts, is as if it were not there.
 * Called by response_validate.c.  Must not know files. */
#include "worker/http/response/response_range.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/http/conditions.h"
#include "worker/http/exchange.h"
#include "worker/http/response/byteranges.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/text/byte_range.h"

enum { LINE_MAX_BYTES = 128 };

static h2o_iovec_t cut(h2o_iovec_t body, const struct byte_range *range)
{
    return h2o_iovec_init(body.base + range->first, (size_t)(range->last - range->first + 1));
}

static void answer_one(struct exchange *exchange, h2o_iovec_t body, const struct byte_range *range)
{
    h2o_req_t *req = exchange->req;
    response_headers_put(req, "content-range", byteranges_content_range(req, range, body.len));
    exchange_answer(exchange, 206, cut(body, range));
}

static void append(char **to, h2o_iovec_t text)
{
    memcpy(*to, text.base, text.len);
    *to += text.len;
}

static void answer_several(struct exchange *exchange, h2o_iovec_t body,
                           const struct byte_range *ranges, size_t count)
{
    h2o_req_t *req = exchange->req;
    struct byteranges parts;
    h2o_iovec_t heads[BYTE_RANGE_MAX];
    byteranges_init(&parts, exchange->service, req, body.len);
    h2o_iovec_t end = byteranges_tail(&parts);
    size_t len = end.len;
    for (size_t i = 0; i < count; i++) {
        heads[i] = byteranges_head(&parts, &ranges[i]);
        len += heads[i].len + cut(body, &ranges[i]).len;
    }
    char *bytes = h2o_mem_alloc_pool(&req->pool, len);
    char *to = bytes;
    for (size_t i = 0; i < count; i++) {
        append(&to, heads[i]);
        append(&to, cut(body, &ranges[i]));
    }
    append(&to, end);
    exchange_answer(exchange, 206, h2o_iovec_init(bytes, len));
}

static void raise_unsatisfiable(lua_State *L, size_t size)
{
    char text[LINE_MAX_BYTES];
    (void)snprintf(text, sizeof(text), "bytes */%zu", size);
    error_push(L, "HttpError", "range_not_satisfiable", 416, "the answer has no such part");
    lua_createtable(L, 0, 1);
    lua_pushstring(L, text);
    lua_setfield(L, -2, "content-range");
    lua_setfield(L, -2, "headers");
    (void)lua_error(L);
}

/* The header Range, where it counts; base NULL: the whole is wanted. */
static h2o_iovec_t find_range(const struct exchange *exchange)
{
    h2o_req_t *req = exchange->req;
    h2o_iovec_t range = conditions_find_range(req);
    h2o_iovec_t accepts = range.base == NULL ? range : response_headers_find(req, "accept-ranges");
    if (accepts.base == NULL || exchange->status != 200 ||
        !h2o_lcstris(accepts.base, accepts.len, H2O_STRLIT("bytes")) ||
        !h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET"))) {
        return h2o_iovec_init(NULL, 0);
    }
    return byte_range_is_bytes(range.base, range.len) ? range : h2o_iovec_init(NULL, 0);
}

void response_range_answer(lua_State *L, struct exchange *exchange, h2o_iovec_t body)
{
    struct byte_range ranges[BYTE_RANGE_MAX];
    h2o_iovec_t wanted = find_range(exchange);
    int count =
        wanted.base == NULL ? 0 : byte_range_parse(wanted.base, wanted.len, body.len, true, ranges);
    if (count == -ERANGE) {
        raise_unsatisfiable(L, body.len);
    }
    if (count == 1) {
        answer_one(exchange, body, &ranges[0]);
    } else if (count > 1) {
        answer_several(exchange, body, ranges, (size_t)count);
    } else {
        exchange_answer(exchange, exchange->status, body);
    }
}
