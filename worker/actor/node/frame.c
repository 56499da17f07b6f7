/* frame.c - the head of what one worker says to another about their actors.
 * Pure.  Owns nothing.  A row says what stands in the frames of a kind behind its first byte: to, from, ref, and a payload,
 * always in that order and of fixed width, in the machine's byte order, because both ends are the same program on the same
 * machine.  Incarnations are never sent: the link has one at each end.
 * Called for every message between workers, and on bytes that may be hostile.  Must not know what a kind makes anybody do. */
#include "worker/actor/node/frame.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/msgpack.h"

static const struct shape {
    bool has_to;
    bool has_from;
    bool has_ref;
    bool has_payload;
} shapes[] = {
    [FRAME_SEND] = {true, false, false, true},     [FRAME_CAST] = {true, false, false, true},
    [FRAME_CALL] = {true, false, true, true},      [FRAME_ANSWER] = {false, false, true, true},
    [FRAME_FAIL] = {false, false, true, true},     [FRAME_EXIT] = {true, true, false, true},
    [FRAME_LINK] = {true, true, false, false},     [FRAME_UNLINK] = {true, true, true, false},
    [FRAME_LINK_EXIT] = {true, true, false, true}, [FRAME_MONITOR] = {true, true, true, false},
    [FRAME_DEMONITOR] = {true, true, true, false}, [FRAME_DOWN] = {true, true, true, true},
    [FRAME_FORGET] = {true, false, true, false},   [FRAME_CREDIT] = {false, true, true, false},
};
enum { SHAPE_COUNT = sizeof(shapes) / sizeof(shapes[0]) };
_Static_assert(SHAPE_COUNT == FRAME_CREDIT + 1, "a row per kind");

enum {
    ACTOR_BYTES = sizeof(uint32_t) + sizeof(uint64_t),
    HEAD_MAX = 1 + 2 * ACTOR_BYTES + sizeof(uint64_t),
};

static unsigned char *put(unsigned char *at, const void *value, size_t size)
{
    memcpy(at, value, size);
    return at + size;
}

static unsigned char *put_actor(unsigned char *at, const struct frame_actor *actor)
{
    at = put(at, &actor->index, sizeof(actor->index));
    return put(at, &actor->serial, sizeof(actor->serial));
}

uint64_t frame_pack_credit(const struct frame_credit *credit)
{
    return credit->bytes << 16 | credit->count;
}

struct frame_credit frame_unpack_credit(uint64_t ref)
{
    return (struct frame_credit){.count = (uint16_t)ref, .bytes = ref >> 16};
}

void frame_write(struct msgpack_writer *writer, const struct frame *frame)
{
    const struct shape *shape = &shapes[frame->kind];
    unsigned char head[HEAD_MAX] = {(unsigned char)frame->kind};
    unsigned char *at = head + 1;
    if (shape->has_to) {
        at = put_actor(at, &frame->to);
    }
    if (shape->has_from) {
        at = put_actor(at, &frame->from);
    }
    if (shape->has_ref) {
        at = put(at, &frame->ref, sizeof(frame->ref));
    }
    msgpack_write_raw(writer, head, (size_t)(at - head));
}

static const unsigned char *get(const unsigned char *at, void *value, size_t size)
{
    memcpy(value, at, size);
    return at + size;
}

static const unsigned char *get_actor(const unsigned char *at, struct frame_actor *actor)
{
    at = get(at, &actor->index, sizeof(actor->index));
    return get(at, &actor->serial, sizeof(actor->serial));
}

static size_t head_len(const struct shape *shape)
{
    return 1 + (size_t)shape->has_to * ACTOR_BYTES + (size_t)shape->has_from * ACTOR_BYTES +
           (size_t)shape->has_ref * sizeof(uint64_t);
}

int frame_read(const unsigned char *data, size_t len, struct frame *ret_frame)
{
    if (len == 0 || data[0] < FRAME_SEND || data[0] > FRAME_CREDIT) {
        return -EPROTO;
    }
    const struct shape *shape = &shapes[data[0]];
    size_t head = head_len(shape);
    if (len < head || (len > head) != shape->has_payload) {
        return -EPROTO;
    }
    struct frame frame = {.kind = (enum frame_kind)data[0], .len = len - head};
    const unsigned char *at = data + 1;
    if (shape->has_to) {
        at = get_actor(at, &frame.to);
    }
    if (shape->has_from) {
        at = get_actor(at, &frame.from);
    }
    if (shape->has_ref) {
        at = get(at, &frame.ref, sizeof(frame.ref));
    }
    frame.payload = shape->has_payload ? at : NULL;
    *ret_frame = frame;
    return 0;
}
