/* sodium.c - libsodium, as far as fsd-worker uses it.
 * Owns the one table that this shared object exports.  It is a shared object of its own so that only those processes load libsodium that
 * need it: the helper that hashes passwords, and a worker at its first crypto.seal.  Opened by worker/toolbox/private_module.c.
 * Must not know Lua, nor anything of the worker. */
#include "modules/sodium.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES };

_Static_assert(SODIUM_PASSWORD_HASH_ROOM == crypto_pwhash_STRBYTES, "room for a hash");
_Static_assert(SODIUM_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a key");
_Static_assert(SODIUM_OVERHEAD_BYTES == NONCE_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "nonce and tag");

static int start(void)
{
    return sodium_init() >= 0 ? 0 : -EIO;
}

/* Both functions below fail without a number when their arguments are wrong, and with ENOMEM when there is no memory. */
static int password_hash(char hash[SODIUM_PASSWORD_HASH_ROOM], const struct sodium_bytes *password,
                         const struct sodium_cost *cost)
{
    errno = 0;
    if (crypto_pwhash_str_alg(hash, password->bytes, password->len, cost->operations,
                              cost->memory_bytes, crypto_pwhash_ALG_ARGON2ID13) == 0) {
        return 0;
    }
    return errno == EINVAL || errno == EFBIG ? -EINVAL : -ENOMEM;
}

static int password_needs_rehash(const char *hash, const struct sodium_cost *cost)
{
    int result = crypto_pwhash_str_needs_rehash(hash, cost->operations, cost->memory_bytes);
    return result < 0 ? -EINVAL : result;
}

static int password_verify(const char *hash, const struct sodium_bytes *password)
{
    static const struct sodium_cost any = {crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                           crypto_pwhash_MEMLIMIT_INTERACTIVE};
    if (password_needs_rehash(hash, &any) < 0) {
        return -EINVAL;
    }
    errno = 0;
    if (crypto_pwhash_str_verify(hash, password->bytes, password->len) == 0) {
        return 1;
    }
    return errno == ENOMEM ? -ENOMEM : 0;
}

static void seal(uint8_t *sealed, const struct sodium_bytes *data,
                 const struct sodium_bytes *context, const uint8_t key[SODIUM_KEY_BYTES])
{
    randombytes_buf(sealed, NONCE_BYTES);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_BYTES, NULL, data->bytes,
                                                     data->len, context->bytes, context->len, NULL,
                                                     sealed, key);
}

static int open_sealed(uint8_t *data, const struct sodium_bytes *sealed,
                       const struct sodium_bytes *context, const uint8_t key[SODIUM_KEY_BYTES])
{
    const uint8_t *bytes = sealed->bytes;
    if (sealed->len < SODIUM_OVERHEAD_BYTES) {
        return -EBADMSG;
    }
    int error = crypto_aead_xchacha20poly1305_ietf_decrypt(
        data, NULL, NULL, bytes + NONCE_BYTES, sealed->len - NONCE_BYTES, context->bytes,
        context->len, bytes, key);
    return error == 0 ? 0 : -EBADMSG;
}

__attribute__((visibility("default"))) const struct sodium_module fsd_module_sodium = {
    .version = SODIUM_MODULE_VERSION,
    .start = start,
    .password_hash = password_hash,
    .password_verify = password_verify,
    .password_needs_rehash = password_needs_rehash,
    .seal = seal,
    .open = open_sealed,
};
