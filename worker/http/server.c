/* server.c - the HTTP area of one worker: libh2o set up, listeners, accepting, adopting an application, draining.
 * Owns libh2o's configuration and context, the listening sockets and the connection table.  Draining: stop accepting (our
 * successor has the same socket), let every answer say Connection: close, touch no idle connection before the phase is over
 * (closing them early loses requests that are on the wire), then close those too.
 * Called by life.c.  Must not know what happens inside a request (intake.c and behind). */
#include "worker/http/server.h"

#include <assert.h>
#include <errno.h>
#include <h2o.h>
#include <h2o/http1.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/err.h"
#include "common/page.h"
#include "worker/core/generation.h"
#include "worker/core/runtime.h"
#include "worker/http/app.h"
#include "worker/http/connection.h"
#include "worker/http/exchange.h"
#include "worker/http/intake.h"
#include "worker/http/service.h"

enum {
    LISTENERS_MAX = 16,
    ACCEPT_BATCH = 16,     /* so that one burst does not starve the requests of open connections */
    ACCEPT_PAUSE_MS = 100, /* when descriptors have run out: the listener would wake us for ever */
    GOODBYE_MS = 2000,     /* for idle clients to close their end */
    HTTP2_REQUESTS_MAX = 32, /* a connection: more wait in libh2o, where a reset costs no Lua */
    BODY_HEADROOM =
        1024 * 1024, /* between our limit, which answers 413, and libh2o's, which hangs up */
};

struct listener {
    int fd;               /* owned until activation, then the socket's */
    h2o_socket_t *socket; /* owned; NULL while not accepting */
    struct http_server *server;
};

struct http_server {
    struct service service;
    h2o_globalconf_t globals;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    struct connection_table connections;
    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
    struct timer accept_pause;
    struct timer idle;
    struct loop_job drained;
    void (*on_drained)(struct runtime *runtime);
};

static struct http_server *server_of(struct service *service)
{
    return H2O_STRUCT_FROM_MEMBER(struct http_server, service, service);
}

static void on_drain_complete(struct loop_job *job)
{
    struct http_server *server = H2O_STRUCT_FROM_MEMBER(struct http_server, drained, job);
    server->on_drained(server->service.runtime);
}

bool http_server_is_idle(const struct http_server *server)
{
    return server->connections.open == 0 && server->service.running == 0;
}

static void check_drained(struct http_server *server)
{
    if (server->service.draining && http_server_is_idle(server)) {
        loop_defer(&server->service.runtime->loop, &server->drained, on_drain_complete);
    }
}

static void on_connections_changed(struct connection_table *table)
{
    struct http_server *server = H2O_STRUCT_FROM_MEMBER(struct http_server, connections, table);
    page_set(&server->service.runtime->page->connections, table->open);
    page_set(&server->service.runtime->page->accepted, table->accepted);
    check_drained(server);
}

static void on_exchange_over(struct service *service)
{
    check_drained(server_of(service));
}

static void set_up_h2o(struct http_server *server)
{
    const struct config *config = &server->service.runtime->config;
    h2o_globalconf_t *globals = &server->globals;
    h2o_config_init(globals);
    globals->server_name = h2o_iovec_init(H2O_STRLIT("fsd"));
    globals->max_request_entity_size = config->body_bytes + BODY_HEADROOM;
    /* above 32 MiB libh2o would move a body into a file below /tmp, and hang up where it can't */
    h2o_socket_buffer_mmap_settings.threshold = SIZE_MAX;
    globals->http1.req_timeout = config->keepalive_ms;
    globals->http1.upgrade_to_http2 =
        0; /* it would move the head away from where guard_head looks */
    globals->http2.max_concurrent_requests_per_connection = HTTP2_REQUESTS_MAX;
    h2o_hostconf_t *host =
        h2o_config_register_host(globals, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    intake_register(h2o_config_register_path(host, "/", 0), &server->service);
    intake_register(&host->fallback_path, &server->service);
    h2o_context_init(&server->context, server->service.runtime->loop.h2o, globals);
    server->accept = (h2o_accept_ctx_t){.ctx = &server->context, .hosts = globals->hosts};
}

struct http_server *http_server_new(struct runtime *runtime)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL || getrandom(&server->service.id_seed, sizeof(server->service.id_seed), 0) !=
                              (ssize_t)sizeof(server->service.id_seed)) {
        abort();
    }
    server->service.runtime = runtime;
    server->service.app_ref = LUA_NOREF;
    server->service.handlers_ref = LUA_NOREF;
    server->service.on_exchange_over = on_exchange_over;
    json_buf_init(&server->service.json);
    connection_table_init(&server->connections, &runtime->loop, on_connections_changed);
    set_up_h2o(server);
    return server;
}

int http_server_add_listener(struct http_server *server, int fd)
{
    if (server->listener_count == LISTENERS_MAX) {
        return -ENOSPC;
    }
    struct listener *listener = &server->listeners[server->listener_count++];
    listener->fd = fd;
    listener->server = server;
    return 0;
}

int http_server_adopt(struct http_server *server, const struct generation *generation,
                      struct fsd_err *err)
{
    lua_State *L = server->service.runtime->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, generation->app_ref);
    struct app *app = app_test(L, -1);
    if (app == NULL) {
        int error = fsd_err_set(
            err, EINVAL, "%.*s must end with `return app` (what fsd.app() gave), it returned %s",
            (int)generation->bundle.main_len, generation->bundle.main, luaL_typename(L, -1));
        lua_pop(L, 1);
        return error;
    }
    app_freeze(app);
    lua_getiuservalue(L, -1, 1);
    server->service.handlers_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    server->service.app_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    server->service.app = app;
    return 0;
}

static void on_accept_ready(h2o_socket_t *socket, const char *err);

static void on_accept_pause_over(struct timer *timer)
{
    struct http_server *server = H2O_STRUCT_FROM_MEMBER(struct http_server, accept_pause, timer);
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].socket != NULL) {
            h2o_socket_read_start(server->listeners[i].socket, on_accept_ready);
        }
    }
}

static void pause_accepting(struct http_server *server)
{
    struct loop *loop = &server->service.runtime->loop;
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].socket != NULL) {
            h2o_socket_read_stop(server->listeners[i].socket);
        }
    }
    loop_set_timer(loop, &server->accept_pause, ACCEPT_PAUSE_MS, on_accept_pause_over);
    logger_write(&server->service.runtime->logger, LOG_LEVEL_WARNING,
                 "cannot accept connections for %d ms: out of file descriptors or memory",
                 ACCEPT_PAUSE_MS);
}

static void on_accept_ready(h2o_socket_t *socket, const char *err)
{
    if (err != NULL) {
        return;
    }
    struct listener *listener = socket->data;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        errno = 0;
        h2o_socket_t *accepted = h2o_evloop_socket_accept(socket);
        if (accepted == NULL) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                pause_accepting(listener->server);
            }
            return;
        }
        (void)connection_new(&listener->server->connections, accepted);
        h2o_accept(&listener->server->accept, accepted);
    }
}

void http_server_activate(struct http_server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        struct listener *listener = &server->listeners[i];
        listener->socket = h2o_evloop_socket_create(server->service.runtime->loop.h2o, listener->fd,
                                                    H2O_SOCKET_FLAG_DONT_READ);
        listener->fd = -1;
        listener->socket->data = listener;
        h2o_socket_read_start(listener->socket, on_accept_ready);
    }
}

static void close_listeners(struct http_server *server)
{
    timer_clear(&server->service.runtime->loop.timers, &server->accept_pause);
    for (size_t i = 0; i < server->listener_count; i++) {
        struct listener *listener = &server->listeners[i];
        if (listener->socket != NULL) {
            h2o_socket_close(listener->socket);
            listener->socket = NULL;
        } else if (listener->fd >= 0) {
            (void)close(listener->fd); /* our copy; the master has its own */
            listener->fd = -1;
        }
    }
    server->listener_count = 0;
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

void http_server_drain(struct http_server *server, uint64_t idle_ms,
                       void (*on_drained)(struct runtime *runtime))
{
    struct loop *loop = &server->service.runtime->loop;
    if (server->service.draining) {
        return;
    }
    server->service.draining = true;
    server->on_drained = on_drained;
    close_listeners(server);
    h2o_context_request_shutdown(&server->context);
    loop_set_timer(loop, &server->idle, idle_ms, on_idle_over);
    check_drained(server);
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
    close_listeners(server);
    timer_clear(&loop->timers, &server->idle);
    (void)h2o_evloop_run(loop->h2o, 0); /* libh2o frees closed sockets in its next turn */
    /* h2o_context_request_shutdown sets it also when no HTTP/2 connection exists, and dispose asserts */
    h2o_timeout_unlink(&server->context.http2._graceful_shutdown_timeout);
    connection_table_fini(&server->connections);
    h2o_context_dispose(&server->context);
    h2o_config_dispose(&server->globals);
    free_exchanges(&server->service);
    json_buf_fini(&server->service.json);
    free(server);
}
