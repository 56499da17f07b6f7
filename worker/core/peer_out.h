#ifndef FSD_WORKER_CORE_PEER_OUT_H
#define FSD_WORKER_CORE_PEER_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/msgpack.h"

enum {
    PEER_FRAME_MAX = (4 << 20) + 64, /* the longest message, and its head */
    PEER_LENGTH_BYTES = 4,           /* before each frame, in the machine's byte order */
    PEER_HIGH_BYTES = 1 << 20,       /* so much waits: senders shall wait too, until ... */
    PEER_LOW_BYTES = 256 << 10,
    PEER_OUT_MAX = 512 << 20, /* no more than that, even if the other one still reads */
};

/* What is on its way to another worker: frames one behind the other, written in place. */
struct peer_out {
    struct msgpack_writer writer; /* owned */
    size_t sent;                  /* bytes at its beginning */
    size_t frame;                 /* where the frame that is being written begins */
    bool is_busy;                 /* has passed the high mark and not come back to the low one */
};

void peer_out_init(struct peer_out *out);
void peer_out_fini(struct peer_out *out);
/* Begins a frame; what is written then belongs to it, until one of the next two is called. */
struct msgpack_writer *peer_out_begin(struct peer_out *out);
/* The frame is complete.  -EMSGSIZE: it is longer than PEER_FRAME_MAX; -ENOBUFS: PEER_OUT_MAX would be passed; -ENOMEM; the
 * frame is gone then. */
int peer_out_end(struct peer_out *out);
/* Forgets the frame. */
void peer_out_cancel(struct peer_out *out);
/* How many bytes wait, and where they are, until out is touched. */
size_t peer_out_waiting(const struct peer_out *out, const unsigned char **ret_data);
/* So many of them are sent.  True: it is busy no more, so that senders may go on. */
bool peer_out_advance(struct peer_out *out, size_t len);

#endif
