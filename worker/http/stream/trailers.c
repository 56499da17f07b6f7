/* trailers.c - res:trailer(name, value): a header that stands behind the body, because it is known only then.
 * Owns nothing; the text is in the request's pool.  Only chunks of HTTP/1.1 have a place for it, and only for a client that has said
 * that it reads it (TE: trailers, RFC 9110 §6.5.1); for all others trailers are dropped.  Libh2o 2.2.5 has none for HTTP/2.
 * Called by response.c; stream.c sends it with the last chunk.  Must not know what it says. */
#include "worker/http/stream/trailers.h"

#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#include "worker/http/exchange.h"
#include "worker/http/response/response.h"
#include "worker/http/stream/response_stream.h"
#include "worker/http/stream/stream.h"
#include "worker/http/text/header_text.h"

/* What must be known before the body is read (RFC 9110 §6.5.1), besides what is ours anyway. */
static bool is_needed_before(const char *name)
{
    static const char *const names[] = {
        "age",
        "allow",
        "authorization",
        "cache-control",
        "content-encoding",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "expires",
        "host",
        "location",
        "max-forwards",
        "pragma",
        "proxy-authenticate",
        "range",
        "retry-after",
        "set-cookie",
        "vary",
        "warning",
        "www-authenticate",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void check(lua_State *L, const char *name, size_t name_len, const char *value, size_t len)
{
    const char *fault = header_text_fault(name, name_len, value, len);
    if (fault == NULL && is_needed_before(name)) {
        fault = "it has to be known before the body";
    }
    if (fault != NULL) {
        luaL_error(L, "cannot set trailer: %s", fault);
    }
}

static bool reads_trailers(const h2o_req_t *req)
{
    for (size_t i = 0; i < req->headers.size; i++) {
        const h2o_header_t *header = &req->headers.entries[i];
        if (h2o_memis(header->name->base, header->name->len, H2O_STRLIT("te")) &&
            h2o_strstr(header->value.base, header->value.len, H2O_STRLIT("trailers")) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

int trailers_add(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t name_len;
    size_t len;
    const char *name = luaL_checklstring(L, 2, &name_len);
    const char *value = luaL_checklstring(L, 3, &len);
    check(L, name, name_len, value, len);
    response_stream_check(L, exchange);
    h2o_req_t *req = exchange->req;
    if (!exchange->drops_body && req->version == 0x101 && reads_trailers(req)) {
        h2o_iovec_t *trailers =
            exchange->stream != NULL ? &exchange->stream->trailers : &exchange->trailers;
        *trailers = h2o_concat(&req->pool, *trailers, h2o_iovec_init(name, name_len),
                               h2o_iovec_init(H2O_STRLIT(": ")), h2o_iovec_init(value, len),
                               h2o_iovec_init(H2O_STRLIT("\r\n")));
    }
    lua_settop(L, 1);
    return 1;
}

void trailers_announce(struct stream *stream)
{
    h2o_req_t *req = stream->req;
    h2o_iovec_t rest = stream->trailers;
    while (rest.len > 0) {
        size_t colon = h2o_strstr(rest.base, rest.len, H2O_STRLIT(": "));
        size_t end = h2o_strstr(rest.base, rest.len, H2O_STRLIT("\r\n")) + 2;
        h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("trailer"), 0, NULL,
                              rest.base, colon);
        rest = h2o_iovec_init(rest.base + end, rest.len - end);
    }
}
