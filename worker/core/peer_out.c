/* peer_out.c - the bytes that wait to be sent to another worker.
 * Pure.  Owns one growing buffer: frames are encoded straight into it behind room for their length, and sent from its
 * beginning in pieces of any size.  What was sent is moved away when nothing waits, or when it is the greater part, so each byte
 * moves once at most on average; a large buffer goes back when it is empty.  It knows the water marks, and leaves it to its
 * caller who waits for them: exit and monitor signals go past.
 * Called by peer.c.  Must not know what is in a frame. */
#include "worker/core/peer_out.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { KEPT_BYTES = 256 << 10 };

void peer_out_init(struct peer_out *out)
{
    *out = (struct peer_out){0};
    msgpack_writer_init(&out->writer, PEER_OUT_MAX);
}

void peer_out_fini(struct peer_out *out)
{
    msgpack_writer_fini(&out->writer);
}

struct msgpack_writer *peer_out_begin(struct peer_out *out)
{
    static const unsigned char length[PEER_LENGTH_BYTES];
    out->frame = out->writer.len;
    msgpack_write_raw(&out->writer, length, sizeof(length));
    return &out->writer;
}

void peer_out_cancel(struct peer_out *out)
{
    out->writer.len = out->frame;
    out->writer.error = 0;
}

int peer_out_end(struct peer_out *out)
{
    int error = out->writer.error;
    if (error != 0) {
        peer_out_cancel(out);
        return error == -EMSGSIZE ? -ENOBUFS : error;
    }
    size_t len = out->writer.len - out->frame - PEER_LENGTH_BYTES;
    if (len > PEER_FRAME_MAX) {
        peer_out_cancel(out);
        return -EMSGSIZE;
    }
    uint32_t length = (uint32_t)len;
    memcpy(out->writer.data + out->frame, &length, sizeof(length));
    out->is_busy = out->is_busy || out->writer.len - out->sent >= PEER_HIGH_BYTES;
    return 0;
}

size_t peer_out_waiting(const struct peer_out *out, const unsigned char **ret_data)
{
    size_t waiting = out->writer.len - out->sent;
    *ret_data = waiting > 0 ? out->writer.data + out->sent : NULL;
    return waiting;
}

static void move_away(struct peer_out *out)
{
    struct msgpack_writer *writer = &out->writer;
    if (out->sent == writer->len && writer->capacity > KEPT_BYTES) {
        msgpack_writer_fini(writer);
    } else {
        memmove(writer->data, writer->data + out->sent, writer->len - out->sent);
        writer->len -= out->sent;
    }
    out->sent = 0;
}

bool peer_out_advance(struct peer_out *out, size_t len)
{
    assert(len <= out->writer.len - out->sent);
    out->sent += len;
    size_t waiting = out->writer.len - out->sent;
    if (out->sent > 0 && out->sent >= waiting) {
        move_away(out);
    }
    if (!out->is_busy || waiting > PEER_LOW_BYTES) {
        return false;
    }
    out->is_busy = false;
    return true;
}
