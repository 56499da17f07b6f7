/* hasher.c - fsd.crypto's hashes and HMACs, at once and piece by piece.
 * Owns the userdata: the digests of the lua_State, and the class fsd.Hasher.  What is short is done at once with a context that is kept;
 * what is long goes through a hasher of its own, 256 KiB at a time with a breath behind each, so that others run in between and a
 * task that ends in the middle leaves nothing behind.  Called by Lua. */
#include "worker/toolbox/hasher.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "common/nearest.h"
#include "worker/core/error.h"
#include "worker/core/stdlib/breath.h"
#include "worker/toolbox/base64.h"
#include "worker/toolbox/digest.h"
#include "worker/toolbox/hex.h"

#define DIGESTS_METATABLE "fsd.digests"
#define HASHER_METATABLE  "fsd.Hasher"

enum { PIECE_BYTES = 256 * 1024, STATUS_INTERNAL_ERROR = 500 };

static unsigned check_kind(lua_State *L, int index)
{
    const char *name = luaL_checkstring(L, index);
    for (unsigned i = 0; i < DIGEST_KINDS; i++) {
        if (strcmp(digest_names[i], name) == 0) {
            return i;
        }
    }
    const char *nearest = nearest_find(name, digest_names, DIGEST_KINDS);
    lua_pushfstring(
        L, nearest != NULL ? "unknown hash \"%s\"; did you mean \"%s\"?" : "unknown hash \"%s\"",
        name, nearest);
    return (unsigned)luaL_argerror(L, index, lua_tostring(L, -1));
}

static struct digests *digests_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static _Noreturn void raise_refused(lua_State *L, unsigned kind)
{
    error_raise(L, "CryptoError", "crypto.unavailable", STATUS_INTERNAL_ERROR,
                "cannot make a hash: OpenSSL refuses \"%s\" on this system", digest_names[kind]);
}

enum encoding { ENCODING_RAW, ENCODING_HEX, ENCODING_BASE64, ENCODING_BASE64URL };

static enum encoding check_encoding(lua_State *L, int index, const char *otherwise)
{
    static const char *const names[] = {"raw", "hex", "base64", "base64url", NULL};
    return (enum encoding)luaL_checkoption(L, index, otherwise, names);
}

/* In base64 it is a third longer, in hexadecimal digits twice as long. */
static void push_in(lua_State *L, enum encoding encoding, const void *bytes, size_t len)
{
    luaL_Buffer buf;
    char *text = NULL;
    switch (encoding) {
    case ENCODING_RAW:
        lua_pushlstring(L, bytes, len);
        break;
    case ENCODING_HEX:
        text = luaL_buffinitsize(L, &buf, 2 * len);
        hex_encode(bytes, len, text);
        luaL_pushresultsize(&buf, 2 * len);
        break;
    case ENCODING_BASE64:
    case ENCODING_BASE64URL:
        text = luaL_buffinitsize(L, &buf, BASE64_TEXT_ROOM(len));
        luaL_pushresultsize(
            &buf,
            base64_encode(bytes, len, encoding == ENCODING_BASE64 ? BASE64_STANDARD : BASE64_URL,
                          false, text));
        break;
    }
}

void hasher_push_encoded(lua_State *L, int index, const char *otherwise, const void *bytes,
                         size_t len)
{
    push_in(L, check_encoding(L, index, otherwise), bytes, len);
}

/* A hasher without contents. */
static struct digest *push_digest(lua_State *L)
{
    struct digest *digest = lua_newuserdatauv(L, sizeof(*digest), 0);
    *digest = (struct digest){0};
    luaL_setmetatable(L, HASHER_METATABLE);
    return digest;
}

/* The data stands at index 1, the hasher at 2.  When it goes on after a breath, next does. */
static void update_from(lua_State *L, size_t done, lua_KFunction next)
{
    size_t len;
    const char *data = lua_tolstring(L, 1, &len);
    struct digest *digest = lua_touserdata(L, 2);
    while (done < len) {
        size_t part = len - done < PIECE_BYTES ? len - done : PIECE_BYTES;
        if (!digest_update(digest, data + done, part)) {
            luaL_error(L, "not enough memory");
        }
        done += part;
        if (len > PIECE_BYTES) {
            breath_take(L, (lua_KContext)done, next);
        }
    }
}

static int hash_on(lua_State *L, int status, lua_KContext done);

/* The encoding stands at index 3. */
static int hash_from(lua_State *L, size_t done)
{
    uint8_t result[DIGEST_BYTES_MAX];
    update_from(L, done, hash_on);
    struct digest *digest = lua_touserdata(L, 2);
    int len = digest_peek(digest, result);
    digest_fini(digest);
    push_in(L, (enum encoding)lua_tointeger(L, 3), result, (size_t)len);
    return 1;
}

static int hash_on(lua_State *L, int status, lua_KContext done)
{
    (void)status;
    return hash_from(L, (size_t)done);
}

/* The data at index, in pieces. */
static int hash_long(lua_State *L, unsigned kind, const struct digest_key *key, int index,
                     enum encoding encoding)
{
    struct digest *digest = push_digest(L);
    if (digest_init(digest, digests_of(L), kind, key) != 0) {
        raise_refused(L, kind);
    }
    lua_pushvalue(L, index);
    lua_replace(L, 1);
    lua_replace(L, 2);
    lua_settop(L, 2);
    lua_pushinteger(L, (lua_Integer)encoding);
    return hash_from(L, 0);
}

int hasher_hash(lua_State *L)
{
    uint8_t result[DIGEST_BYTES_MAX];
    size_t len;
    unsigned kind = check_kind(L, 1);
    const char *data = luaL_checklstring(L, 2, &len);
    enum encoding encoding = check_encoding(L, 3, "hex");
    if (len > PIECE_BYTES) {
        return hash_long(L, kind, NULL, 2, encoding);
    }
    int result_len = digest_hash(digests_of(L), kind, data, len, result);
    if (result_len < 0) {
        raise_refused(L, kind);
    }
    push_in(L, encoding, result, (size_t)result_len);
    return 1;
}

int hasher_hmac(lua_State *L)
{
    uint8_t result[DIGEST_BYTES_MAX];
    struct digest_key key;
    size_t len;
    unsigned kind = check_kind(L, 1);
    key.bytes = luaL_checklstring(L, 2, &key.len);
    const char *data = luaL_checklstring(L, 3, &len);
    enum encoding encoding = check_encoding(L, 4, "hex");
    if (len > PIECE_BYTES) {
        return hash_long(L, kind, &key, 3, encoding);
    }
    int result_len = digest_hmac(digests_of(L), kind, &key, data, len, result);
    if (result_len < 0) {
        raise_refused(L, kind);
    }
    push_in(L, encoding, result, (size_t)result_len);
    return 1;
}

int hasher_new(lua_State *L)
{
    struct digest_key key = {0};
    unsigned kind = check_kind(L, 1);
    bool has_key = !lua_isnoneornil(L, 2);
    if (has_key) {
        key.bytes = luaL_checklstring(L, 2, &key.len);
    }
    if (digest_init(push_digest(L), digests_of(L), kind, has_key ? &key : NULL) != 0) {
        raise_refused(L, kind);
    }
    return 1;
}

static int update_on(lua_State *L, int status, lua_KContext done)
{
    (void)status;
    update_from(L, (size_t)done, update_on);
    lua_settop(L, 2);
    return 1;
}

static int hasher_update(lua_State *L)
{
    luaL_checkudata(L, 1, HASHER_METATABLE);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    lua_insert(L, 1); /* the data first */
    return update_on(L, LUA_OK, 0);
}

static int hasher_digest(lua_State *L)
{
    uint8_t result[DIGEST_BYTES_MAX];
    const struct digest *digest = luaL_checkudata(L, 1, HASHER_METATABLE);
    hasher_push_encoded(L, 2, "hex", result, (size_t)digest_peek(digest, result));
    return 1;
}

static int hasher_gc(lua_State *L)
{
    digest_fini(luaL_checkudata(L, 1, HASHER_METATABLE));
    return 0;
}

static int digests_gc(lua_State *L)
{
    digests_fini(luaL_checkudata(L, 1, DIGESTS_METATABLE));
    return 0;
}

static const luaL_Reg methods[] = {
    {"update", hasher_update},
    {"digest", hasher_digest},
    {NULL, NULL},
};

void hasher_push_digests(lua_State *L)
{
    luaL_newmetatable(L, HASHER_METATABLE);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, hasher_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, HASHER_METATABLE);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    struct digests *digests = lua_newuserdatauv(L, sizeof(*digests), 0);
    *digests = (struct digests){0};
    luaL_newmetatable(L, DIGESTS_METATABLE);
    lua_pushcfunction(L, digests_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
}
