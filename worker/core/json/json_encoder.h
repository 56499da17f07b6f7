#ifndef FSD_WORKER_CORE_JSON_JSON_ENCODER_H
#define FSD_WORKER_CORE_JSON_JSON_ENCODER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/core/json/json.h"

/* Where the writing of one value stands; shared by json_encode.c and json_turns.c. */

enum json_level_kind {
    JSON_LEVEL_ELEMENTS, /* 1..count by number: the value at key_slot */
    JSON_LEVEL_LIST,     /* walked in order, as long as the keys come as 1, 2, 3: as in an object */
    JSON_LEVEL_OBJECT,   /* walked: the key at key_slot, the value behind it */
};

/* A table that is open. */
struct json_level {
    enum json_level_kind kind;
    int slot; /* of the table */
    int key_slot;
    bool keys_are_integers; /* of an object */
    lua_Integer number; /* the element that was last begun; of an object 1 behind its first pair */
    lua_Integer count;  /* of elements */
};

struct json_encoder {
    lua_State *L;
    struct json_buf *buf; /* borrowed from the caller, like err */
    struct fsd_err *err;
    const void *array_mark;
    int slot; /* of the value that comes next */
    int top;  /* of the stack before */
    size_t len_before;
    unsigned depth; /* how many levels are open */
    struct json_level levels[JSON_DEPTH_DEFAULT];
};

/* Prepares to append the value at index to buf.  -EINVAL when Lua's stack is full. */
int json_encoder_init(struct json_encoder *encoder, lua_State *L, int index, struct json_buf *buf,
                      struct fsd_err *err);
/* Writes on, until it has written about budget bytes: -EAGAIN then, and the stack is not to be changed before the next call;
 * 0 when all is written; -EINVAL as json_encode.  Raises only where what is written was changed since -EAGAIN. */
int json_encoder_run(struct json_encoder *encoder, size_t budget);

#endif
