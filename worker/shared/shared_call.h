#ifndef FSD_WORKER_SHARED_SHARED_CALL_H
#define FSD_WORKER_SHARED_SHARED_CALL_H

#include <lua.h>

#include "worker/core/runtime.h"
#include "worker/shared/shared.h"

/* One operation that Lua has asked for. */
struct shared_call {
    lua_State *L;
    struct runtime *runtime;       /* borrowed */
    struct dictionary *dictionary; /* borrowed */
    struct shard_key key;
    unsigned number; /* of the shard */
    struct shard_turn turn;
    struct dictionary_visit visit;
};

/* Raises when the dictionary has gone. */
void shared_call_init(struct shared_call *call, lua_State *L, struct dictionary *dictionary);
/* The key at the index of the stack, or an argument error. */
void shared_call_set_key(struct shared_call *call, int index, enum shard_space space);
/* Seconds at the index of the stack as a moment, never when it is nil or huge; or an argument error. */
uint64_t shared_call_get_expiry(const struct shared_call *call, int index);
/* Locks the shard, or raises.  An operation is done in a loop, because it is done again when it has met damage:
 *     shared_call_enter(&call);
 *     do { result = shard_get(...); } while (shared_call_again(&call, result));
 * and nothing that can raise is called inside. */
void shared_call_enter(struct shared_call *call);
/* True: once more, on an empty shard.  False: it is unlocked; the log has been told what was found, and result is no error, which is
 * raised. */
bool shared_call_again(struct shared_call *call, int result);
/* What was read made no sense after all: empties the shard, and says so. */
void shared_call_condemn(struct shared_call *call);

/* Raises what a negative result means. */
void shared_call_check(const struct shared_call *call, int result);

#endif
