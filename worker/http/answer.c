/* answer.c - how an answer leaves: through libh2o, with the connection's end decided here.
 * Owns nothing; everything lives in the request's pool.  One function sends every answer, so that counting, HEAD, statuses
 * without a body, and Connection: close with its lingering are right for all of them.
 * Called by intake.c (refusals, held pools, native handlers) and exchange.c.  Must not know Lua. */
#include "worker/http/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/page.h"
#include "worker/core/json/json_write.h"
#include "worker/core/runtime.h"
#include "worker/http/connection/connection.h"
#include "worker/http/service.h"
#include "worker/http/stream/refresh.h"
#include "worker/http/text/header_text.h"

enum { RETRY_AFTER_MAX = 24 }; /* digits of 64 bits */

static bool has_no_body(int status)
{
    return status == 204 || status == 304 || status < 200;
}

static bool is_head(const h2o_req_t *req)
{
    return h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
}

bool answer_is_bodiless(h2o_req_t *req, int status)
{
    return is_head(req) || has_no_body(status) || status == 205;
}

void answer_linger(h2o_req_t *req)
{
    req->http1_is_persistent = 0;
    struct connection *connection = connection_of(req);
    if (connection != NULL && req->version < 0x200) {
        connection_linger(connection, req->conn->callbacks->get_socket(req->conn));
    }
}

static void set_status(struct service *service, h2o_req_t *req, int status)
{
    req->res.status = status;
    req->res.reason = header_text_reason(status);
    service->requests++;
    page_set(&service->runtime->page->requests, service->requests);
}

bool answer_begin(struct service *service, h2o_req_t *req, int status, h2o_generator_t *generator,
                  bool close)
{
    set_status(service, req, status);
    bool ends = req->http1_is_persistent && (close || service->draining);
    if (ends) {
        req->http1_is_persistent = 0;
    }
    bool stays = req->http1_is_persistent;
    req->res.content_length = SIZE_MAX;
    h2o_start_response(req, generator);
    /* libh2o 2.2.5 ends the connection of any status but 200 here (chunked.c), which does no chunks of its own for us */
    req->http1_is_persistent = stays ? 1 : 0;
    return ends;
}

/* Libh2o 2.2.5 polls for a write that is complete when its turn begins, and forgets to stop that when it tells us: where the kernel
 * has no room just then, its next poll finds a writer that is gone, and aborts (evloop.c.h, write_pending).  What we write between its
 * turns is often complete at once.  Stopping to read, which it does not do here anyway, makes it look at the socket again. */
void answer_forget_write(h2o_req_t *req)
{
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    if (req->version < 0x200 && socket != NULL) {
        h2o_socket_read_stop(socket);
    }
}

static void set_end(const struct service *service, h2o_req_t *req, bool close)
{
    if ((close || service->draining) &&
        req->http1_is_persistent) { /* else the client asked for it: it is not going to send more */
        answer_linger(req);
    }
}

void answer_start(struct service *service, h2o_req_t *req, int status, h2o_generator_t *generator,
                  size_t len, bool close)
{
    set_status(service, req, status);
    set_end(service, req, close);
    req->res.content_length = len;
    h2o_start_response(req, generator);
}

void answer_send(struct service *service, h2o_req_t *req, int status, h2o_iovec_t body, bool close)
{
    set_status(service, req, status);
    set_end(service, req, close);
    if (status == 205) {
        body.len = 0; /* RFC 9110 §15.3.6 allows none */
    }
    req->res.content_length = has_no_body(status) ? SIZE_MAX : body.len;
    h2o_start_response(req, &service->complete);
    if (is_head(req) || has_no_body(status) || body.len == 0) {
        h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
    } else {
        h2o_send(req, &body, 1, H2O_SEND_STATE_FINAL);
    }
}

void answer_own(struct service *service, h2o_req_t *req, int status, h2o_iovec_t body, bool close)
{
    body = refresh_add_script(service, service->edition, req, body);
    answer_send(service, req, status, body, close);
}

bool answer_wants_html(h2o_req_t *req)
{
    ssize_t at = h2o_find_header(&req->headers, H2O_TOKEN_ACCEPT, -1);
    if (at == -1) {
        return false;
    }
    h2o_iovec_t accept = req->headers.entries[at].value;
    return h2o_strstr(accept.base, accept.len, H2O_STRLIT("text/html")) != SIZE_MAX;
}

/* {"error":message}; a message that is not text gives way to the status's own words. */
static h2o_iovec_t make_json_body(h2o_req_t *req, int status, const char *message)
{
    struct json_buf buf;
    json_buf_init(&buf);
    json_write_bytes(&buf, H2O_STRLIT("{\"error\":"));
    if (!json_write_string(&buf, message, strlen(message))) {
        const char *reason = header_text_reason(status);
        (void)json_write_string(&buf, reason, strlen(reason)); /* ours, so it is text */
    }
    json_write_char(&buf, '}');
    h2o_iovec_t body = h2o_strdup(&req->pool, buf.data, buf.len);
    json_buf_fini(&buf);
    return body;
}

static h2o_iovec_t make_html_body(h2o_req_t *req, int status, const char *text, const char *element)
{
    char head[128];
    char tail[16];
    int head_len =
        snprintf(head, sizeof(head),
                 "<!doctype html><meta charset=\"utf-8\"><title>%d</title><h1>%d %s</h1><%s>",
                 status, status, header_text_reason(status), element);
    int tail_len = snprintf(tail, sizeof(tail), "</%s>\n", element);
    h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE,
                   H2O_STRLIT("text/html; charset=utf-8"), 1);
    return h2o_concat(&req->pool, h2o_iovec_init(head, (size_t)head_len),
                      h2o_htmlescape(&req->pool, text, strlen(text)),
                      h2o_strdup(&req->pool, tail, (size_t)tail_len));
}

h2o_iovec_t answer_error_body(h2o_req_t *req, int status, const char *message)
{
    if (!answer_wants_html(req)) {
        h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE,
                       H2O_STRLIT("application/json; charset=utf-8"), 1);
        return make_json_body(req, status, message);
    }
    return make_html_body(req, status, message, "p");
}

h2o_iovec_t answer_failure_body(h2o_req_t *req, int status, const char *details)
{
    return answer_wants_html(req) ? make_html_body(req, status, details, "pre")
                                  : answer_error_body(req, status, header_text_reason(status));
}

void answer_error(struct service *service, h2o_req_t *req, int status, const char *message,
                  bool close)
{
    req->res.headers = (h2o_headers_t){NULL};
    answer_own(service, req, status, answer_error_body(req, status, message), close);
}

void answer_unavailable(struct service *service, h2o_req_t *req)
{
    char *text = h2o_mem_alloc_pool(&req->pool, RETRY_AFTER_MAX);
    int len = snprintf(text, RETRY_AFTER_MAX, "%" PRIu64, service->retry_after_s);
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_RETRY_AFTER, NULL, text, (size_t)len);
    answer_own(service, req, 503, answer_error_body(req, 503, header_text_reason(503)), true);
}

void answer_set_allow(h2o_req_t *req, h2o_iovec_t methods)
{
    h2o_set_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("allow"), 0, methods.base,
                          methods.len, 1);
}
