/* connection.c - one struct of ours per accepted connection, and the lingering close.
 * Owns the list of all connections; the struct hangs on the socket's on_close, which libh2o calls after it has closed the
 * descriptor, so the count covers TLS handshakes, HTTP/1 and HTTP/2 alike.  To linger, the descriptor is duplicated before
 * libh2o closes it: our duplicate then sends FIN, discards what still comes, and closes after end of file, when nothing has come for
 * 2 s, or after 64 MiB or 15 s: so a client that sends all of a large body before it reads is told why nobody took it.  The struct is
 * small, because thousands of them idle: what only some need (to linger) is a struct of its own.
 * Called by server.c (drain), acceptor.c, intake.c and answer.c (linger).  Must not know requests, nor how long anything may take
 * (connection_clock.c). */
#include "worker/http/connection/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "worker/core/watch.h"
#include "worker/http/connection/connection_clock.h"

enum {
    LINGER_IDLE_MS = 2000,
    LINGER_MS = 15000,
    LINGER_BYTES_MAX = 64 * 1024 * 1024, /* whoever sends more is not going to read */
    LINGER_READS_MAX = 16,               /* in one turn, of LINGER_CHUNK bytes */
    LINGER_CHUNK = 16 * 1024,            /* on the stack */
    UNACKNOWLEDGED_MS = 10000, /* TCP_USER_TIMEOUT beyond the time for writing: the kernel's own
                                * end for peers that take nothing, should we not see it */
};

struct farewell {
    struct connection *connection; /* borrowed: its owner */
    int fd;                        /* owned duplicate of the socket */
    struct watch watch;
    struct timer timer;
    uint64_t end_ms;  /* monotonic: it is over then */
    size_t discarded; /* bytes */
};

void connection_table_init(struct connection_table *table, struct loop *loop, uint64_t seed,
                           void (*on_change)(struct connection_table *table))
{
    *table =
        (struct connection_table){.loop = loop, .peers = {.seed = seed}, .on_change = on_change};
}

bool connection_table_is_full(const struct connection_table *table)
{
    return table->limit != 0 && table->open >= table->limit;
}

bool connection_table_is_crowded(const struct connection_table *table)
{
    size_t most = table->limit != 0 && (table->room == 0 || table->limit < table->room)
                      ? table->limit
                      : table->room;
    return most != 0 && table->open >= most - most / 8;
}

static void unlink_connection(struct connection *connection)
{
    struct connection_table *table = connection->table;
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        table->first = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    if (table->clock.next == connection) {
        table->clock.next = connection->next;
    }
    if (connection->peer != 0) {
        peers_remove(&table->peers, connection->peer);
    }
    table->open--;
}

static void close_linger(struct connection *connection)
{
    struct farewell *farewell = connection->farewell;
    if (farewell == NULL) {
        return;
    }
    watch_remove(connection->table->loop, &farewell->watch);
    timer_clear(&connection->table->loop->timers, &farewell->timer);
    fd_close(&farewell->fd);
    free(farewell);
    connection->farewell = NULL;
}

void connection_table_fini(struct connection_table *table)
{
    struct connection *next;
    for (struct connection *connection = table->first; connection != NULL; connection = next) {
        next = connection->next;
        close_linger(connection);
        free(connection);
    }
    connection_clock_stop(table);
    peers_fini(&table->peers);
    table->first = NULL;
    table->open = 0;
}

static void on_end(struct loop_job *job)
{
    struct connection *connection = H2O_STRUCT_FROM_MEMBER(struct connection, end, job);
    struct connection_table *table = connection->table;
    close_linger(connection);
    unlink_connection(connection);
    free(connection);
    table->on_change(table);
}

static void end(struct connection *connection)
{
    loop_defer(connection->table->loop, &connection->end, on_end);
}

static void on_linger_over(struct timer *timer)
{
    end(H2O_STRUCT_FROM_MEMBER(struct farewell, timer, timer)->connection);
}

/* Until nothing has come for a while, or all in all for too long. */
static void set_linger_timer(struct farewell *farewell)
{
    uint64_t now_ms = clock_monotonic_us() / 1000;
    uint64_t left_ms = farewell->end_ms > now_ms ? farewell->end_ms - now_ms : 0;
    loop_set_timer(farewell->connection->table->loop, &farewell->timer,
                   left_ms < LINGER_IDLE_MS ? left_ms : LINGER_IDLE_MS, on_linger_over);
}

static void on_linger_readable(struct watch *watch, uint32_t events)
{
    (void)events;
    struct farewell *farewell = H2O_STRUCT_FROM_MEMBER(struct farewell, watch, watch);
    char discarded[LINGER_CHUNK];
    for (int i = 0; i < LINGER_READS_MAX; i++) {
        ssize_t got = recv(watch->fd, discarded, sizeof(discarded), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        }
        if (got > 0) {
            farewell->discarded += (size_t)got;
        }
        if (got <= 0 || farewell->discarded > LINGER_BYTES_MAX) {
            end(farewell->connection);
            return;
        }
    }
    set_linger_timer(farewell);
}

/* libh2o has closed its descriptor. */
static void on_socket_closed(void *data)
{
    struct connection *connection = data;
    struct loop *loop = connection->table->loop;
    struct farewell *farewell = connection->farewell;
    connection->socket = NULL;
    if (farewell == NULL || shutdown(farewell->fd, SHUT_WR) != 0 ||
        watch_add(loop, &farewell->watch, farewell->fd, EPOLLIN | EPOLLRDHUP, on_linger_readable) !=
            0) {
        end(connection);
        return;
    }
    farewell->end_ms = clock_monotonic_us() / 1000 + LINGER_MS;
    set_linger_timer(farewell);
}

/* Whose connection it is; 0: a Unix socket's. */
static uint64_t find_peer(h2o_socket_t *socket)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_storage room;
    } name = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t len = sizeof(name);
    struct address address = {.bytes = {[10] = 0xff, [11] = 0xff}};
    /* not libh2o's, which keeps what it finds in memory of its own */
    if (getpeername(h2o_socket_get_fd(socket), &name.any, &len) != 0) {
        return 0;
    }
    if (name.any.sa_family == AF_INET) {
        memcpy(address.bytes + 12, &name.ipv4.sin_addr, 4);
    } else if (name.any.sa_family == AF_INET6) {
        memcpy(address.bytes, &name.ipv6.sin6_addr, sizeof(address.bytes));
    } else {
        return 0;
    }
    return peers_key(&address);
}

struct connection *connection_new(struct connection_table *table, h2o_socket_t *socket)
{
    uint64_t peer = table->limit_each == 0 ? 0 : find_peer(socket);
    table->accepted++;
    if (peer != 0 && peers_count(&table->peers, peer) >= table->limit_each) {
        table->refused++;
        table->on_change(table);
        return NULL;
    }
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        abort();
    }
    connection->table = table;
    connection->socket = socket;
    connection->peer = peer;
    if (peer != 0) {
        peers_add(&table->peers, peer);
    }
    connection->next = table->first;
    if (table->first != NULL) {
        table->first->previous = connection;
    }
    table->first = connection;
    table->open++;
    socket->on_close.cb = on_socket_closed;
    socket->on_close.data = connection;
    unsigned timeout_ms = table->clock.limits.write_ms + UNACKNOWLEDGED_MS;
    /* fails for Unix sockets, which don't need it */
    (void)setsockopt(h2o_socket_get_fd(socket), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
                     sizeof(timeout_ms));
    connection_clock_run(table);
    table->on_change(table);
    return connection;
}

struct connection *connection_of(h2o_req_t *req)
{
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    return socket == NULL ? NULL : socket->on_close.data;
}

void connection_linger(struct connection *connection, h2o_socket_t *socket)
{
    if (connection->farewell != NULL || socket->ssl != NULL) {
        return;
    }
    int fd = fcntl(h2o_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        return; /* without a free descriptor the close is an abrupt one, as libh2o's is */
    }
    struct farewell *farewell = calloc(1, sizeof(*farewell));
    if (farewell == NULL) {
        abort();
    }
    farewell->connection = connection;
    farewell->fd = fd;
    farewell->watch.fd = -1;
    connection->farewell = farewell;
}
