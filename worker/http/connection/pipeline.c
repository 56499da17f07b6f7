/* pipeline.c - requests with others behind them, on one connection.
 * Why it exists: libh2o 2.2.5 reads what a client has sent, megabytes of it, and begins each request as soon as the answer before
 * it has been written, in the same turn of the loop; whether it could be written does not matter to it.  So one client could keep
 * all others waiting, and one that has left without reading would still have all its requests served.
 * Owns what it takes to wait: memory of the request.  While more stands behind a request, it is asked whether the client is still
 * there, and every so many requests the others of this worker come first.
 * Called by intake.c.  Must not know what a request wants. */
#include "worker/http/connection/pipeline.h"

#include <poll.h>

#include "worker/core/runtime.h"
#include "worker/http/connection/connection.h"
#include "worker/http/service.h"

enum { REQUESTS_A_TURN = 32 };

/* A request that waits for its turn. */
struct waiting {
    struct service *service; /* borrowed */
    h2o_req_t *req;          /* borrowed: it is in its memory */
    struct guard_head_facts facts;
    struct timer timer;
    void (*go_on)(struct service *service, h2o_req_t *req, const struct guard_head_facts *facts);
};

static void on_request_disposed(void *disposed)
{
    struct waiting *waiting = disposed;
    timer_clear(&waiting->service->runtime->loop.timers, &waiting->timer);
}

static void on_turn(struct timer *timer)
{
    struct waiting *waiting = H2O_STRUCT_FROM_MEMBER(struct waiting, timer, timer);
    waiting->go_on(waiting->service, waiting->req, &waiting->facts);
}

/* A client that has only said that it sends nothing more is there. */
static bool has_left(h2o_socket_t *socket)
{
    struct pollfd look = {.fd = h2o_socket_get_fd(socket)};
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLERR | POLLHUP)) != 0;
}

enum pipeline_verdict pipeline_judge(struct service *service, h2o_req_t *req,
                                     const struct guard_head_facts *facts,
                                     void (*go_on)(struct service *service, h2o_req_t *req,
                                                   const struct guard_head_facts *facts))
{
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    struct connection *connection = connection_of(req);
    if (connection == NULL || socket->input->size <= facts->head_len + req->entity.len) {
        if (connection != NULL) {
            connection->in_turn = 0;
        }
        return PIPELINE_GO_ON;
    }
    if (has_left(socket)) {
        return PIPELINE_DROP;
    }
    if (++connection->in_turn < REQUESTS_A_TURN) {
        return PIPELINE_GO_ON;
    }
    connection->in_turn = 0;
    struct waiting *waiting =
        h2o_mem_alloc_shared(&req->pool, sizeof(*waiting), on_request_disposed);
    *waiting = (struct waiting){.service = service, .req = req, .facts = *facts, .go_on = go_on};
    loop_set_timer(&service->runtime->loop, &waiting->timer, 0, on_turn);
    return PIPELINE_LATER;
}
