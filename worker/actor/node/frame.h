#ifndef FSD_WORKER_ACTOR_NODE_FRAME_H
#define FSD_WORKER_ACTOR_NODE_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct msgpack_writer;

/* What workers say to each other. */
enum frame_kind {
    FRAME_SEND = 1, /* payload: the message */
    FRAME_CAST,     /* payload: the message */
    FRAME_CALL,     /* ref: the call, of the sender's; payload: the message */
    FRAME_ANSWER,   /* ref: the call, of the receiver's; payload: the answer */
    FRAME_FAIL,     /* the same, payload: [code, reason or nil] */
    FRAME_EXIT,     /* somebody has said exit(to, reason); payload: the reason */
    FRAME_LINK,     /* from wants to be linked with to */
    FRAME_UNLINK, /* ... no more; ref: how many FRAME_LINK the sender has read on this connection */
    FRAME_LINK_EXIT, /* from, which to is linked with, has ended; payload: the reason */
    FRAME_MONITOR,   /* ref: the monitor, of the sender's */
    FRAME_DEMONITOR, /* ref: the same */
    FRAME_DOWN,      /* ref: the monitor, of the receiver's; payload: the reason */
    FRAME_FORGET,    /* ref: the call, of the sender's, which does not wait any more */
    FRAME_CREDIT,    /* from has taken messages; ref: how much, see frame_credit */
};

/* An actor of one of the two workers: which of them, the kind of the frame says. */
struct frame_actor {
    uint32_t index; /* 0: the worker itself */
    uint64_t serial;
};

/* One frame; what its kind does not have is 0 and NULL. */
struct frame {
    enum frame_kind kind;
    struct frame_actor to;        /* of the receiver's */
    struct frame_actor from;      /* of the sender's */
    uint64_t ref;                 /* the number of a ref */
    const unsigned char *payload; /* borrowed: MessagePack, see codec.h */
    size_t len;
};

/* How much of what one was sent has got its room: this many messages, of so many bytes in all. */
struct frame_credit {
    uint16_t count;
    uint64_t bytes; /* below 1 << 48 */
};

uint64_t frame_pack_credit(const struct frame_credit *credit);
struct frame_credit frame_unpack_credit(uint64_t ref);
/* Appends everything but the payload, which the caller then writes. */
void frame_write(struct msgpack_writer *writer, const struct frame *frame);
/* Reads a whole frame.  -EPROTO: no such kind, too short, or with a payload where the kind has none, or the other way round. */
int frame_read(const unsigned char *data, size_t len, struct frame *ret_frame);

#endif
