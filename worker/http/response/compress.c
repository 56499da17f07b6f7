/* compress.c - answers of handlers that leave as gzip.
 * Owns a filter of libh2o on each path, and of a long answer what has not been sent.  The decision is made once, when the head is about
 * to leave, and marked in libh2o's request (its compress_hint); the filter only does what is marked, with libh2o's own gzip.  The
 * bodies that answers in pieces are made of are flushed piece by piece, so what was written can be read at once.  A whole body goes
 * through in pieces of 64 KiB, each when the one before has left.
 * Called by exchange.c and stream.c.  Libh2o 2.2.5 frames a body of unknown length for status 200 only: so do we compress.
 * Must not know Lua. */
#include "worker/http/response/compress.h"

#include <string.h>

#include "worker/core/runtime.h"
#include "worker/http/answer.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/service.h"
#include "worker/http/text/compressible.h"
#include "worker/http/text/vary.h"

enum { PIECE_BYTES = 64 * 1024 };

struct filter {
    h2o_filter_t super;
    struct service *service; /* borrowed */
};

struct encoder {
    h2o_ostream_t super;
    h2o_compress_context_t *compressor; /* in the request's pool */
};

/* A body on its way; in the request's pool. */
struct pieces {
    h2o_generator_t generator;
    h2o_iovec_t rest;
    bool lingers;
};

static void on_send(h2o_ostream_t *base, h2o_req_t *req, h2o_iovec_t *parts, size_t count,
                    h2o_send_state_t state)
{
    struct encoder *encoder = H2O_STRUCT_FROM_MEMBER(struct encoder, super, base);
    h2o_iovec_t *compressed;
    size_t compressed_count;
    encoder->compressor->transform(encoder->compressor, parts, count, state, &compressed,
                                   &compressed_count);
    h2o_ostream_send_next(&encoder->super, req, compressed, compressed_count, state);
}

static void add_encoder(const struct filter *filter, h2o_req_t *req, h2o_ostream_t ***slot)
{
    int level = (int)filter->service->runtime->config.compress_level;
    h2o_ostream_t *ostream = h2o_add_ostream(req, sizeof(struct encoder), *slot);
    struct encoder *encoder = H2O_STRUCT_FROM_MEMBER(struct encoder, super, ostream);
    encoder->super.do_send = on_send;
    encoder->compressor = h2o_compress_gzip_open(&req->pool, level > 0 ? level : 1);
    *slot = &encoder->super.next;
}

static void on_setup_ostream(h2o_filter_t *base, h2o_req_t *req, h2o_ostream_t **slot)
{
    if (req->compress_hint == H2O_COMPRESS_HINT_ENABLE) {
        req->res.content_length = SIZE_MAX;
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_ENCODING, NULL,
                       H2O_STRLIT("gzip"));
        if (!answer_is_bodiless(req, req->res.status)) { /* HEAD has the head of GET */
            add_encoder(H2O_STRUCT_FROM_MEMBER(struct filter, super, base), req, &slot);
        }
    }
    h2o_setup_next_ostream(req, slot);
}

void compress_register(h2o_pathconf_t *path, struct service *service)
{
    h2o_filter_t *base = h2o_create_filter(path, sizeof(struct filter));
    struct filter *filter = H2O_STRUCT_FROM_MEMBER(struct filter, super, base);
    filter->super.on_setup_ostream = on_setup_ostream;
    filter->service = service;
}

void compress_forbid(h2o_req_t *req)
{
    req->compress_hint = H2O_COMPRESS_HINT_DISABLE;
}

static h2o_iovec_t find(const h2o_headers_t *headers, const h2o_token_t *token)
{
    ssize_t at = h2o_find_header(headers, token, -1);
    return at != -1 ? headers->entries[at].value : h2o_iovec_init(NULL, 0);
}

/* Whether the answer could be compressed for some client. */
static bool is_candidate(const struct service *service, const h2o_req_t *req)
{
    const h2o_headers_t *headers = &req->res.headers;
    h2o_iovec_t type = find(headers, H2O_TOKEN_CONTENT_TYPE);
    h2o_iovec_t control = find(headers, H2O_TOKEN_CACHE_CONTROL);
    return service->runtime->config.compress_level > 0 &&
           req->compress_hint != H2O_COMPRESS_HINT_DISABLE && type.base != NULL &&
           compressible_is_type(type.base, type.len) &&
           find(headers, H2O_TOKEN_CONTENT_ENCODING).base == NULL &&
           (control.base == NULL || !compressible_is_forbidden(control.base, control.len));
}

static void add_vary(h2o_req_t *req)
{
    static const char name[] = "Accept-Encoding";
    h2o_iovec_t header = response_headers_join(req, "vary");
    char *vary = h2o_mem_alloc_pool(&req->pool, VARY_MAX(header.len, sizeof(name)));
    size_t len;
    if (vary_add(header.base, header.len, name, sizeof(name) - 1, vary, &len) == 0) {
        response_headers_put(req, "vary", h2o_iovec_init(vary, len));
    }
}

void compress_add_vary(const struct service *service, h2o_req_t *req)
{
    if (is_candidate(service, req)) {
        add_vary(req);
    }
}

/* The bytes are others than those that a strong ETag stands for, and ranges would be of them. */
static void weaken(h2o_req_t *req)
{
    h2o_iovec_t etag = find(&req->res.headers, H2O_TOKEN_ETAG);
    if (etag.len > 0 && etag.base[0] == '"') {
        response_headers_put(req, "etag",
                             h2o_concat(&req->pool, h2o_iovec_init(H2O_STRLIT("W/")), etag));
    }
    response_headers_remove(req, "accept-ranges");
}

bool compress_prepare(const struct service *service, h2o_req_t *req, int status, size_t len)
{
    if (service->runtime->config.compress_level == 0 || status != 200 ||
        len < service->runtime->config.compress_min_bytes || !is_candidate(service, req)) {
        return false;
    }
    add_vary(req);
    h2o_iovec_t accepted = find(&req->headers, H2O_TOKEN_ACCEPT_ENCODING);
    if (req->version < 0x101 || !compressible_is_accepted(accepted.base, accepted.len)) {
        return false;
    }
    weaken(req);
    req->compress_hint = H2O_COMPRESS_HINT_ENABLE;
    return true;
}

static void send_piece(struct pieces *pieces, h2o_req_t *req)
{
    h2o_iovec_t piece = pieces->rest;
    if (piece.len > PIECE_BYTES) {
        piece.len = PIECE_BYTES;
    }
    pieces->rest.base += piece.len;
    pieces->rest.len -= piece.len;
    bool is_last = pieces->rest.len == 0;
    if (is_last && pieces->lingers) {
        answer_linger(req);
    }
    h2o_send(req, &piece, 1, is_last ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    send_piece(H2O_STRUCT_FROM_MEMBER(struct pieces, generator, generator), req);
}

void compress_send(struct service *service, h2o_req_t *req, int status, h2o_iovec_t body,
                   bool close)
{
    if (body.len <= PIECE_BYTES || answer_is_bodiless(req, status)) {
        answer_send(service, req, status, body, close);
        return;
    }
    struct pieces *pieces = h2o_mem_alloc_pool(&req->pool, sizeof(*pieces));
    *pieces = (struct pieces){.generator = {.proceed = on_proceed}, .rest = body};
    pieces->lingers = answer_begin(service, req, status, &pieces->generator, close);
    send_piece(pieces, req);
}
