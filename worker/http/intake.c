/* intake.c - what happens to a request before any of the application's code sees it.
 * Owns nothing.  In this order: the raw head is judged again (guard_head.c says why), limits are applied, the router finds
 * what matches; a native handler that comes first answers at once, everything else becomes an exchange.
 * Called by libh2o for every request, on every path.  Must not know Lua. */
#include "worker/http/intake.h"

#include <string.h>

#include "worker/core/runtime.h"
#include "worker/http/access_log.h"
#include "worker/http/answer.h"
#include "worker/http/app/plan.h"
#include "worker/http/body/spool.h"
#include "worker/http/connection/connection.h"
#include "worker/http/connection/pipeline.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/exchange_memory.h"
#include "worker/http/file/file_body.h"
#include "worker/http/inject.h"
#include "worker/http/native.h"
#include "worker/http/service.h"
#include "worker/http/stream/refresh.h"
#include "worker/http/text/guard_head.h"
#include "worker/http/turn.h"

/* HTTP/1: the head still stands at the beginning of the socket's buffer. */
static enum guard_head_verdict judge_head(const struct service *service, h2o_req_t *req,
                                          struct guard_head_facts *ret_facts)
{
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    return guard_head_check(socket->input->bytes, socket->input->size, req->version & 0xff,
                            &service->head_limits, ret_facts);
}

static void refuse(struct service *service, h2o_req_t *req, int status, const char *message)
{
    refusals_note(&service->refusals, status, message);
    answer_error(service, req, status, message, true);
}

/* A head that is malformed or too long. */
static void refuse_head(struct service *service, h2o_req_t *req, enum guard_head_verdict verdict)
{
    int status = guard_head_status(verdict);
    const char *reason = guard_head_reason(verdict);
    refusals_note(&service->refusals, status, reason);
    if (status == 405) {
        answer_set_allow(
            req, h2o_iovec_init(H2O_STRLIT("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")));
    }
    answer_send(service, req, status, answer_error_body(req, status, reason), true);
}

/* Whether the handler of a step can be asked before Lua is entered: nothing of its route has to be found out there. */
static bool is_plain(const struct exchange *exchange, size_t step)
{
    const struct router_step *at = &exchange->chain.steps[step];
    const struct app_route *own = at->entry->value;
    const h2o_iovec_t *path = &exchange->view.path;
    return !own->is_missing &&
           (at->captures == NULL || (own->param_kinds == NULL && own->param_keys == NULL &&
                                     memchr(path->base, '%', path->len) == NULL));
}

/* Native handlers answer as long as it is the turn of one.  False: none has; handlers in Lua begin at exchange->start then. */
static bool ask_natives(struct exchange *exchange, struct file_given *ret_given)
{
    const struct app_handler *handler;
    struct file_failure failure;
    const struct plan *plan = exchange->edition->plan;
    if (exchange->chain.count == 0 || plan->has_send_hooks || plan->has_response_hooks) {
        return false;
    }
    while ((handler = turn_find(exchange, &exchange->start)) != NULL && handler->native != NULL) {
        exchange->step = exchange->start >> TURN_HANDLER_BITS;
        if (!is_plain(exchange, exchange->step)) {
            return false;
        }
        struct file_request request = native_request(exchange);
        enum file_verdict verdict = native_ask(handler->native, &request, ret_given, &failure);
        if (verdict != FILE_PASSES) {
            return verdict ==
                   FILE_GIVES; /* what has failed is asked again, where errors can be handled */
        }
        exchange->start++;
    }
    exchange->first = handler;
    return false;
}

static void route(struct service *service, h2o_req_t *req, const struct guard_head_facts *facts)
{
    struct exchange *exchange = exchange_new(service, req);
    if (service->notes_requests) {
        access_log_note(req, exchange->serial);
    }
    exchange->view.has_content_length = facts->has_content_length;
    exchange->view.has_transfer_encoding = facts->has_transfer_encoding;
    (void)inject_fit(exchange);
    struct router_memory memory = exchange_memory_get(exchange);
    int error = router_match(exchange->edition->plan->router, exchange->view.path.base,
                             exchange->view.path.len, &memory, &exchange->chain);
    if (error != 0) {
        exchange_free(exchange);
        refuse(service, req, 414, "the path is too long");
        return;
    }
    struct file_given given;
    if (ask_natives(exchange, &given)) {
        bool close = facts->has_transfer_encoding;
        exchange_free(exchange);
        if (given.file != NULL) {
            file_body_send(given.file, given.status, close);
        } else {
            answer_own(service, req, given.status, given.body, close);
        }
        return;
    }
    exchange_run(exchange);
}

/* For those who look from outside at what a connection does. */
static void count_request(h2o_req_t *req)
{
    struct connection *connection = connection_of(req);
    if (connection != NULL) {
        connection->requests++;
        connection->has_own_times = req->version >= 0x200;
    }
}

/* The head is well made, and it is the request's turn. */
static void serve(struct service *service, h2o_req_t *req, const struct guard_head_facts *facts)
{
    if (refresh_answer(service, req)) {
        return;
    }
    if (service->is_unavailable) {
        answer_unavailable(service, req);
        return;
    }
    if (req->entity.len >= SPOOL_THRESHOLD) {
        spool_check();
    }
    if (req->entity.len > service->runtime->config.body_bytes) {
        refuse(service, req, 413, "the body is larger than the limit");
        return;
    }
    route(service, req, facts);
}

static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct service *service = ((struct intake *)handler)->service;
    struct guard_head_facts facts = {0};
    enum pipeline_verdict order = PIPELINE_GO_ON;
    count_request(req);
    if (req->version < 0x200) {
        enum guard_head_verdict verdict = judge_head(service, req, &facts);
        if (verdict != GUARD_HEAD_OK) {
            refuse_head(service, req, verdict);
            return 0;
        }
        order = pipeline_judge(service, req, &facts, serve);
    }
    switch (order) {
    case PIPELINE_GO_ON:
        serve(service, req, &facts);
        break;
    case PIPELINE_LATER:
        break;
    case PIPELINE_DROP:
        req->http1_is_persistent = 0; /* makes libh2o close, without waiting for anybody */
        answer_send(service, req, 499, h2o_iovec_init(NULL, 0), true);
        break;
    }
    return 0;
}

/* Every answer comes through here, and says whose it is: as a header that is cheaper than libh2o's own line, which it prints.
 * Only libh2o's own error pages (a body far over the limit, a broken chunk) come through the fallback path's filters
 * without our handler: they close the connection, and should linger as ours do. */
static void on_setup_ostream(h2o_filter_t *self, h2o_req_t *req, h2o_ostream_t **slot)
{
    (void)self;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_SERVER, NULL, H2O_STRLIT("fsd"));
    if (!req->http1_is_persistent && req->version < 0x200 && req->res.status >= 400) {
        struct connection *connection = connection_of(req);
        if (connection != NULL) {
            connection_linger(connection, req->conn->callbacks->get_socket(req->conn));
        }
    }
    h2o_setup_next_ostream(req, slot);
}

void intake_register(h2o_pathconf_t *path, struct service *service)
{
    struct intake *intake = (struct intake *)h2o_create_handler(path, sizeof(*intake));
    intake->super.on_req = on_request;
    intake->service = service;
    h2o_filter_t *filter = h2o_create_filter(path, sizeof(*filter));
    filter->on_setup_ostream = on_setup_ostream;
}
