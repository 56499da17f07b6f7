/* acceptor.c - the listening sockets of one worker: its slot's own, and those that other slots lend.
 * Owns our copies of them.  Before activation they are kept; then libh2o polls them, and each wake-up accepts a batch.  A
 * socket without SO_REUSEPORT is shared by all workers (Unix sockets, socket activation), and they take turns.  To empty the
 * queues the sockets are no longer polled but looked at, until two looks have found each of them empty: the second one is for
 * what was in the middle of its handshake.
 * Called by server.c.  Must not know what a connection is used for, nor why nothing more is to be accepted. */
#include "worker/http/connection/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <h2o/http1.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "worker/core/runtime.h"
#include "worker/http/connection/connection.h"

enum {
    ACCEPT_BATCH = 16,     /* so that one burst does not starve the requests of open connections */
    SAY_MS = 10000,        /* the same, again */
    ACCEPT_PAUSE_MS = 100, /* when descriptors have run out: the listener would wake us for ever */
    SPARE_FDS = 16, /* for what the master and other workers hand over: without a number for it
                              other code would be the end of the worker */
    EMPTYING_BATCH = 256, /* each look; the worker's heart goes on beating */
    EMPTYING_PAUSE_MS = 1,
    EMPTYING_LOOKS = 2,
    EMPTYING_MS = 1000, /* whoever floods us loses what comes later */
    EMPTYING_MAX = 10000,
};

enum batch_end {
    BATCH_DRY,       /* nothing waits any more */
    BATCH_FULL,      /* something may be left */
    BATCH_TOO_MANY,  /* as many are open as may be */
    BATCH_EXHAUSTED, /* we are out of descriptors or memory */
};

void acceptor_init(struct acceptor *acceptor, struct runtime *runtime,
                   struct connection_table *connections)
{
    *acceptor = (struct acceptor){.runtime = runtime, .connections = connections};
}

/* Would the next descriptor be one of those that are kept free?  Numbers are given out from below. */
static bool is_near_limit(struct acceptor *acceptor, int listening)
{
    if (!acceptor->is_near_limit) {
        return false;
    }
    int fd = fcntl(listening, F_DUPFD_CLOEXEC, 0);
    acceptor->is_near_limit = fd < 0 || (uint64_t)fd + SPARE_FDS >= acceptor->fd_limit;
    fd_close(&fd);
    return acceptor->is_near_limit;
}

/* One batch of connections from a listener. */
static enum batch_end accept_batch(struct listener *listener, int limit)
{
    struct acceptor *acceptor = listener->acceptor;
    for (int i = 0; i < limit; i++) {
        if (acceptor->state == ACCEPTOR_ACCEPTING &&
            connection_table_is_full(acceptor->connections)) {
            return BATCH_TOO_MANY;
        }
        if (is_near_limit(acceptor, h2o_socket_get_fd(listener->socket))) {
            return BATCH_EXHAUSTED;
        }
        errno = 0;
        h2o_socket_t *accepted = h2o_evloop_socket_accept(listener->socket);
        if (accepted == NULL) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                return BATCH_EXHAUSTED;
            }
            return errno == EAGAIN ? BATCH_DRY : BATCH_FULL;
        }
        uint64_t fd = (uint64_t)h2o_socket_get_fd(accepted);
        acceptor->is_near_limit = fd + SPARE_FDS >= acceptor->fd_limit;
        if (connection_new(acceptor->connections, accepted) == NULL) {
            h2o_socket_close(accepted);
        } else {
            h2o_accept(&acceptor->context, accepted);
        }
    }
    return BATCH_FULL;
}

static void stop_polling(struct acceptor *acceptor)
{
    for (size_t i = 0; i < ACCEPTOR_MAX; i++) {
        if (acceptor->listeners[i].socket != NULL) {
            h2o_socket_read_stop(acceptor->listeners[i].socket);
        }
    }
}

static void say_paused(struct acceptor *acceptor, enum batch_end why)
{
    uint64_t now_ms = clock_monotonic_ms();
    if (acceptor->said_ms != 0 && now_ms - acceptor->said_ms < SAY_MS) {
        return;
    }
    acceptor->said_ms = now_ms;
    if (why == BATCH_TOO_MANY) {
        logger_write(&acceptor->runtime->logger, LOG_LEVEL_WARNING,
                     "cannot accept connections for %d ms: %zu are open, as many as may be",
                     ACCEPT_PAUSE_MS, acceptor->connections->open);
    } else {
        logger_write(&acceptor->runtime->logger, LOG_LEVEL_WARNING,
                     "cannot accept connections for %d ms: out of file descriptors or memory",
                     ACCEPT_PAUSE_MS);
    }
}

static void on_pause_over(struct timer *timer);

static void on_connection_waits(h2o_socket_t *socket, const char *err)
{
    if (err != NULL) {
        return;
    }
    struct listener *listener = socket->data;
    struct acceptor *acceptor = listener->acceptor;
    if (listener->is_shared) {
        loop_take_turns(&acceptor->runtime->loop, socket);
    }
    enum batch_end end = accept_batch(listener, ACCEPT_BATCH);
    if (end == BATCH_TOO_MANY || end == BATCH_EXHAUSTED) {
        stop_polling(acceptor);
        say_paused(acceptor, end);
        loop_set_timer(&acceptor->runtime->loop, &acceptor->timer, ACCEPT_PAUSE_MS, on_pause_over);
    }
}

static void on_pause_over(struct timer *timer)
{
    struct acceptor *acceptor = H2O_STRUCT_FROM_MEMBER(struct acceptor, timer, timer);
    for (size_t i = 0; i < ACCEPTOR_MAX; i++) {
        if (acceptor->listeners[i].socket != NULL) {
            h2o_socket_read_start(acceptor->listeners[i].socket, on_connection_waits);
        }
    }
}

static void open_listener(struct listener *listener)
{
    struct acceptor *acceptor = listener->acceptor;
    listener->socket = h2o_evloop_socket_create(acceptor->runtime->loop.h2o, listener->fd,
                                                H2O_SOCKET_FLAG_DONT_READ);
    listener->fd = -1;
    listener->socket->data = listener;
    if (!timer_is_set(&acceptor->timer)) { /* else it begins with the others, after the pause */
        h2o_socket_read_start(listener->socket, on_connection_waits);
    }
}

static void close_listener(struct listener *listener)
{
    if (listener->socket != NULL) {
        h2o_socket_close(listener->socket);
        listener->socket = NULL;
    } else {
        fd_close(&listener->fd);
    }
    listener->acceptor = NULL;
}

static struct listener *find_free(struct acceptor *acceptor)
{
    size_t limit = acceptor->state == ACCEPTOR_KEEPING ? ACCEPTOR_OWN_MAX : ACCEPTOR_MAX;
    for (size_t i = 0; i < limit; i++) {
        if (acceptor->listeners[i].acceptor == NULL) {
            return &acceptor->listeners[i];
        }
    }
    return NULL;
}

/* The master gives SO_REUSEPORT to each socket that belongs to one slot. */
static bool is_shared(int fd)
{
    int reuses_port = 1;
    socklen_t len = sizeof(reuses_port);
    (void)getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &reuses_port, &len);
    return reuses_port == 0;
}

int acceptor_add(struct acceptor *acceptor, int fd, uint64_t slot)
{
    if (acceptor->state == ACCEPTOR_EMPTYING || acceptor->state == ACCEPTOR_STOPPED) {
        return -ESHUTDOWN;
    }
    struct listener *listener = find_free(acceptor);
    if (listener == NULL) {
        return -ENOSPC;
    }
    *listener = (struct listener){acceptor, slot, fd, NULL, is_shared(fd)};
    if (acceptor->state == ACCEPTOR_ACCEPTING) {
        open_listener(listener);
    }
    return 0;
}

void acceptor_remove(struct acceptor *acceptor, uint64_t slot)
{
    for (size_t i = 0; i < ACCEPTOR_MAX; i++) {
        struct listener *listener = &acceptor->listeners[i];
        if (listener->acceptor != NULL && listener->slot == slot) {
            close_listener(listener);
        }
    }
}

void acceptor_start(struct acceptor *acceptor)
{
    struct rlimit files = {RLIM_INFINITY, RLIM_INFINITY};
    (void)getrlimit(RLIMIT_NOFILE, &files); /* fails for bad addresses only */
    acceptor->fd_limit = files.rlim_cur;
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0); /* how many are in use already */
    uint64_t used = fd < 0 ? 0 : (uint64_t)fd + SPARE_FDS;
    fd_close(&fd);
    acceptor->connections->room = used < files.rlim_cur ? files.rlim_cur - used : 1;
    acceptor->state = ACCEPTOR_ACCEPTING;
    for (size_t i = 0; i < ACCEPTOR_MAX; i++) {
        if (acceptor->listeners[i].acceptor != NULL) {
            open_listener(&acceptor->listeners[i]);
        }
    }
}

void acceptor_stop(struct acceptor *acceptor)
{
    acceptor->state = ACCEPTOR_STOPPED;
    timer_clear(&acceptor->runtime->loop.timers, &acceptor->timer);
    for (size_t i = 0; i < ACCEPTOR_MAX; i++) {
        if (acceptor->listeners[i].acceptor != NULL) {
            close_listener(&acceptor->listeners[i]);
        }
    }
}

/* A batch from each listener; the worst of their ends. */
static enum batch_end look(struct acceptor *acceptor)
{
    enum batch_end end = BATCH_DRY;
    for (size_t i = 0; i < ACCEPTOR_MAX && end != BATCH_EXHAUSTED; i++) {
        struct listener *listener = &acceptor->listeners[i];
        if (listener->socket != NULL) {
            enum batch_end one = accept_batch(listener, EMPTYING_BATCH);
            end = one > end ? one : end;
        }
    }
    return end;
}

static void on_look(struct timer *timer)
{
    struct acceptor *acceptor = H2O_STRUCT_FROM_MEMBER(struct acceptor, timer, timer);
    enum batch_end end = look(acceptor);
    acceptor->looks += end == BATCH_DRY;
    if (acceptor->looks == EMPTYING_LOOKS ||
        acceptor->connections->accepted >= acceptor->accepted_limit ||
        clock_monotonic_ms() >= acceptor->end_ms) {
        acceptor_stop(acceptor);
        acceptor->on_stopped(acceptor);
        return;
    }
    if (end == BATCH_EXHAUSTED) {
        say_paused(acceptor, end);
    }
    loop_set_timer(&acceptor->runtime->loop, timer,
                   end == BATCH_EXHAUSTED ? ACCEPT_PAUSE_MS : EMPTYING_PAUSE_MS, on_look);
}

void acceptor_empty(struct acceptor *acceptor, void (*on_stopped)(struct acceptor *acceptor))
{
    acceptor->state = ACCEPTOR_EMPTYING;
    acceptor->looks = 0;
    acceptor->accepted_limit = acceptor->connections->accepted + EMPTYING_MAX;
    acceptor->end_ms = clock_monotonic_ms() + EMPTYING_MS;
    acceptor->on_stopped = on_stopped;
    stop_polling(acceptor);
    loop_set_timer(&acceptor->runtime->loop, &acceptor->timer, 0, on_look);
}
