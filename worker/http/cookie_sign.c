/* cookie_sign.c - signatures of values that clients keep for us.
 * Owns nothing.  HMAC and comparison are OpenSSL's; the format is that of Node's cookie-signature, so that an application that is moved
 * here knows its users again.  Called by cookies.c.  Must not know cookies' names and attributes. */
#include "worker/http/cookie_sign.h"

#include <lauxlib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "worker/http/exchange.h"
#include "worker/http/settings.h"

enum { HASH_BYTES = 32, BASE64_BYTES = 45 }; /* with padding, and a NUL */

bool cookie_sign_push_secrets(lua_State *L, const struct exchange *exchange)
{
    int type = settings_push(L, exchange, "secret");
    bool has_one = type == LUA_TSTRING || (type == LUA_TTABLE && lua_rawlen(L, -1) > 0);
    if (!has_one) {
        lua_pop(L, 1);
    }
    return has_one;
}

/* The secret on the top. */
static void sign(lua_State *L, const char *value, size_t len, char ret_signature[COOKIE_SIGN_MAX])
{
    unsigned char hash[HASH_BYTES];
    unsigned char text[BASE64_BYTES];
    size_t key_len;
    const char *key = lua_tolstring(L, -1, &key_len);
    if (key == NULL || HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)value, len,
                            hash, NULL) == NULL) {
        luaL_error(L, "cannot sign a cookie: the setting \"secret\" is no text");
    }
    (void)EVP_EncodeBlock(text, hash, HASH_BYTES);
    memcpy(ret_signature, text, COOKIE_SIGN_MAX);
}

/* Pushes the secret with that number, from 1 on; false, and nothing pushed: there is none. */
static bool push_secret(lua_State *L, int secrets, lua_Integer number)
{
    if (lua_type(L, secrets) != LUA_TTABLE) {
        if (number == 1) {
            lua_pushvalue(L, secrets);
        }
        return number == 1;
    }
    if (lua_rawgeti(L, secrets, number) == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    return true;
}

void cookie_sign_make(lua_State *L, int secrets, const char *value, size_t len,
                      char ret_signature[COOKIE_SIGN_MAX])
{
    (void)push_secret(L, secrets, 1);
    sign(L, value, len, ret_signature);
    lua_pop(L, 1);
}

bool cookie_sign_check(lua_State *L, int secrets, const char *text, size_t len, size_t *ret_len)
{
    const char *point = len > 0 ? memrchr(text, '.', len) : NULL;
    if (point == NULL || (size_t)(text + len - point) != COOKIE_SIGN_MAX + 1) {
        return false;
    }
    size_t value_len = (size_t)(point - text);
    bool is_right = false;
    for (lua_Integer i = 1; push_secret(L, secrets, i); i++) {
        char signature[COOKIE_SIGN_MAX];
        sign(L, text, value_len, signature);
        lua_pop(L, 1);
        is_right |= CRYPTO_memcmp(signature, point + 1, COOKIE_SIGN_MAX) == 0;
    }
    *ret_len = value_len;
    return is_right;
}
