/* connection.c - one struct of ours per accepted connection, and the lingering close.
 * Owns the list of all connections; the struct hangs on the socket's on_close, which libh2o calls after it has closed the
 * descriptor, so the count covers TLS handshakes, HTTP/1 and HTTP/2 alike.  To linger, the descriptor is duplicated before
 * libh2o closes it: our duplicate then sends FIN, discards what still comes, and closes after end of file, 64 KiB or 2 s.
 * Called by server.c (accept, drain) and answer.c (linger).  Must not know requests. */
#include "worker/http/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"

enum {
    LINGER_MS = 2000,
    LINGER_READS_MAX = 16, /* of LINGER_CHUNK bytes: whoever sends more is not reading answers */
    LINGER_CHUNK = 4096,   /* on the stack */
    UNACKNOWLEDGED_MS =
        30000, /* TCP_USER_TIMEOUT: a peer that takes no data for so long is gone; libh2o has no
                                * write timeout */
};

void connection_table_init(struct connection_table *table, struct loop *loop,
                           void (*on_change)(struct connection_table *table))
{
    *table = (struct connection_table){.loop = loop, .on_change = on_change};
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
    table->open--;
}

static void close_linger(struct connection *connection)
{
    watch_remove(connection->table->loop, &connection->linger_watch);
    timer_clear(&connection->table->loop->timers, &connection->linger_timer);
    fd_close(&connection->linger_fd);
}

void connection_table_fini(struct connection_table *table)
{
    struct connection *next;
    for (struct connection *connection = table->first; connection != NULL; connection = next) {
        next = connection->next;
        close_linger(connection);
        free(connection);
    }
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
    end(H2O_STRUCT_FROM_MEMBER(struct connection, linger_timer, timer));
}

static void on_linger_readable(struct watch *watch, uint32_t events)
{
    (void)events;
    char discarded[LINGER_CHUNK];
    for (int i = 0; i < LINGER_READS_MAX; i++) {
        ssize_t got = recv(watch->fd, discarded, sizeof(discarded), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (got <= 0) {
            break;
        }
    }
    end(H2O_STRUCT_FROM_MEMBER(struct connection, linger_watch, watch));
}

/* libh2o has closed its descriptor. */
static void on_socket_closed(void *data)
{
    struct connection *connection = data;
    struct loop *loop = connection->table->loop;
    int fd = connection->linger_fd;
    if (fd < 0 || shutdown(fd, SHUT_WR) != 0 ||
        watch_add(loop, &connection->linger_watch, fd, EPOLLIN | EPOLLRDHUP, on_linger_readable) !=
            0) {
        end(connection);
        return;
    }
    loop_set_timer(loop, &connection->linger_timer, LINGER_MS, on_linger_over);
}

struct connection *connection_new(struct connection_table *table, h2o_socket_t *socket)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        abort();
    }
    connection->table = table;
    connection->linger_fd = -1;
    connection->linger_watch.fd = -1;
    connection->next = table->first;
    if (table->first != NULL) {
        table->first->previous = connection;
    }
    table->first = connection;
    table->open++;
    table->accepted++;
    socket->on_close.cb = on_socket_closed;
    socket->on_close.data = connection;
    unsigned timeout_ms = UNACKNOWLEDGED_MS;
    /* fails for Unix sockets, which don't need it */
    (void)setsockopt(h2o_socket_get_fd(socket), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
                     sizeof(timeout_ms));
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
    if (connection->linger_fd < 0 && socket->ssl == NULL) {
        connection->linger_fd = fcntl(h2o_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0);
        /* without a free descriptor the close is an abrupt one, as libh2o's is */
    }
}
