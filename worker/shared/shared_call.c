/* shared_call.c - the frame around each operation on a shared dictionary: arguments, lock, news, errors.
 * Owns nothing.  Arguments are checked before the lock is taken, results are pushed after it is given back, because both may raise, and
 * a raised error would leave the lock behind.  What went wrong becomes a SharedError here, and nowhere else.
 * Called by mod_shared.c and shared_lease.c.  Must not know what an operation does. */
#include "worker/shared/shared_call.h"

#include <errno.h>
#include <lauxlib.h>
#include <math.h>

#include "common/clock.h"
#include "worker/core/error.h"

enum { STATUS_INTERNAL_ERROR = 500, STATUS_UNAVAILABLE = 503 };

static const double forever_s = 1e12; /* seconds from which on a time to live has no end */

void shared_call_init(struct shared_call *call, lua_State *L, struct dictionary *dictionary)
{
    struct runtime *runtime = runtime_of(L);
    if (dictionary->memory == NULL) {
        error_raise(L, "SharedError", "shared.gone", STATUS_INTERNAL_ERROR,
                    "the shared dictionary \"%s\" is not in the configuration any more",
                    dictionary->name);
    }
    *call = (struct shared_call){.L = L,
                                 .runtime = runtime,
                                 .dictionary = dictionary,
                                 .turn = {.now_ms = clock_monotonic_ms(),
                                          .buf = runtime->shared->buf,
                                          .size = SHARD_VALUE_MAX}};
}

void shared_call_set_key(struct shared_call *call, int index, enum shard_space space)
{
    size_t len = 0;
    const char *bytes = luaL_checklstring(call->L, index, &len);
    luaL_argcheck(call->L, len >= 1 && len <= SHARD_KEY_MAX, index,
                  "a key has 1 to 1024 bytes"); /* SHARD_KEY_MAX */
    uint64_t hash = dictionary_hash(call->dictionary, bytes, len);
    call->number = dictionary_shard_of(call->dictionary, hash);
    call->key = (struct shard_key){bytes, len, (uint32_t)hash, space};
}

uint64_t shared_call_get_expiry(const struct shared_call *call, int index)
{
    if (lua_isnoneornil(call->L, index)) {
        return 0;
    }
    lua_Number seconds = luaL_checknumber(call->L, index);
    luaL_argcheck(call->L, seconds > 0, index, "a time to live is more than 0 seconds");
    return seconds >= forever_s ? 0 : call->turn.now_ms + (uint64_t)ceil(seconds * 1000);
}

void shared_call_enter(struct shared_call *call)
{
    if (dictionary_enter(call->dictionary, call->number, &call->visit) < 0) {
        error_raise(call->L, "SharedError", "shared.busy", STATUS_UNAVAILABLE,
                    "the shared dictionary \"%s\" is locked by a worker that stands still",
                    call->dictionary->name);
    }
}

static void tell_news(const struct shared_call *call)
{
    const char *why = call->visit.news == DICTIONARY_OWNER_DIED
                          ? "a worker died while it changed something there"
                          : "it was damaged";
    if (call->visit.news != DICTIONARY_NO_NEWS) {
        logger_write(&call->runtime->logger, LOG_LEVEL_WARNING,
                     "shared dictionary \"%s\": part %u of %u is emptied: %s",
                     call->dictionary->name, call->number + 1, call->dictionary->shard_count, why);
    }
}

void shared_call_check(const struct shared_call *call, int result)
{
    static const struct {
        int error;
        const char *code;
        const char *message;
    } rows[] = {
        {-E2BIG, "shared.too_large", "the value does not fit into the shared dictionary \"%s\""},
        {-ENOSPC, "shared.full", "the shared dictionary \"%s\" is full of leases"},
        {-EINVAL, "shared.not_a_number",
         "cannot add to what is no number in the shared dictionary \"%s\""},
        {-EBADMSG, "shared.damaged", "the shared dictionary \"%s\" is damaged again and again"},
    };
    for (size_t i = 0; result < 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].error == result) {
            error_raise(call->L, "SharedError", rows[i].code, STATUS_INTERNAL_ERROR,
                        rows[i].message, call->dictionary->name);
        }
    }
}

bool shared_call_again(struct shared_call *call, int result)
{
    if (dictionary_leave(&call->visit, result)) {
        return true;
    }
    tell_news(call);
    shared_call_check(call, result);
    return false;
}

void shared_call_condemn(struct shared_call *call)
{
    shared_call_enter(call);
    while (dictionary_leave(&call->visit, -EBADMSG)) {
    }
    tell_news(call);
}
