#ifndef FSD_COMMON_WIRE_H
#define FSD_COMMON_WIRE_H

#include <stddef.h>

#include "common/proto.h"

struct fsd_err;

/* One message of proto.h as it came from the socket.  The receiver owns fd. */
struct wire_message {
    struct proto_head head;
    int fd; /* owned, close-on-exec; -1 when the row says none */
    _Alignas(8) unsigned char payload[PROTO_PAYLOAD_MAX];
};

/* Sends one message, never blocking.  fd is -1 or a descriptor that is duplicated into the receiver;
 * the caller keeps its own.  0; -EAGAIN when the socket's buffer, the bounded queue of this channel, is full;
 * other negative errno (-EPIPE: the other side is gone). */
int wire_send(int sock, enum proto_kind kind, const void *payload, size_t size, int fd);
/* The same with text appended to the payload, cut at PROTO_TEXT_MAX. */
int wire_send_text(int sock, enum proto_kind kind, const void *payload, size_t size,
                   const char *text);
/* Receives one message that came in the given direction, never blocking.  1: *ret_message is filled;
 * 0: end of file; -EAGAIN: nothing there; -EPROTO with a sentence: the peer broke the contract (descriptors that
 * came along are closed); other negative errno. */
int wire_recv(int sock, enum proto_direction direction, struct wire_message *ret_message,
              struct fsd_err *err);

#endif
