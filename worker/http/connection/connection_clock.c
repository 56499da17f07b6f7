/* connection_clock.c - connections that take too long: for a head, a body, an answer, or between two requests.
 * Owns no memory.  One timer for all: every second (more often when limits are short) all connections are looked at, some hundred in
 * a turn of the loop; so an ordinary request pays for no timer.  What a connection does shows from outside: libh2o 2.2.5 keeps
 * what it has read of a request, with its head, in the socket's input until it is answered, and does not read while a handler
 * runs.  Its own timeout, one for head, body and idleness together, is out of the way (server.c).
 * When there is hardly room for more connections, idle ones go after a second, so that they keep nobody out.
 * Who is slow with a request gets a 408, written past libh2o, which writes nothing at that time; who does not take an answer is
 * reset.
 * Called by connection.c, and server.c with the limits.  Must not know requests, nor when something is too long (pace.c). */
#include "worker/http/connection/connection_clock.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "worker/http/connection/connection.h"

enum {
    LOOKS_A_TURN = 256, /* each some 100 ns, of memory that is no longer in a cache */
    PAUSE_MS = 1,
    CROWDED_IDLE_MS = 1000, /* where there is hardly room for more connections */
};

/* The bytes of a body that the client has got, or something else that changes with them. */
static uint32_t count_taken(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0) {
        return (uint32_t)info.tcpi_bytes_acked;
    }
    int held = 0; /* a Unix socket */
    (void)ioctl(fd, SIOCOUTQ, &held);
    return (uint32_t)-held;
}

static bool has_whole_head(const h2o_buffer_t *input)
{
    /* libh2o takes lines without CR, too; guard_head.c refuses them later */
    return memmem(input->bytes, input->size, "\n\r\n", 3) != NULL ||
           memmem(input->bytes, input->size, "\n\n", 2) != NULL;
}

static struct pace_sight look_at(const struct connection *connection)
{
    h2o_socket_t *socket = connection->socket;
    struct pace_sight sight = {.phase = PACE_BUSY, .requests = connection->requests};
    if (connection->has_own_times) {
        return sight;
    }
    if (h2o_socket_is_writing(socket)) {
        sight.phase = PACE_WRITING;
        sight.moved = count_taken(h2o_socket_get_fd(socket));
    } else if (h2o_socket_is_reading(socket)) {
        sight.moved = (uint32_t)socket->bytes_read;
        bool was_body = connection->pace.phase == PACE_BODY &&
                        connection->pace.requests == connection->requests;
        if (socket->input->size == 0) {
            sight.phase = PACE_IDLE;
        } else {
            sight.phase = was_body || has_whole_head(socket->input) ? PACE_BODY : PACE_HEAD;
        }
    }
    return sight;
}

static void hang_up(const struct connection *connection)
{
    int fd = h2o_socket_get_fd(connection->socket);
    struct linger reset = {.l_onoff = 1, .l_linger = 0}; /* what it did not take is dropped */
    /* neither fails for a socket that is open; libh2o's write then does, and it closes */
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void)shutdown(fd, SHUT_RDWR);
}

/* Libh2o waits for bytes: it is told that there was an error, and closes. */
static void stop_reading(const struct connection *connection)
{
    connection->socket->_cb.read(connection->socket, "cut");
}

/* The head's size is no reason to wait for its end. */
static bool is_too_large(const struct connection *connection, const struct pace_sight *sight)
{
    size_t limit = connection->table->clock.head_bytes;
    return sight->phase == PACE_HEAD && limit != 0 && connection->socket->input->size > limit;
}

static void refuse(struct connection *connection, const char *status, const char *message)
{
    char text[256];
    int len = snprintf(text, sizeof(text),
                       "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: application/json; "
                       "charset=utf-8\r\nContent-Length: %zu\r\n\r\n{\"error\":\"%s\"}",
                       status, strlen(message) + strlen("{\"error\":\"\"}"), message);
    if (connection->socket->ssl == NULL) {
        /* who has no room for it does not get it */
        (void)send(h2o_socket_get_fd(connection->socket), text, (size_t)len,
                   MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    connection_linger(connection, connection->socket);
    stop_reading(connection);
}

/* What the client has sent is with the kernel: it is us who are late. */
static bool is_ours_to_read(const struct connection *connection)
{
    int unread = 0;
    return connection->pace.phase != PACE_WRITING &&
           ioctl(h2o_socket_get_fd(connection->socket), FIONREAD, &unread) == 0 && unread > 0;
}

static void cut(struct connection *connection)
{
    if (is_ours_to_read(connection)) {
        return;
    }
    connection->table->clock.cut++;
    switch ((enum pace_phase)connection->pace.phase) {
    case PACE_BUSY:
        break;
    case PACE_IDLE:
        stop_reading(connection);
        break;
    case PACE_HEAD:
    case PACE_BODY:
        refuse(connection, "408 Request Timeout", "the request did not come in time");
        break;
    case PACE_WRITING:
        hang_up(connection);
        break;
    }
    connection->table->on_change(connection->table);
}

static void look(struct connection *connection, const struct pace_limits *limits, uint64_t now_ms)
{
    if (connection->socket == NULL) {
        return; /* it lingers */
    }
    struct pace_sight sight = look_at(connection);
    if (pace_look(&connection->pace, &sight, limits, now_ms) != PACE_GOES_ON) {
        cut(connection);
    } else if (is_too_large(connection, &sight)) {
        const h2o_buffer_t *input = connection->socket->input;
        bool has_line = memchr(input->bytes, '\n', input->size) != NULL;
        refuse(connection, has_line ? "431 Request Header Fields Too Large" : "414 URI Too Long",
               has_line ? "the header fields are larger than the limit"
                        : "the URL is longer than the limit");
    }
}

static void on_look(struct timer *timer)
{
    struct connection_clock *clock = H2O_STRUCT_FROM_MEMBER(struct connection_clock, timer, timer);
    struct connection_table *table = H2O_STRUCT_FROM_MEMBER(struct connection_table, clock, clock);
    uint64_t now_ms = clock_monotonic_ms();
    struct pace_limits limits = clock->limits;
    if (connection_table_is_crowded(table) &&
        (limits.idle_ms == 0 || limits.idle_ms > CROWDED_IDLE_MS)) {
        limits.idle_ms = CROWDED_IDLE_MS;
    }
    if (clock->next == NULL) {
        clock->next = table->first;
    }
    for (int i = 0; i < LOOKS_A_TURN && clock->next != NULL; i++) {
        struct connection *connection = clock->next;
        clock->next = connection->next;
        look(connection, &limits, now_ms);
    }
    if (table->first != NULL) {
        loop_set_timer(table->loop, timer,
                       clock->next == NULL ? pace_interval_ms(&clock->limits) : PAUSE_MS, on_look);
    }
}

void connection_clock_run(struct connection_table *table)
{
    if (!timer_is_set(&table->clock.timer)) {
        loop_set_timer(table->loop, &table->clock.timer, pace_interval_ms(&table->clock.limits),
                       on_look);
    }
}

void connection_clock_set(struct connection_table *table, const struct pace_limits *limits,
                          size_t head_bytes)
{
    table->clock.limits = *limits;
    table->clock.head_bytes = head_bytes;
    if (timer_is_set(&table->clock.timer)) {
        loop_set_timer(table->loop, &table->clock.timer, 0, on_look);
    }
}

void connection_clock_stop(struct connection_table *table)
{
    timer_clear(&table->loop->timers, &table->clock.timer);
}
