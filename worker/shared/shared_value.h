#ifndef FSD_WORKER_SHARED_SHARED_VALUE_H
#define FSD_WORKER_SHARED_SHARED_VALUE_H

#include <lua.h>

#include "worker/shared/shared_call.h"

/* A value on its way from the Lua stack into shared memory. */
struct shared_value {
    /* points to scalar, to a string on the stack, or to the writer of struct shared */
    struct shard_value value;
    unsigned char scalar[8];
};

/* The value at the index, which must not be nil; or an argument error that says what cannot be stored.  SharedError when a table is too
 * large.  Holds one table at a time. */
void shared_value_read(struct shared_call *call, int index, struct shared_value *ret_value);
/* Pushes what an operation has copied.  False, and nothing pushed: a table that is none. */
bool shared_value_push(lua_State *L, const struct shard_value *value);

#endif
