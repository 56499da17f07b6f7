#ifndef FSD_WORKER_CORE_PEER_H
#define FSD_WORKER_CORE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/loop.h"
#include "worker/core/peer_in.h"
#include "worker/core/peer_out.h"
#include "worker/core/watch.h"

struct peer;

/* Who uses a link to another worker.  Each may close the peer. */
struct peer_events {
    /* The bytes are there until it returns. */
    void (*on_frame)(struct peer *peer, const unsigned char *frame, size_t len);
    /* It was busy and is no more. */
    void (*on_room)(struct peer *peer);
    /* The other one has hung up or sent what is no frame.  Told once, by the loop and never by a function below; nothing is sent
     * or received any more, and peer_close is still to be called. */
    void (*on_gone)(struct peer *peer, const char *why);
};

/* A link to another worker: frames both ways over a stream socket. */
struct peer {
    struct loop *loop;                /* borrowed */
    const struct peer_events *events; /* borrowed */
    void *data;                       /* the user's */
    int fd;                           /* owned */
    struct watch watch;
    bool has_room_to_tell; /* by on_room */
    bool is_blocked;       /* the socket takes nothing now, its watch waits for that */
    bool is_deaf;          /* it takes nothing any more; what it has sent is read to the end */
    bool is_gone;          /* has been told */
    bool is_closed;
    uint64_t took_us; /* when the socket has last taken something; of the monotonic clock */
    const char *why;  /* static; why it will be told that it is gone */
    struct peer_out out;
    struct peer_in in;
    struct loop_job job; /* flushes, tells, frees */
};

/* Takes fd, a connected stream socket that does not block, when it succeeds; NULL when the descriptor cannot be watched. */
struct peer *peer_open(struct loop *loop, int fd, const struct peer_events *events, void *data);
/* What is not sent is lost.  The struct stays until the end of the turn.  NULL is allowed. */
void peer_close(struct peer *peer);
/* What a buffer holds is sent by this link, on which nothing was written yet; the buffer is empty then. */
void peer_adopt(struct peer *peer, struct peer_out *out);
/* When the loop is over: sends what waits, as long as the other one takes it without a pause of PEER_FINISH_MS, and closes. */
void peer_finish(struct peer *peer);
/* Begins a frame: what is written then belongs to it, until peer_end or peer_cancel. */
struct msgpack_writer *peer_begin(struct peer *peer);
/* The frame is sent at the end of this turn, or at once when PEER_FLUSH_BYTES wait.  -EMSGSIZE: too long, it is forgotten.
 * -EPIPE: the link is gone, or is from now on because the other one does not read. */
int peer_end(struct peer *peer);
void peer_cancel(struct peer *peer);
/* So much waits that whoever can wait should; on_room tells the end of that. */
bool peer_is_busy(const struct peer *peer);

enum { PEER_FLUSH_BYTES = 64 << 10, PEER_FINISH_MS = 1000 };

#endif
