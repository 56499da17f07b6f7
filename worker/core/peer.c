/* peer.c - a link to another worker: a stream socket in the loop, frames in and out.
 * Owns the descriptor and both buffers.  Frames of one turn leave in one write; what the socket does not take waits until it
 * is writable.  Reading has its share of a turn and goes on in the next.  An end, whoever notices it, is told by a job of its
 * own, so that nobody is called back out of a send; the memory goes by the same job, behind all who may still be using it.
 * Called by the actors' messages between workers.  Must not know what is in a frame, nor who is at the other end. */
#include "worker/core/peer.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum {
    PATIENCE_BYTES = 64 << 20, /* more than signals come to; many long answers at a time may */
    PATIENCE_US = 1000000,
    FINISH_POLL_MS = 10,
};

static void on_job(struct loop_job *job);

static void schedule(struct peer *peer)
{
    loop_defer(peer->loop, &peer->job, on_job);
}

/* Only the first reason counts. */
static void lose(struct peer *peer, const char *why)
{
    if (peer->why == NULL) {
        peer->why = why;
        watch_remove(peer->loop, &peer->watch);
        schedule(peer);
    }
}

static bool is_open(const struct peer *peer)
{
    return peer->why == NULL && !peer->is_closed;
}

static void read_frames(struct peer *peer)
{
    const unsigned char *frame = NULL;
    size_t len = 0;
    int r = 0;
    while (is_open(peer) && (r = peer_in_next(&peer->in, &frame, &len)) == 1) {
        peer->events->on_frame(peer, frame, len);
    }
    if (r < 0) {
        lose(peer, "it has sent what is no frame");
    }
}

/* Once in each turn: whoever gets the messages runs before more of them are read. */
static void read_once(struct peer *peer)
{
    size_t room = 0;
    unsigned char *at = peer_in_room(&peer->in, &room);
    if (at == NULL) {
        abort();
    }
    ssize_t len = recv(peer->fd, at, room, MSG_DONTWAIT);
    if (len > 0) {
        peer_in_fill(&peer->in, (size_t)len);
        read_frames(peer);
    } else if (len == 0) {
        lose(peer, "it has hung up");
    } else if (errno != EAGAIN && errno != EINTR) {
        lose(peer, "its socket is broken");
    }
}

static void watch_for(struct peer *peer, uint32_t events);

/* When the other one has hung up, what it has sent before is still read: the end shows itself behind that. */
static void flush(struct peer *peer)
{
    const unsigned char *data = NULL;
    size_t len = peer_out_waiting(&peer->out, &data);
    ssize_t sent = 0;
    while (len > 0 && (sent = send(peer->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
        peer->took_us = clock_monotonic_us();
        if (peer_out_advance(&peer->out, (size_t)sent)) {
            schedule(peer); /* it tells that there is room */
            peer->has_room_to_tell = true;
        }
        len = peer_out_waiting(&peer->out, &data);
    }
    if (len > 0 && errno != EAGAIN && errno != EINTR) {
        if (errno != EPIPE && errno != ECONNRESET) {
            lose(peer, "its socket takes nothing"); /* nor will anything come that tells the end */
            return;
        }
        peer->is_deaf = true;
        (void)peer_out_advance(&peer->out, len);
        len = 0;
    }
    if (peer->is_blocked != (len > 0)) {
        peer->is_blocked = len > 0;
        watch_for(peer, peer->is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
}

static void on_ready(struct watch *watch, uint32_t events)
{
    struct peer *peer = H2O_STRUCT_FROM_MEMBER(struct peer, watch, watch);
    if ((events & EPOLLOUT) != 0) {
        flush(peer);
    }
    if (is_open(peer)) {
        read_once(peer);
    }
    /* What was said to that, such as that there is room again, leaves now: the other one may have nothing to do until then. */
    if (is_open(peer) && !peer->is_blocked) {
        flush(peer);
    }
}

static void watch_for(struct peer *peer, uint32_t events)
{
    watch_remove(peer->loop, &peer->watch);
    if (watch_add(peer->loop, &peer->watch, peer->fd, events, on_ready) != 0) {
        lose(peer, "it cannot be watched");
    }
}

static void free_peer(struct peer *peer)
{
    (void)close(peer->fd); /* what was not sent is lost anyway */
    peer_out_fini(&peer->out);
    peer_in_fini(&peer->in);
    free(peer);
}

static void on_job(struct loop_job *job)
{
    struct peer *peer = H2O_STRUCT_FROM_MEMBER(struct peer, job, job);
    if (peer->is_closed) {
        free_peer(peer);
        return;
    }
    if (peer->why != NULL) {
        if (!peer->is_gone) {
            peer->is_gone = true;
            peer->events->on_gone(peer, peer->why);
        }
        return;
    }
    if (!peer->is_blocked) {
        flush(peer);
    }
    if (peer->has_room_to_tell) {
        peer->has_room_to_tell = false;
        peer->events->on_room(peer);
    }
}

struct peer *peer_open(struct loop *loop, int fd, const struct peer_events *events, void *data)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL) {
        abort();
    }
    *peer = (struct peer){.loop = loop, .events = events, .data = data, .fd = fd};
    if (watch_add(loop, &peer->watch, fd, EPOLLIN, on_ready) != 0) {
        free(peer);
        return NULL;
    }
    peer_out_init(&peer->out);
    peer_in_init(&peer->in);
    return peer;
}

void peer_close(struct peer *peer)
{
    if (peer == NULL || peer->is_closed) {
        return;
    }
    watch_remove(peer->loop, &peer->watch);
    peer->is_closed = true;
    schedule(peer);
}

/* A socket is called writable when three quarters of its buffer are free: that is not waited for. */
void peer_finish(struct peer *peer)
{
    struct pollfd writable = {.fd = peer->fd, .events = POLLOUT};
    const unsigned char *data = NULL;
    peer->took_us = clock_monotonic_us();
    flush(peer);
    while (is_open(peer) && peer_out_waiting(&peer->out, &data) > 0 &&
           clock_monotonic_us() - peer->took_us < PEER_FINISH_MS * (uint64_t)1000) {
        (void)poll(&writable, 1, FINISH_POLL_MS);
        flush(peer);
    }
    watch_remove(peer->loop, &peer->watch);
    free_peer(peer);
}

void peer_adopt(struct peer *peer, struct peer_out *out)
{
    assert(peer->out.writer.len == 0);
    peer_out_fini(&peer->out);
    peer->out = *out;
    peer_out_init(out);
    schedule(peer);
}

struct msgpack_writer *peer_begin(struct peer *peer)
{
    return peer_out_begin(&peer->out);
}

void peer_cancel(struct peer *peer)
{
    peer_out_cancel(&peer->out);
}

/* What answers wait nobody bounds; they are a reason to give up only when none of them is taken. */
static bool is_stuck(struct peer *peer)
{
    const unsigned char *data = NULL;
    if (peer_out_waiting(&peer->out, &data) < PATIENCE_BYTES) {
        return false;
    }
    flush(peer);
    return peer_out_waiting(&peer->out, &data) >= PATIENCE_BYTES &&
           clock_monotonic_us() - peer->took_us >= PATIENCE_US;
}

int peer_end(struct peer *peer)
{
    if (!is_open(peer) || peer->is_deaf) {
        peer_out_cancel(&peer->out);
        return -EPIPE;
    }
    int error = peer_out_end(&peer->out);
    if (error == -ENOMEM) {
        abort();
    }
    if (error == -ENOBUFS || (error == 0 && is_stuck(peer))) {
        lose(peer, "it does not read");
        return -EPIPE;
    }
    if (error != 0) {
        return error;
    }
    const unsigned char *data = NULL;
    if (!peer->is_blocked && peer_out_waiting(&peer->out, &data) >= PEER_FLUSH_BYTES) {
        flush(peer);
    } else if (!peer->is_blocked) {
        schedule(peer);
    }
    return 0;
}

bool peer_is_busy(const struct peer *peer)
{
    return peer->out.is_busy;
}
