/* peer_in.c - the bytes that came from another worker, cut into frames.
 * Pure.  Owns one buffer, which is as large as the frame that is under way needs, and has no less room than one read may
 * fill; it is small again when a long frame was taken.  The rest of a frame moves to the beginning before the next read.
 * Called by peer.c with whatever came, which may be hostile: no length is believed that no frame may have.
 * Must not know what is in a frame. */
#include "worker/core/peer_in.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/core/peer_out.h"

void peer_in_init(struct peer_in *in)
{
    *in = (struct peer_in){0};
}

void peer_in_fini(struct peer_in *in)
{
    free(in->data);
    *in = (struct peer_in){0};
}

/* How long the frame at the start is with its length; 0: not known yet. */
static size_t frame_size(const struct peer_in *in)
{
    uint32_t length = 0;
    if (in->len - in->start < sizeof(length)) {
        return 0;
    }
    memcpy(&length, in->data + in->start, sizeof(length));
    return sizeof(length) + length;
}

static int set_capacity(struct peer_in *in, size_t capacity)
{
    unsigned char *data = realloc(in->data, capacity);
    if (data == NULL) {
        return -ENOMEM;
    }
    in->data = data;
    in->capacity = capacity;
    return 0;
}

unsigned char *peer_in_room(struct peer_in *in, size_t *ret_len)
{
    size_t kept = in->len - in->start;
    size_t need = frame_size(in);
    size_t capacity = need > PEER_IN_BYTES ? need : PEER_IN_BYTES;
    assert(kept < capacity); /* whatever is complete was taken */
    if (in->start > 0) {
        memmove(in->data, in->data + in->start, kept);
        in->start = 0;
        in->len = kept;
    }
    if (capacity != in->capacity && set_capacity(in, capacity) != 0) {
        return NULL;
    }
    *ret_len = in->capacity - in->len;
    return in->data + in->len;
}

void peer_in_fill(struct peer_in *in, size_t len)
{
    assert(len <= in->capacity - in->len);
    in->len += len;
}

int peer_in_next(struct peer_in *in, const unsigned char **ret_frame, size_t *ret_len)
{
    size_t size = frame_size(in);
    if (size == 0) {
        return 0;
    }
    if (size == PEER_LENGTH_BYTES || size > PEER_LENGTH_BYTES + (size_t)PEER_FRAME_MAX) {
        return -EPROTO;
    }
    if (in->len - in->start < size) {
        return 0;
    }
    *ret_frame = in->data + in->start + PEER_LENGTH_BYTES;
    *ret_len = size - PEER_LENGTH_BYTES;
    in->start += size;
    return 1;
}
