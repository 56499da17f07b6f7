/* file_answer.c - a file as an answer: what its head says, and which of its bytes go out.
 *
 * Owns nothing but the descriptor on its way to the body.  First the headers that describe the file, each only where the handler has set
 * none; then the conditions of the request; then the ranges.  A file that fits into one piece is read at once and is a body like any
 * other.
 * Called by folder.c and send_file.c once a file is found.  Must not know where it was looked for. */
#include "worker/http/file/file_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/fd.h"
#include "worker/http/answer.h"
#include "worker/http/conditions.h"
#include "worker/http/file/file_body.h"
#include "worker/http/response/byteranges.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/service.h"
#include "worker/http/text/byte_range.h"
#include "worker/http/text/etag.h"
#include "worker/http/text/http_date.h"
#include "worker/http/text/mime.h"
#include "worker/http/text/vary.h"

#define HASHED_CACHE_TEXT "public, max-age=31536000, immutable"

/* The bytes that are sent when all are. */
struct window {
    uint64_t first;
    uint64_t len;
};

int file_answer_fail(struct file_failure *failure, int status, const char *code,
                     const char *message)
{
    *failure = (struct file_failure){.status = status, .code = code, .message = message};
    return -1;
}

int file_answer_fail_as(struct file_failure *failure, int error)
{
    switch (error) {
    case -ENOENT:
    case -EISDIR:
        return file_answer_fail(failure, 404, "not_found", "there is no such file");
    case -EACCES:
    case -EPERM:
        return file_answer_fail(failure, 403, "forbidden", "the file may not be read");
    case -EMFILE:
    case -ENFILE:
    case -ENOMEM:
        return file_answer_fail(failure, 503, "overloaded", "no file can be opened just now");
    default:
        return file_answer_fail(failure, 500, "file_failed", strerror(-error));
    }
}

static bool has(const h2o_req_t *req, const h2o_token_t *token)
{
    return h2o_find_header(&req->res.headers, token, -1) != -1;
}

/* text lives as long as the request. */
static void put(h2o_req_t *req, const h2o_token_t *token, const char *text, size_t len)
{
    h2o_add_header(&req->pool, &req->res.headers, token, NULL, text, len);
}

static void put_copy(h2o_req_t *req, const h2o_token_t *token, const char *text, size_t len)
{
    put(req, token, h2o_strdup(&req->pool, text, len).base, len);
}

static void put_own(h2o_req_t *req, const struct file_options *options)
{
    for (size_t i = 0; i < options->header_count; i++) {
        const struct file_header *header = &options->headers[i];
        h2o_iovec_t name = h2o_strdup(&req->pool, header->name, header->name_len);
        response_headers_put(req, name.base, h2o_iovec_init(header->value, header->len));
    }
}

static void put_vary(h2o_req_t *req)
{
    h2o_iovec_t before = response_headers_join(req, "vary");
    size_t len = 0;
    char *text =
        h2o_mem_alloc_pool(&req->pool, VARY_MAX(before.len, sizeof("accept-encoding") - 1));
    if (vary_add(before.base, before.len, H2O_STRLIT("accept-encoding"), text, &len) == 0) {
        response_headers_put(req, "vary", h2o_iovec_init(text, len));
    }
}

static void put_validators(h2o_req_t *req, const struct file_options *options,
                           const struct file_found *found)
{
    if (options->last_modified && !has(req, H2O_TOKEN_LAST_MODIFIED)) {
        char *text = h2o_mem_alloc_pool(&req->pool, HTTP_DATE_LEN + 1);
        http_date_format(found->mtime_s, text);
        put(req, H2O_TOKEN_LAST_MODIFIED, text, HTTP_DATE_LEN);
    }
    if (options->etag && !has(req, H2O_TOKEN_ETAG)) {
        char *text = h2o_mem_alloc_pool(&req->pool, ETAG_MAX);
        size_t len = etag_from_file(found->size, found->mtime_s, found->mtime_ns, text);
        put(req, H2O_TOKEN_ETAG, text, len);
    }
}

static void put_headers(h2o_req_t *req, const struct file_options *options,
                        const struct file_content *content)
{
    put_own(req, options);
    if (options->accept_ranges && !has(req, H2O_TOKEN_ACCEPT_RANGES)) {
        put(req, H2O_TOKEN_ACCEPT_RANGES, H2O_STRLIT("bytes"));
    }
    if (options->cache_text[0] != '\0' && !has(req, H2O_TOKEN_CACHE_CONTROL)) {
        const char *text = content->is_hashed ? HASHED_CACHE_TEXT : options->cache_text;
        put_copy(req, H2O_TOKEN_CACHE_CONTROL, text, strlen(text));
    }
    put_validators(req, options, &content->found);
    if (!has(req, H2O_TOKEN_CONTENT_TYPE)) {
        const char *type = mime_of_name(content->name, strlen(content->name));
        type = type != NULL ? type : MIME_UNKNOWN;
        put(req, H2O_TOKEN_CONTENT_TYPE, type, strlen(type));
    }
    if (content->encoding != NULL) {
        put(req, H2O_TOKEN_CONTENT_ENCODING, content->encoding, strlen(content->encoding));
    }
    if (content->has_encodings) {
        put_vary(req);
    }
}

/* A body that fits is read now, any other goes out in pieces; of one that is not sent only the length counts. */
static int give_bytes(const struct file_request *request, struct file_found *found,
                      const struct file_part *part, struct file_given *given)
{
    h2o_req_t *req = request->req;
    given->file = NULL;
    if (answer_is_bodiless(req, given->status) || part->len == 0) {
        given->body = h2o_iovec_init(NULL, (size_t)part->len);
        return 0;
    }
    if (part->len <= FILE_BODY_WHOLE_MAX) {
        return file_body_read(req, found->fd, part->first, (size_t)part->len, &given->body);
    }
    struct file_part *parts = h2o_mem_alloc_pool(&req->pool, sizeof(*parts));
    *parts = *part;
    given->body = h2o_iovec_init(NULL, 0);
    given->file = file_body_new(request->service, req, found, parts, 1, h2o_iovec_init(NULL, 0));
    found->fd = -1;
    return 0;
}

static struct file_part part_of(const struct window *window, const struct byte_range *range)
{
    return (struct file_part){.first = window->first + range->first,
                              .len = range->last - range->first + 1};
}

static int give_one(const struct file_request *request, struct file_found *found,
                    const struct window *window, const struct byte_range *range,
                    struct file_given *given)
{
    h2o_req_t *req = request->req;
    h2o_iovec_t text = byteranges_content_range(req, range, window->len);
    put(req, H2O_TOKEN_CONTENT_RANGE, text.base, text.len);
    given->status = 206;
    struct file_part part = part_of(window, range);
    return give_bytes(request, found, &part, given);
}

static int give_several(const struct file_request *request, struct file_found *found,
                        const struct window *window, const struct byte_range *ranges, int count,
                        struct file_given *given)
{
    h2o_req_t *req = request->req;
    struct byteranges around;
    struct file_part *parts = h2o_mem_alloc_pool(&req->pool, (size_t)count * sizeof(*parts));
    byteranges_init(&around, request->service, req, window->len);
    for (int i = 0; i < count; i++) {
        parts[i] = part_of(window, &ranges[i]);
        parts[i].head = byteranges_head(&around, &ranges[i]);
    }
    given->status = 206;
    given->body = h2o_iovec_init(NULL, 0);
    given->file =
        file_body_new(request->service, req, found, parts, (size_t)count, byteranges_tail(&around));
    found->fd = -1;
    return 0;
}

static bool wants_ranges(const h2o_req_t *req, const struct file_options *options,
                         const struct conditions *conditions, const struct file_given *given)
{
    return options->accept_ranges && conditions->range.base != NULL && given->status == 200 &&
           h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) &&
           byte_range_is_bytes(conditions->range.base, conditions->range.len);
}

static int give_content(const struct file_request *request, const struct file_options *options,
                        struct file_found *found, const struct window *window,
                        const struct conditions *conditions, struct file_given *given)
{
    struct byte_range ranges[BYTE_RANGE_MAX];
    int count = 0;
    if (wants_ranges(request->req, options, conditions, given)) {
        count = byte_range_parse(conditions->range.base, conditions->range.len, window->len, true,
                                 ranges);
    }
    if (count == -ERANGE) {
        return -ERANGE;
    }
    if (count == 1) {
        return give_one(request, found, window, &ranges[0], given);
    }
    if (count > 1) {
        return give_several(request, found, window, ranges, count, given);
    }
    struct file_part all = {.first = window->first, .len = window->len};
    return give_bytes(request, found, &all, given);
}

static struct window window_of(const struct file_content *content)
{
    uint64_t size = content->found.size;
    uint64_t first = content->has_window && content->first < size ? content->first : 0;
    uint64_t end = content->has_window && content->last < size ? content->last + 1 : size;
    if (content->has_window && content->first >= size) {
        first = end = size;
    }
    return (struct window){first, end > first ? end - first : 0};
}

static int fail_range(struct file_failure *failure, uint64_t size)
{
    (void)file_answer_fail(failure, 416, "range_not_satisfiable", "the file has no such part");
    failure->header = "content-range";
    (void)snprintf(failure->value, sizeof(failure->value), "bytes */%" PRIu64, size);
    return -1;
}

static int give(const struct file_request *request, const struct file_options *options,
                struct file_found *found, const struct file_content *content,
                struct file_given *given, struct file_failure *failure)
{
    struct conditions conditions;
    struct window window = window_of(content);
    h2o_req_t *req = request->req;
    conditions_read(req, &conditions);
    bool is_success = request->status >= 200 && request->status <= 299;
    if (is_success && conditions_has_any(req) && conditions_is_reading(req)) {
        struct conditional_state state = conditions_state(req);
        switch (conditional_judge(&conditions.conditional, &state, true)) {
        case CONDITIONAL_NOT_MODIFIED:
            conditions_drop_body_headers(req);
            *given = (struct file_given){.status = 304};
            return 0;
        case CONDITIONAL_FAILED:
            return file_answer_fail(failure, 412, "precondition_failed",
                                    "the file is not as the request wants it");
        case CONDITIONAL_GO_ON:
            break;
        }
        if (!conditional_allows_range(&conditions.conditional, &state)) {
            conditions.range = h2o_iovec_init(NULL, 0);
        }
    }
    int error = give_content(request, options, found, &window, &conditions, given);
    if (error == -ERANGE) {
        return fail_range(failure, window.len);
    }
    return error == 0 ? 0 : file_answer_fail_as(failure, error);
}

int file_answer_give(const struct file_request *request, const struct file_options *options,
                     const struct file_content *content, struct file_given *ret_given,
                     struct file_failure *ret_failure)
{
    struct file_found found = content->found;
    struct file_given given = {.status = request->status};
    put_headers(request->req, options, content);
    int result = give(request, options, &found, content, &given, ret_failure);
    fd_close(&found.fd); /* unless the body has it */
    if (result == 0) {
        *ret_given = given;
    }
    return result;
}
