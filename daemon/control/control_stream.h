#ifndef FSD_DAEMON_CONTROL_CONTROL_STREAM_H
#define FSD_DAEMON_CONTROL_CONTROL_STREAM_H

#include "daemon/control/control.h"

struct control_peer;

enum { CONTROL_STREAM_BYTES = 256 * 1024 };

struct control_stream {
    struct control_peer *peer;                  /* held; NULL: this place is free */
    const struct control_stream_events *events; /* borrowed */
    void *owner;                                /* borrowed */
};

/* All streams of one control socket; all zero: none. */
struct control_streams {
    struct control_stream places[CONTROL_STREAMS_MAX];
};

/* -EBUSY or -EEXIST, see control_stream_open. */
int control_streams_add(struct control_streams *streams, struct control_stream **ret_stream,
                        struct control_peer *peer, const struct control_stream_events *events,
                        void *owner);
/* What the peer's events mean to the stream that it may carry. */
void control_streams_on_drained(struct control_streams *streams, const struct control_peer *peer);
void control_streams_on_end(struct control_streams *streams, const struct control_peer *peer);

#endif
