#ifndef FSD_WORKER_ACTOR_NODE_CODEC_H
#define FSD_WORKER_ACTOR_NODE_CODEC_H

#include <lua.h>
#include <stddef.h>

#include "worker/actor/copy.h"

struct fsd_err;
struct msgpack_reader;
struct msgpack_writer;

/* The types of MessagePack's ext values in a message. */
enum codec_ext {
    CODEC_PID =
        1, /* node (4 bytes), incarnation (8), index (4), serial (8), most significant byte first */
    CODEC_REF,   /* node (4), incarnation (8), number (8) */
    CODEC_NULL,  /* json.null: one byte, 0 */
    CODEC_ARRAY, /* a table with the mark of json.array: holds the array or map */
    CODEC_ERROR, /* an Error: holds the map */
};

enum {
    CODEC_PID_BYTES = 24,
    CODEC_REF_BYTES = 20,
    CODEC_BYTES_MAX = 4 * COPY_BYTES_MAX, /* no message that may be sent becomes longer than this */
};

/* Appends the value at index as MessagePack: what copy_push copies, with the same limits and the same sentences.  ret_bytes
 * is what codec_push will say, to the byte: both ends of a link count by it.  -EINVAL: refused, and the writer is as before; a
 * failure of the writer itself is remembered there as always.  Runs no metamethod and never raises. */
int codec_write(lua_State *L, int index, const struct copy_marks *marks,
                struct msgpack_writer *writer, size_t *ret_bytes, struct fsd_err *err);
/* Reads one value and pushes it; ret_bytes is its size in a mailbox.  -EPROTO: nothing that codec_write has written; stack
 * and reader are as before.  Raises only out of memory. */
int codec_push(lua_State *L, struct msgpack_reader *reader, size_t *ret_bytes);

#endif
