/* password.c - fsd.crypto's passwords: argon2id, in a helper process.
 * Owns nothing; the request holds a copy of the password until it is sent, and is wiped then.  Lua's own strings can't be wiped: they
 * live until they are collected.  Called by Lua.  Must not know how a hash is made (modules/sodium.c). */
#include "worker/toolbox/password.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/toolbox/compute.h"
#include "worker/toolbox/option.h"

/* libsodium's "interactive": about a tenth of a second, and 64 MiB in the helper. */
enum {
    OPERATIONS = 2,
    OPERATIONS_MAX = 1000,
    MEMORY_BYTES = 64 * 1024 * 1024,
    MEMORY_BYTES_MIN = 8 * 1024,
    MEMORY_BYTES_MAX = 1024 * 1024 * 1024,
    STATUS_INTERNAL_ERROR = 500,
};

static void read_cost(lua_State *L, int index, const char *function, struct sodium_cost *cost)
{
    static const char *const names[] = {"ops", "memory", NULL};
    option_check(L, index, function, names);
    cost->operations = (uint64_t)option_integer(L, index, "ops", 1, OPERATIONS_MAX, OPERATIONS);
    cost->memory_bytes = (uint64_t)option_integer(L, index, "memory", MEMORY_BYTES_MIN,
                                                  MEMORY_BYTES_MAX, MEMORY_BYTES);
}

/* With the cost of the options at index 3 or below. */
static struct compute_job *push_job(lua_State *L, enum compute_kind kind, int password_index,
                                    const char *function)
{
    size_t len;
    struct sodium_cost cost;
    const char *password = luaL_checklstring(L, password_index, &len);
    luaL_argcheck(L, len <= COMPUTE_TEXT_MAX, password_index,
                  "the password is too long (4096 bytes at most)");
    read_cost(L, password_index + 1, function, &cost);
    struct compute_job *job = compute_push(L);
    job->request.kind = kind;
    job->request.cost = cost;
    job->request.len = len;
    memcpy(job->request.text, password, len);
    return job;
}

static void check_result(lua_State *L, const struct compute_result *result)
{
    if (result->error == -ENOMEM) {
        error_raise(L, "CryptoError", "crypto.memory", STATUS_INTERNAL_ERROR,
                    "cannot hash a password: not enough memory");
    }
    if (result->error != 0) {
        error_raise(L, "CryptoError", "crypto.password", STATUS_INTERNAL_ERROR,
                    "cannot hash a password: that is no hash, or the cost is out of range");
    }
}

static int on_hash(lua_State *L, const struct compute_result *result)
{
    check_result(L, result);
    lua_pushstring(L, result->hash);
    return 1;
}

static int on_verified(lua_State *L, const struct compute_result *result)
{
    check_result(L, result);
    lua_pushboolean(L, result->is_verified);
    lua_pushboolean(L, result->needs_rehash);
    return 2;
}

int password_hash(lua_State *L)
{
    return compute_run(L, push_job(L, COMPUTE_PASSWORD_HASH, 1, "crypto.password_hash"), on_hash);
}

int password_verify(lua_State *L)
{
    size_t len;
    const char *hash = luaL_checklstring(L, 1, &len);
    struct compute_job *job = push_job(L, COMPUTE_PASSWORD_VERIFY, 2, "crypto.password_verify");
    if (len >= SODIUM_PASSWORD_HASH_ROOM || strlen(hash) != len) {
        check_result(L, &(struct compute_result){.error = -EINVAL});
    }
    memcpy(job->request.hash, hash, len);
    return compute_run(L, job, on_verified);
}
