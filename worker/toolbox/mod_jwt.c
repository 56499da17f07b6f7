/* mod_jwt.c - what fsd.jwt (lua/fsd/jwt.lua) has in C: keys, and signatures by libjwt.
 *   core.secret(alg, secret) -> key        core.pem(alg, "public" | "private", text) -> key
 *   core.numbers(alg, first, second) -> key
 *   core.alg(key) -> alg                   core.can_sign(key) -> boolean
 *   core.sign(key, head, claims) -> token  head and claims are JSON; nil when libjwt refuses
 *   core.split(token) -> head, payload     nil when it has not the form of one
 *   core.verify(key, token) -> boolean     of a token that was split, and whose head names the key's algorithm
 *   core.algorithms -> list of names
 * Owns keys as userdata, which wipe themselves.  The signature of a secret is compared in constant time before libjwt sees the token,
 * because libjwt's own comparison is not in each of its versions.  Called by jwt.lua; a key that cannot be made raises. */
#include "worker/toolbox/mod_jwt.h"

#include <errno.h>
#include <lauxlib.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/error.h"
#include "worker/toolbox/base64.h"
#include "worker/toolbox/jwt_key.h"
#include "worker/toolbox/private_module.h"

#define KEY_METATABLE "fsd.jwt.Key"

enum {
    TOKEN_BYTES_MAX = 64 * 1024,
    SIGNATURE_BYTES_MAX = 1024, /* of RSA with 8192 bits */
    STATUS_INTERNAL_ERROR = 500,
};

static const struct jwt_module *open_libjwt(lua_State *L)
{
    struct fsd_err err;
    const struct jwt_module *module = private_module_jwt(&err);
    if (module == NULL) {
        error_raise(L, "JwtError", "jwt.unavailable", STATUS_INTERNAL_ERROR, "%s", err.text);
    }
    return module;
}

static enum jwt_algorithm check_algorithm(lua_State *L)
{
    enum jwt_algorithm algorithm = jwt_algorithm_find(luaL_checkstring(L, 1));
    luaL_argcheck(L, algorithm != JWT_ALGORITHMS, 1, "unknown algorithm");
    return algorithm;
}

static struct jwt_key *push_key(lua_State *L)
{
    struct jwt_key *key = lua_newuserdatauv(L, sizeof(*key), 0);
    *key = (struct jwt_key){0};
    luaL_setmetatable(L, KEY_METATABLE);
    return key;
}

/* 1, or raises the reason. */
static int give_key(lua_State *L, int error, const struct fsd_err *err)
{
    if (error != 0) {
        error_raise(L, "JwtError", "jwt.key", STATUS_INTERNAL_ERROR, "%s", err->text);
    }
    return 1;
}

static int make_secret(lua_State *L)
{
    struct fsd_err err;
    size_t len;
    enum jwt_algorithm algorithm = check_algorithm(L);
    const char *secret = luaL_checklstring(L, 2, &len);
    return give_key(L, jwt_key_from_secret(push_key(L), algorithm, secret, len, &err), &err);
}

static int make_pem(lua_State *L)
{
    static const char *const parts[] = {"public", "private", NULL};
    struct fsd_err err;
    struct jwt_key_text pem;
    enum jwt_algorithm algorithm = check_algorithm(L);
    enum jwt_key_part part = (enum jwt_key_part)luaL_checkoption(L, 2, NULL, parts);
    pem.bytes = luaL_checklstring(L, 3, &pem.len);
    return give_key(L, jwt_key_from_pem(push_key(L), algorithm, part, &pem, &err), &err);
}

static int make_numbers(lua_State *L)
{
    struct fsd_err err;
    struct jwt_number first;
    struct jwt_number second;
    enum jwt_algorithm algorithm = check_algorithm(L);
    first.bytes = (const uint8_t *)luaL_checklstring(L, 2, &first.len);
    second.bytes = (const uint8_t *)luaL_checklstring(L, 3, &second.len);
    luaL_argcheck(L, !jwt_algorithm_has_secret(algorithm), 1, "is a secret's");
    return give_key(L, jwt_key_from_numbers(push_key(L), algorithm, &first, &second, &err), &err);
}

static int key_algorithm(lua_State *L)
{
    const struct jwt_key *key = luaL_checkudata(L, 1, KEY_METATABLE);
    lua_pushstring(L, jwt_algorithm_name(key->algorithm));
    return 1;
}

static int can_sign(lua_State *L)
{
    const struct jwt_key *key = luaL_checkudata(L, 1, KEY_METATABLE);
    lua_pushboolean(L, key->signing.len > 0);
    return 1;
}

static int key_gc(lua_State *L)
{
    jwt_key_fini(luaL_checkudata(L, 1, KEY_METATABLE));
    return 0;
}

static int sign(lua_State *L)
{
    const struct jwt_key *key = luaL_checkudata(L, 1, KEY_METATABLE);
    const char *head = luaL_checkstring(L, 2);
    const char *claims = luaL_checkstring(L, 3);
    luaL_argcheck(L, key->signing.len > 0, 1, "can only verify");
    const struct jwt_module *libjwt = open_libjwt(L);
    char token[TOKEN_BYTES_MAX + 1];
    char *made = NULL;
    if (libjwt->sign(key->algorithm, &key->signing, head, claims, &made) != 0) {
        lua_pushnil(L);
        return 1;
    }
    /* pushing may raise */
    size_t len = strnlen(made, sizeof(token));
    if (len < sizeof(token)) {
        memcpy(token, made, len);
    }
    libjwt->release(made);
    if (len == sizeof(token)) {
        return luaL_argerror(L, 3, "the token would be too long (64 KiB at most)");
    }
    lua_pushlstring(L, token, len);
    return 1;
}

struct part {
    const char *text;
    size_t len;
};

/* Three parts with dots between. */
static bool split_parts(const char *token, size_t len, struct part parts[3])
{
    const char *end = token + len;
    for (int i = 0; i < 3; i++) {
        const char *dot = memchr(token, '.', (size_t)(end - token));
        if ((dot == NULL) != (i == 2)) {
            return false;
        }
        parts[i] = (struct part){token, (size_t)((dot != NULL ? dot : end) - token)};
        token = dot != NULL ? dot + 1 : end;
    }
    return true;
}

/* The number of bytes; negative: it is not base64url, of which each value has one text. */
static ssize_t decode_part(const struct part *part, uint8_t *bytes)
{
    struct base64_reader reader = {.alphabet = BASE64_URL};
    size_t len = 0;
    if (part->len == 0 || base64_read(&reader, part->text, part->len, bytes, &len) < part->len ||
        !base64_read_end(&reader, bytes, &len)) {
        return -1;
    }
    return (ssize_t)len;
}

static int split(lua_State *L)
{
    struct part parts[3];
    uint8_t bytes[BASE64_BYTES_ROOM(TOKEN_BYTES_MAX)];
    size_t len;
    const char *token = luaL_checklstring(L, 1, &len);
    if (len > TOKEN_BYTES_MAX || !split_parts(token, len, parts) ||
        decode_part(&parts[2], bytes) < 0) {
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        ssize_t part_len = decode_part(&parts[i], bytes);
        if (part_len < 0) {
            return 0;
        }
        lua_pushlstring(L, (const char *)bytes, (size_t)part_len);
    }
    return 2;
}

static bool is_secret_right(const struct jwt_key *key, const char *token, const struct part *last,
                            const uint8_t *signature)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    size_t mac_len = 0;
    size_t signed_len = (size_t)(last->text - 1 - token);
    return EVP_Q_mac(NULL, "HMAC", NULL, jwt_algorithm_hash(key->algorithm), NULL,
                     key->verifying.bytes, key->verifying.len, (const unsigned char *)token,
                     signed_len, mac, sizeof(mac), &mac_len) != NULL &&
           mac_len == key->signature_len && CRYPTO_memcmp(mac, signature, mac_len) == 0;
}

static int verify(lua_State *L)
{
    struct part parts[3];
    uint8_t signature[BASE64_BYTES_ROOM(SIGNATURE_BYTES_MAX * 2)];
    size_t len;
    const struct jwt_key *key = luaL_checkudata(L, 1, KEY_METATABLE);
    const char *token = luaL_checklstring(L, 2, &len);
    const struct jwt_module *libjwt = open_libjwt(L);
    bool is_right = len <= TOKEN_BYTES_MAX && split_parts(token, len, parts) &&
                    parts[2].len < sizeof(signature) &&
                    decode_part(&parts[2], signature) == (ssize_t)key->signature_len &&
                    (!jwt_algorithm_has_secret(key->algorithm) ||
                     is_secret_right(key, token, &parts[2], signature)) &&
                    libjwt->verify(key->algorithm, &key->verifying, token) == 0;
    lua_pushboolean(L, is_right);
    return 1;
}

static const luaL_Reg functions[] = {
    {"alg", key_algorithm}, {"can_sign", can_sign},  {"numbers", make_numbers},
    {"pem", make_pem},      {"secret", make_secret}, {"sign", sign},
    {"split", split},       {"verify", verify},      {NULL, NULL},
};

int luaopen_fsd_jwt_core(lua_State *L)
{
    luaL_newmetatable(L, KEY_METATABLE);
    lua_pushcfunction(L, key_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, KEY_METATABLE);
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, functions);
    lua_createtable(L, JWT_ALGORITHMS, 0);
    for (int i = 0; i < JWT_ALGORITHMS; i++) {
        lua_pushstring(L, jwt_algorithm_name((enum jwt_algorithm)i));
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "algorithms");
    return 1;
}
