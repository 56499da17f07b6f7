/* server.c - the HTTP area of one worker: libh2o set up, adopting an application, draining.
 * Owns libh2o's configuration and context, the acceptor and the connection table.  Draining: stop accepting (our successor has
 * the same socket; where there is none, the queues are emptied first), let every answer say Connection: close, touch no idle
 * connection before the phase is over (closing them early loses requests that are on the wire), then close those too.
 * Called by life.c.  Must not know what happens inside a request (intake.c and behind). */
#include "worker/http/server.h"

#include <assert.h>
#include <errno.h>
#include <h2o.h>
#include <h2o/http1.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/err.h"
#include "common/page.h"
#include "worker/core/runtime.h"
#include "worker/http/access_log.h"
#include "worker/http/body/spool.h"
#include "worker/http/connection/acceptor.h"
#include "worker/http/connection/connection.h"
#include "worker/http/connection/connection_clock.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/intake.h"
#include "worker/http/response/compress.h"
#include "worker/http/service.h"
#include "worker/http/stream/event_stream.h"
#include "worker/http/stream/refresh.h"

/* Of wall-clock time, by which libh2o counts: ten years. */
#define NEVER_MS (UINT64_C(10) * 365 * 86400 * 1000)

enum {
    LINE_HEADROOM = 256,     /* of the request line, beside the URL */
    GOODBYE_MS = 2000,       /* for idle clients to close their end */
    HTTP2_REQUESTS_MAX = 32, /* a connection: more wait in libh2o, where a reset costs no Lua */
    BODY_HEADROOM =
        1024 * 1024, /* between our limit, which answers 413, and libh2o's, which hangs up */
};

struct http_server {
    struct service service;
    h2o_globalconf_t globals;
    h2o_context_t context;
    struct acceptor acceptor;
    struct connection_table connections;
    struct access_log access;
    struct timer idle;
    uint64_t idle_ms;
    struct loop_job drained;
    struct http_server_drain_calls calls;
};

static struct http_server *server_of(struct service *service)
{
    return H2O_STRUCT_FROM_MEMBER(struct http_server, service, service);
}

static void on_drain_complete(struct loop_job *job)
{
    struct http_server *server = H2O_STRUCT_FROM_MEMBER(struct http_server, drained, job);
    server->calls.on_drained(server->service.runtime);
}

struct service *http_server_service(struct http_server *server)
{
    return &server->service;
}

bool http_server_is_idle(const struct http_server *server)
{
    return server->connections.open == 0 && server->service.running == 0;
}

static void check_drained(struct http_server *server)
{
    if (server->acceptor.state == ACCEPTOR_STOPPED && http_server_is_idle(server)) {
        loop_defer(&server->service.runtime->loop, &server->drained, on_drain_complete);
    }
}

static void on_connections_changed(struct connection_table *table)
{
    struct http_server *server = H2O_STRUCT_FROM_MEMBER(struct http_server, connections, table);
    page_set(&server->service.runtime->page->connections, table->open);
    page_set(&server->service.runtime->page->accepted, table->accepted);
    page_set(&server->service.runtime->page->refused, table->refused);
    page_set(&server->service.runtime->page->timed_out, table->clock.cut);
    check_drained(server);
}

static void on_exchange_over(struct service *service)
{
    check_drained(server_of(service));
}

void http_server_apply_limits(struct http_server *server)
{
    const struct config *config = &server->service.runtime->config;
    struct fsd_err err;
    /* the master has checked it; what can't be read believes nobody */
    if (address_trust_parse(config->trusted_proxies, strlen(config->trusted_proxies),
                            &server->service.trust, &err) != 0) {
        server->service.trust = (struct address_trust){.kind = ADDRESS_TRUST_NONE};
    }
    server->service.head_limits = (struct guard_head_limits){
        .target_bytes = config->url_bytes,
        .fields_bytes = config->header_bytes,
        .fields = config->headers,
    };
    access_log_set_format(&server->access, config->access);
    server->service.notes_requests = server->access.is_on;
    server->globals.max_request_entity_size = config->body_bytes + BODY_HEADROOM;
    const struct pace_limits limits = {
        .idle_ms = config->keepalive_ms,
        .head_ms = config->header_timeout_ms,
        .body_ms = config->body_timeout_ms,
        .write_ms = config->write_timeout_ms,
    };
    size_t head_bytes = config->url_bytes == 0 || config->header_bytes == 0
                            ? 0
                            : config->url_bytes + config->header_bytes + LINE_HEADROOM;
    connection_clock_set(&server->connections, &limits, head_bytes);
    server->connections.limit = config->connections;
    server->connections.limit_each = config->connections_per_ip;
}

static void set_up_h2o(struct http_server *server)
{
    h2o_globalconf_t *globals = &server->globals;
    h2o_config_init(globals);
    globals->http1.req_timeout = NEVER_MS;          /* connection_clock.c does it */
    globals->server_name = h2o_iovec_init(NULL, 0); /* intake.c sets it: libh2o would print it */
    spool_open();
    globals->http1.upgrade_to_http2 =
        0; /* it would move the head away from where guard_head looks */
    globals->http2.max_concurrent_requests_per_connection = HTTP2_REQUESTS_MAX;
    h2o_hostconf_t *host =
        h2o_config_register_host(globals, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *root = h2o_config_register_path(host, "/", 0);
    intake_register(root, &server->service);
    intake_register(&host->fallback_path, &server->service);
    access_log_register(&server->access, root);
    access_log_register(&server->access, &host->fallback_path);
    compress_register(root, &server->service);
    compress_register(&host->fallback_path, &server->service);
    h2o_context_init(&server->context, server->service.runtime->loop.h2o, globals);
    server->service.context = &server->context;
    server->service.hosts = globals->hosts;
    http_server_apply_limits(server);
    server->acceptor.context = (h2o_accept_ctx_t){.ctx = &server->context, .hosts = globals->hosts};
}

struct http_server *http_server_new(struct runtime *runtime)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL || getrandom(&server->service.id_seed, sizeof(server->service.id_seed), 0) !=
                              (ssize_t)sizeof(server->service.id_seed)) {
        abort();
    }
    server->service.runtime = runtime;
    server->service.on_exchange_over = on_exchange_over;
    json_buf_init(&server->service.json);
    refusals_init(&server->service.refusals, runtime);
    connection_table_init(&server->connections, &runtime->loop, server->service.id_seed,
                          on_connections_changed);
    acceptor_init(&server->acceptor, runtime, &server->connections);
    access_log_init(&server->access, runtime);
    set_up_h2o(server);
    return server;
}

int http_server_add_listener(struct http_server *server, int fd, uint64_t slot)
{
    return acceptor_add(&server->acceptor, fd, slot);
}

void http_server_take_access_log(struct http_server *server, int fd)
{
    access_log_take(&server->access, fd);
}

void http_server_remove_listeners(struct http_server *server, uint64_t slot)
{
    acceptor_remove(&server->acceptor, slot);
}

int http_server_adopt(struct http_server *server, const struct generation *generation,
                      struct fsd_err *err)
{
    lua_State *L = server->service.runtime->L;
    struct edition *edition = NULL;
    int error = edition_open(L, generation, &edition, err);
    if (error != 0) {
        return error;
    }
    edition_release(L, server->service.edition);
    server->service.edition = edition;
    refresh_tell_all(&server->service);
    return 0;
}

void http_server_refuse_all(struct http_server *server, uint64_t retry_after_s)
{
    server->service.is_unavailable = true;
    server->service.retry_after_s = retry_after_s;
}

void http_server_activate(struct http_server *server)
{
    acceptor_start(&server->acceptor);
}

/* Shuts one direction of each HTTP/1 connection that waits for a request of which not a byte has come. */
static int shut_if_idle(h2o_req_t *req, void *how)
{
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    if (socket->input->size == 0 && h2o_socket_is_reading(socket)) {
        /* fails when the peer has closed: then libh2o is about to notice */
        (void)shutdown(h2o_socket_get_fd(socket), *(int *)how);
    }
    return 0;
}

static void shut_idle(struct http_server *server, int how)
{
    (void)server->globals.http1.callbacks.foreach_request(&server->context, shut_if_idle, &how);
}

static void on_goodbye_over(struct timer *timer)
{
    struct http_server *server = H2O_STRUCT_FROM_MEMBER(struct http_server, idle, timer);
    shut_idle(server, SHUT_RD); /* libh2o sees an end of file and closes */
}

/* Says goodbye first and keeps reading: what crosses it on the wire then meets no reset. */
static void on_idle_over(struct timer *timer)
{
    struct http_server *server = H2O_STRUCT_FROM_MEMBER(struct http_server, idle, timer);
    struct loop *loop = &server->service.runtime->loop;
    shut_idle(server, SHUT_WR);
    loop_set_timer(loop, timer, GOODBYE_MS, on_goodbye_over);
}

static void on_accepting_stopped(struct acceptor *acceptor)
{
    struct http_server *server = H2O_STRUCT_FROM_MEMBER(struct http_server, acceptor, acceptor);
    server->calls.on_draining(server->service.runtime);
    h2o_context_request_shutdown(&server->context);
    loop_set_timer(&server->service.runtime->loop, &server->idle, server->idle_ms, on_idle_over);
    check_drained(server);
}

void http_server_drain(struct http_server *server, uint64_t idle_ms, bool empties_queues,
                       struct http_server_drain_calls calls)
{
    if (server->service.draining) {
        return;
    }
    server->service.draining = true;
    server->idle_ms = idle_ms;
    server->calls = calls;
    event_stream_dismiss_all(&server->service);
    refresh_end_all(&server->service);
    if (empties_queues) {
        acceptor_empty(&server->acceptor, on_accepting_stopped);
    } else {
        acceptor_stop(&server->acceptor);
        on_accepting_stopped(&server->acceptor);
    }
}

static void free_exchanges(struct service *service)
{
    while (service->free != NULL) {
        struct exchange *exchange = service->free;
        service->free = exchange->next_free;
        free(exchange);
    }
}

void http_server_free(struct http_server *server)
{
    if (server == NULL) {
        return;
    }
    assert(http_server_is_idle(server));
    struct loop *loop = &server->service.runtime->loop;
    acceptor_stop(&server->acceptor);
    timer_clear(&loop->timers, &server->idle);
    (void)h2o_evloop_run(loop->h2o, 0); /* libh2o frees closed sockets in its next turn */
    /* h2o_context_request_shutdown sets it also when no HTTP/2 connection exists, and dispose asserts */
    h2o_timeout_unlink(&server->context.http2._graceful_shutdown_timeout);
    connection_table_fini(&server->connections);
    h2o_context_dispose(&server->context);
    h2o_config_dispose(&server->globals);
    access_log_fini(&server->access);
    refusals_fini(&server->service.refusals);
    free_exchanges(&server->service);
    edition_release(server->service.runtime->L, server->service.edition);
    json_buf_fini(&server->service.json);
    free(server);
}
