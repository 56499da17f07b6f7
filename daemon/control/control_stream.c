/* control_stream.c - connections that carry notifications.
 * Owns the places for them, of which there are few: each may hold back a quarter of a MiB.  A stream holds its peer, so that one
 * that has nothing to say for hours is not taken for a connection that asks nothing.  What is sent is bounded by asking for room
 * first; a peer that takes nothing at all is ended by control_peer.c.
 * Called by control.c for the peers' events, and through control.h by who opened a stream.
 * Must not know what is sent. */
#include "daemon/control/control_stream.h"

#include <errno.h>

#include "daemon/control/control_peer.h"

static struct control_stream *find(struct control_streams *streams, const struct control_peer *peer)
{
    for (size_t i = 0; i < CONTROL_STREAMS_MAX; i++) {
        if (streams->places[i].peer == peer) {
            return &streams->places[i];
        }
    }
    return NULL;
}

int control_streams_add(struct control_streams *streams, struct control_stream **ret_stream,
                        struct control_peer *peer, const struct control_stream_events *events,
                        void *owner)
{
    if (find(streams, peer) != NULL) {
        return -EEXIST;
    }
    struct control_stream *stream = find(streams, NULL);
    if (stream == NULL) {
        return -EBUSY;
    }
    control_peer_hold(peer);
    *stream = (struct control_stream){peer, events, owner};
    *ret_stream = stream;
    return 0;
}

void control_streams_on_drained(struct control_streams *streams, const struct control_peer *peer)
{
    const struct control_stream *stream = find(streams, peer);
    if (stream != NULL) {
        stream->events->on_room(stream->owner);
    }
}

void control_streams_on_end(struct control_streams *streams, const struct control_peer *peer)
{
    struct control_stream *stream = find(streams, peer);
    if (stream != NULL) {
        struct control_stream ended = *stream;
        control_stream_close(stream);
        ended.events->on_end(ended.owner);
    }
}

void control_stream_close(struct control_stream *stream)
{
    struct control_peer *peer = stream->peer;
    stream->peer = NULL; /* first: the peer may end in here */
    control_peer_release(peer);
}

bool control_stream_has_room(const struct control_stream *stream, size_t len)
{
    size_t waiting = control_peer_waiting(stream->peer);
    return waiting == 0 || waiting + len <= CONTROL_STREAM_BYTES;
}

void control_stream_send(struct control_stream *stream, const char *lines, size_t len)
{
    control_peer_send(stream->peer, lines, len);
}
