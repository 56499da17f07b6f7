/* sources: worker/core/peer_in.c worker/actor/node/frame.c common/msgpack.c | */
/* The first byte says in which pieces the others come; whatever they are, the frames are the same as in one piece, and a head
 * that is accepted is written again as the same bytes. */
#include "worker/core/peer_in.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/msgpack.h"
#include "worker/actor/node/frame.h"

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_head(const unsigned char *bytes, size_t len)
{
    struct frame frame;
    struct msgpack_writer writer;
    if (frame_read(bytes, len, &frame) != 0) {
        return;
    }
    msgpack_writer_init(&writer, len);
    frame_write(&writer, &frame);
    if (writer.error != 0 || writer.len + frame.len != len ||
        memcmp(writer.data, bytes, writer.len) != 0 ||
        (frame.len > 0 && frame.payload != bytes + writer.len)) {
        abort();
    }
    msgpack_writer_fini(&writer);
}

/* Returns how far into data the frames went. */
static size_t take_all(struct peer_in *in, const uint8_t *data, size_t taken, int *ret_result)
{
    const unsigned char *frame = NULL;
    size_t len = 0;
    while ((*ret_result = peer_in_next(in, &frame, &len)) == 1) {
        if (memcmp(frame, data + taken + sizeof(uint32_t), len) != 0) {
            abort();
        }
        taken += sizeof(uint32_t) + len;
        check_head(frame, len);
    }
    return taken;
}

static size_t feed(const uint8_t *data, size_t size, size_t piece)
{
    struct peer_in in;
    size_t taken = 0;
    size_t fed = 0;
    int result = 0;
    peer_in_init(&in);
    while (fed < size && result == 0) {
        size_t room = 0;
        unsigned char *at = peer_in_room(&in, &room);
        size_t len = size - fed < piece ? size - fed : piece;
        len = len < room ? len : room;
        if (at == NULL || room == 0) {
            abort();
        }
        memcpy(at, data + fed, len);
        peer_in_fill(&in, len);
        fed += len;
        taken = take_all(&in, data, taken, &result);
    }
    peer_in_fini(&in);
    return taken;
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    check_head(data + 1, size - 1);
    if (feed(data + 1, size - 1, SIZE_MAX) != feed(data + 1, size - 1, 1 + (size_t)data[0])) {
        abort();
    }
    return 0;
}
