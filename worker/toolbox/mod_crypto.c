/* mod_crypto.c - require "fsd.crypto":
 *   crypto.hash(name, data [, encoding]) -> text      crypto.hmac(name, key, data [, encoding]) -> text
 *   crypto.hasher(name [, key]) -> hasher
 *   crypto.random_bytes(n [, encoding]) -> data       crypto.random_hex(n) -> text
 *   crypto.random_integer(low, high) -> integer       crypto.equal(a, b) -> boolean
 *   crypto.password_hash(password [, options]) -> hash
 *   crypto.password_verify(hash, password [, options]) -> boolean, needs_rehash
 *   crypto.seal(data, key [, context]) -> sealed      crypto.open(sealed, key [, context]) -> data or nil
 * Owns nothing; hasher.c hashes, password.c asks a helper process, seal.c opens libsodium, the kernel is what random bytes come from.  Failures raise a CryptoError. */
#include "worker/toolbox/mod_crypto.h"

#include <lauxlib.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/toolbox/hasher.h"
#include "worker/toolbox/password.h"
#include "worker/toolbox/random.h"
#include "worker/toolbox/seal.h"

enum { RANDOM_BYTES_MAX = 64 * 1024 };

static size_t check_count(lua_State *L, int index)
{
    lua_Integer count = luaL_checkinteger(L, index);
    luaL_argcheck(L, count >= 0 && count <= RANDOM_BYTES_MAX, index,
                  "must be between 0 and 65536 bytes");
    return (size_t)count;
}

static int random_bytes(lua_State *L)
{
    size_t len = check_count(L, 1);
    lua_settop(L, 2);
    void *bytes = lua_newuserdatauv(L, len, 0);
    random_fill(L, bytes, len);
    hasher_push_encoded(L, 2, "raw", bytes, len);
    return 1;
}

static int random_hex(lua_State *L)
{
    size_t len = check_count(L, 1);
    lua_settop(L, 1);
    lua_pushliteral(L, "hex");
    void *bytes = lua_newuserdatauv(L, len, 0);
    random_fill(L, bytes, len);
    hasher_push_encoded(L, 2, "hex", bytes, len);
    return 1;
}

/* Each as likely as the others: what is above the last multiple of the count is thrown again. */
static int random_integer(lua_State *L)
{
    lua_Integer low = luaL_checkinteger(L, 1);
    lua_Integer high = luaL_checkinteger(L, 2);
    luaL_argcheck(L, low <= high, 2, "must not be less than the first");
    uint64_t last = (uint64_t)high - (uint64_t)low; /* the results are low + 0 ... low + last */
    bool is_all = last == UINT64_MAX;
    uint64_t refused = is_all ? 0 : (UINT64_MAX - last) % (last + 1);
    uint64_t number = 0;
    do {
        random_fill(L, &number, sizeof(number));
    } while (number < refused);
    uint64_t result = (uint64_t)low + (is_all ? number : number % (last + 1));
    lua_pushinteger(L, (lua_Integer)result);
    return 1;
}

static int equal(lua_State *L)
{
    size_t len;
    size_t other_len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *other = luaL_checklstring(L, 2, &other_len);
    lua_pushboolean(L, len == other_len && CRYPTO_memcmp(text, other, len) == 0);
    return 1;
}

static const luaL_Reg functions[] = {
    {"equal", equal},
    {"open", seal_open},
    {"password_hash", password_hash},
    {"password_verify", password_verify},
    {"random_bytes", random_bytes},
    {"random_hex", random_hex},
    {"random_integer", random_integer},
    {"seal", seal_seal},
    {NULL, NULL},
};

static const luaL_Reg hashing[] = {
    {"hash", hasher_hash},
    {"hasher", hasher_new},
    {"hmac", hasher_hmac},
    {NULL, NULL},
};

int luaopen_fsd_crypto(lua_State *L)
{
    luaL_newlib(L, functions);
    hasher_push_digests(L);
    luaL_setfuncs(L, hashing, 1);
    return 1;
}
