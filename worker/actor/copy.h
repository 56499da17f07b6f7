#ifndef FSD_WORKER_ACTOR_COPY_H
#define FSD_WORKER_ACTOR_COPY_H

#include <lua.h>
#include <stddef.h>

struct fsd_err;

enum { COPY_DEPTH_MAX = 100, COPY_BYTES_MAX = 1 << 20 };

/* What a value counts for in the size of a message. */
enum {
    COPY_SCALAR_BYTES = 9,
    COPY_HEAD_BYTES = 5, /* of a string or a table */
    COPY_ID_BYTES = 27,  /* of a pid or a ref */
};

/* The metatables that may be in a message; for comparing with lua_topointer. */
struct copy_marks {
    const void *ref;
    const void *array; /* json.array's */
    const void *error; /* the Error's */
};

/* Pushes a deep copy of the value at index, such as may leave an actor: nil, booleans, numbers, strings, json.null, pids,
 * refs, Errors, and tables of those without a metatable (but json.array's).  ret_bytes: about its size in MessagePack.
 * -EINVAL, with the sentence (`cannot send a function at "items[3].cb"`) and nothing pushed: anything else, more than
 * COPY_DEPTH_MAX levels, which is also how a cycle ends, or more than COPY_BYTES_MAX bytes.  Runs no metamethod; raises only
 * out of memory. */
int copy_push(lua_State *L, int index, const struct copy_marks *marks, size_t *ret_bytes,
              struct fsd_err *err);

#endif
