/* control_peer.c - one connection to the control socket.
 * Owns the descriptor, its event sources and both buffers.
 * How: what arrives is cut into lines and handed up; what is sent goes out at once as far as the socket takes it, the rest
 * waits for EPOLLOUT.  A peer that shuts down its sending side still gets the answers that somebody holds it for.
 * References keep the struct alive while answers are outstanding; a closed peer ignores what is sent to it.
 * Called by control.c and the event loop.  Must not know JSON, methods or permissions. */
#include "daemon/control/control_peer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/line.h"
#include "daemon/control/control_output.h"

enum { READ_BYTES = 16 * 1024 };

enum peer_state {
    PEER_OPEN,
    PEER_INPUT_ENDED, /* nothing more will come, answers may still go */
    PEER_ENDING,      /* the owner is being told */
    PEER_CLOSED,
};

struct control_peer {
    const struct control_peer_limits *limits; /* borrowed */
    const struct control_peer_events *events; /* borrowed */
    void *owner;                              /* borrowed */
    int fd;                                   /* owned; -1 in PEER_CLOSED */
    enum peer_state state;
    unsigned references; /* the owner's, holds, and running callbacks */
    unsigned holds;
    sd_event_source *io;      /* owned */
    sd_event_source *silence; /* owned; runs while a line is incomplete */
    sd_event_source *stuck;   /* owned; runs while output waits and none of it moves */
    struct line line;
    struct control_output output;
};

static void drop_reference(struct control_peer *peer)
{
    assert(peer->references > 0);
    if (--peer->references > 0) {
        return;
    }
    assert(peer->state == PEER_CLOSED);
    line_fini(&peer->line);
    control_output_fini(&peer->output);
    free(peer);
}

static bool is_alive(const struct control_peer *peer)
{
    return peer->state < PEER_ENDING;
}

/* The owner closes the peer in here; who looks at it afterwards must hold a reference. */
static void end(struct control_peer *peer, int reason)
{
    if (is_alive(peer)) {
        peer->state = PEER_ENDING;
        peer->events->on_end(peer->owner, peer, reason);
    }
}

static bool has_output(const struct control_peer *peer)
{
    return control_output_waiting(&peer->output) > 0;
}

static void update_events(struct control_peer *peer)
{
    uint32_t mask = (peer->state == PEER_OPEN ? EPOLLIN : 0U) | (has_output(peer) ? EPOLLOUT : 0U);
    int r = sd_event_source_set_io_events(peer->io, mask);
    if (r < 0) { /* the kernel is out of memory: one peer less, not a daemon less */
        end(peer, r);
    }
}

static void watch_output(struct control_peer *peer, bool has_moved)
{
    int enabled = SD_EVENT_OFF;
    (void)sd_event_source_get_enabled(peer->stuck, &enabled);
    if (has_output(peer) && enabled != SD_EVENT_OFF && !has_moved) {
        return;
    }
    if (has_output(peer)) {
        int r = sd_event_source_set_time_relative(peer->stuck, peer->limits->stuck_ms * 1000);
        assert(r >= 0); /* as for silence below */
    }
    int r = sd_event_source_set_enabled(peer->stuck,
                                        has_output(peer) ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
    assert(r >= 0);
}

void control_peer_send(struct control_peer *peer, const char *bytes, size_t len)
{
    if (peer->state == PEER_CLOSED || len == 0) {
        return;
    }
    ssize_t n = 0;
    if (!has_output(peer)) {
        n = send(peer->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            end(peer, -errno);
            return;
        }
        n = n < 0 ? 0 : n;
    }
    if ((size_t)n == len) {
        return;
    }
    int r =
        control_output_add(&peer->output, bytes + n, len - (size_t)n, peer->limits->output_bytes);
    if (r < 0) {
        end(peer, r);
        return;
    }
    if (is_alive(peer)) {
        watch_output(peer, false);
        update_events(peer);
    }
}

static void watch_silence(struct control_peer *peer)
{
    bool partial = line_is_partial(&peer->line) && peer->state == PEER_OPEN;
    int enabled = SD_EVENT_OFF;
    (void)sd_event_source_get_enabled(peer->silence, &enabled);
    if (partial && enabled != SD_EVENT_OFF) {
        return; /* the limit is for the whole line: a byte now and then does not buy time */
    }
    if (partial) {
        int r = sd_event_source_set_time_relative(peer->silence, peer->limits->silent_ms * 1000);
        assert(r >= 0); /* a live source of the monotonic clock, and no system call yet */
    }
    int r = sd_event_source_set_enabled(peer->silence, partial ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
    assert(r >= 0);
}

static void take_lines(struct control_peer *peer)
{
    char *text = NULL;
    size_t len = 0;
    int r = 0;
    while (is_alive(peer) && (r = line_next(&peer->line, &text, &len)) == 1) {
        (void)sd_event_source_set_enabled(peer->silence,
                                          SD_EVENT_OFF); /* of this line; it was in time */
        peer->events->on_line(peer->owner, peer, text, len);
    }
    if (r < 0) {
        end(peer, r);
    }
}

/* One read each turn of the loop, so that a peer that writes without end cannot keep it. */
static void on_readable(struct control_peer *peer)
{
    char block[READ_BYTES];
    ssize_t n = recv(peer->fd, block, sizeof(block), MSG_DONTWAIT);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            end(peer, -errno);
        }
        return;
    }
    if (n == 0) {
        peer->state = PEER_INPUT_ENDED;
        update_events(peer);
    } else {
        int r = line_append(&peer->line, block, (size_t)n);
        if (r < 0) {
            end(peer, r);
            return;
        }
        take_lines(peer);
    }
    if (is_alive(peer)) {
        watch_silence(peer);
    }
}

static void on_writable(struct control_peer *peer)
{
    size_t before = control_output_waiting(&peer->output);
    int r = control_output_flush(&peer->output, peer->fd);
    if (r < 0) {
        end(peer, r);
        return;
    }
    watch_output(peer, control_output_waiting(&peer->output) < before);
    update_events(peer);
    if (is_alive(peer) && before > 0 && !has_output(peer)) {
        peer->events->on_drained(peer->owner, peer);
    }
}

static void end_if_done(struct control_peer *peer)
{
    if (peer->state == PEER_INPUT_ENDED && peer->holds == 0 && !has_output(peer)) {
        end(peer, 0);
    }
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source;
    (void)fd;
    struct control_peer *peer = userdata;
    peer->references++;
    if ((revents & EPOLLOUT) != 0) {
        on_writable(peer);
    }
    if (peer->state == PEER_INPUT_ENDED && (revents & (EPOLLHUP | EPOLLERR)) != 0) {
        end(peer, 0); /* it will not read either */
    }
    if (peer->state == PEER_OPEN && (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        on_readable(peer);
    }
    end_if_done(peer);
    drop_reference(peer);
    return 0;
}

static int on_silence(sd_event_source *source, uint64_t now_us, void *userdata)
{
    (void)source;
    (void)now_us;
    struct control_peer *peer = userdata;
    end(peer, -ETIMEDOUT);
    return 0;
}

static int on_stuck(sd_event_source *source, uint64_t now_us, void *userdata)
{
    (void)source;
    (void)now_us;
    struct control_peer *peer = userdata;
    end(peer, -ENOBUFS);
    return 0;
}

/* A timer that does not run yet. */
static int add_timer(sd_event *loop, sd_event_source **ret_timer, sd_event_time_handler_t on_time,
                     struct control_peer *peer)
{
    int r = sd_event_add_time_relative(loop, ret_timer, CLOCK_MONOTONIC, 0, 0, on_time, peer);
    return r >= 0 ? sd_event_source_set_enabled(*ret_timer, SD_EVENT_OFF) : r;
}

static void drop_sources(struct control_peer *peer)
{
    peer->io = sd_event_source_disable_unref(peer->io);
    peer->silence = sd_event_source_disable_unref(peer->silence);
    peer->stuck = sd_event_source_disable_unref(peer->stuck);
}

int control_peer_open(struct control_peer **ret_peer, sd_event *loop, int fd,
                      const struct control_peer_limits *limits,
                      const struct control_peer_events *events, void *owner)
{
    struct control_peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL) {
        return -ENOMEM;
    }
    peer->limits = limits;
    peer->events = events;
    peer->owner = owner;
    peer->references = 1;
    line_init(&peer->line, limits->line_bytes);
    int r = sd_event_add_io(loop, &peer->io, fd, EPOLLIN, on_io, peer);
    if (r >= 0) {
        r = add_timer(loop, &peer->silence, on_silence, peer);
    }
    if (r >= 0) {
        r = add_timer(loop, &peer->stuck, on_stuck, peer);
    }
    if (r < 0) {
        peer->state = PEER_CLOSED;
        drop_sources(peer);
        drop_reference(peer);
        return r;
    }
    peer->fd = fd;
    *ret_peer = peer;
    return 0;
}

void control_peer_close(struct control_peer *peer)
{
    assert(peer->state != PEER_CLOSED);
    peer->state = PEER_CLOSED;
    (void)control_output_flush(&peer->output, peer->fd); /* what does not go now is lost */
    drop_sources(peer);
    fd_close(&peer->fd);
    drop_reference(peer);
}

void control_peer_hold(struct control_peer *peer)
{
    peer->references++;
    peer->holds++;
}

void control_peer_release(struct control_peer *peer)
{
    assert(peer->holds > 0);
    peer->holds--;
    end_if_done(peer);
    drop_reference(peer);
}

unsigned control_peer_holds(const struct control_peer *peer)
{
    return peer->holds;
}

int control_peer_get_fd(const struct control_peer *peer)
{
    return is_alive(peer) ? peer->fd : -1;
}

bool control_peer_is_idle(const struct control_peer *peer)
{
    int unread = 0;
    if (peer->state == PEER_OPEN && ioctl(peer->fd, FIONREAD, &unread) < 0) {
        return true; /* a broken one; its end will be seen */
    }
    return peer->holds == 0 && unread == 0;
}

bool control_peer_is_open(const struct control_peer *peer)
{
    return is_alive(peer);
}

size_t control_peer_waiting(const struct control_peer *peer)
{
    return control_output_waiting(&peer->output);
}
