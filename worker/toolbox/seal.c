/* seal.c - fsd.crypto's sealed messages: encrypted, and safe against changes.
 * Owns nothing.  libsodium is opened at the first call.  A message is sealed in one go, at a gigabyte a second and more, so its length is
 * limited.  Called by Lua. */
#include "worker/toolbox/seal.h"

#include <lauxlib.h>
#include <stdint.h>

#include "common/err.h"
#include "modules/sodium.h"
#include "worker/core/error.h"
#include "worker/toolbox/private_module.h"

enum { DATA_BYTES_MAX = 4 * 1024 * 1024, STATUS_INTERNAL_ERROR = 500 };

struct arguments {
    struct sodium_bytes data;
    struct sodium_bytes context;
    const uint8_t *key;
};

static const struct sodium_module *check(lua_State *L, struct arguments *arguments, size_t len_max)
{
    struct fsd_err err;
    size_t key_len;
    arguments->data.bytes = luaL_checklstring(L, 1, &arguments->data.len);
    arguments->key = (const uint8_t *)luaL_checklstring(L, 2, &key_len);
    arguments->context.bytes = luaL_optlstring(L, 3, "", &arguments->context.len);
    luaL_argcheck(L, key_len == SODIUM_KEY_BYTES, 2,
                  "a key is 32 bytes: crypto.random_bytes(32), kept where nobody else can read it");
    luaL_argcheck(L, arguments->data.len <= len_max, 1, "too long (4 MiB at most)");
    luaL_argcheck(L, arguments->context.len <= DATA_BYTES_MAX, 3, "too long (4 MiB at most)");
    const struct sodium_module *sodium = private_module_sodium(&err);
    if (sodium == NULL) {
        error_raise(L, "CryptoError", "crypto.unavailable", STATUS_INTERNAL_ERROR, "%s", err.text);
    }
    return sodium;
}

int seal_seal(lua_State *L)
{
    struct arguments arguments;
    luaL_Buffer buf;
    const struct sodium_module *sodium = check(L, &arguments, DATA_BYTES_MAX);
    size_t len = arguments.data.len + SODIUM_OVERHEAD_BYTES;
    uint8_t *sealed = (uint8_t *)luaL_buffinitsize(L, &buf, len);
    sodium->seal(sealed, &arguments.data, &arguments.context, arguments.key);
    luaL_pushresultsize(&buf, len);
    return 1;
}

int seal_open(lua_State *L)
{
    struct arguments arguments;
    luaL_Buffer buf;
    const struct sodium_module *sodium =
        check(L, &arguments, DATA_BYTES_MAX + SODIUM_OVERHEAD_BYTES);
    if (arguments.data.len < SODIUM_OVERHEAD_BYTES) {
        lua_pushnil(L);
        return 1;
    }
    size_t len = arguments.data.len - SODIUM_OVERHEAD_BYTES;
    uint8_t *data = (uint8_t *)luaL_buffinitsize(L, &buf, len);
    if (sodium->open(data, &arguments.data, &arguments.context, arguments.key) != 0) {
        lua_pushnil(L);
        return 1;
    }
    luaL_pushresultsize(&buf, len);
    return 1;
}
