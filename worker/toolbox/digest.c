/* digest.c - hashes and HMACs.
 * Owns what OpenSSL 3 looks up by a name, which takes longer than the hash of a short text: so each kind is looked up once, and its HMAC
 * is kept as a context without a key.  Called by hasher.c and mod_crypto.c.  Must not know Lua. */
#include "worker/toolbox/digest.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

const char *const digest_names[DIGEST_KINDS + 1] = {
    "md5",      "sha1",     "sha224",   "sha256",     "sha384",     "sha512", "sha512-256",
    "sha3-256", "sha3-384", "sha3-512", "blake2b512", "blake2s256", NULL,
};

/* What OpenSSL calls them, where that is something else. */
static const char *const provided[DIGEST_KINDS] = {
    "MD5",        "SHA1",     "SHA224",   "SHA256",   "SHA384",     "SHA512",
    "SHA512-256", "SHA3-256", "SHA3-384", "SHA3-512", "BLAKE2B512", "BLAKE2S256",
};

void digests_fini(struct digests *digests)
{
    for (unsigned i = 0; i < DIGEST_KINDS; i++) {
        EVP_MD_free(digests->kinds[i]);
        EVP_MAC_CTX_free(digests->hmacs[i]);
    }
    EVP_MD_CTX_free(digests->hash);
    *digests = (struct digests){0};
}

static const EVP_MD *find_kind(struct digests *digests, unsigned kind)
{
    if (digests->kinds[kind] == NULL) {
        digests->kinds[kind] = EVP_MD_fetch(NULL, provided[kind], NULL);
    }
    return digests->kinds[kind];
}

/* OpenSSL takes the name as a char pointer, and only reads it. */
static EVP_MAC_CTX *make_hmac(unsigned kind)
{
    char name[16];
    size_t len = 0;
    for (; provided[kind][len] != '\0'; len++) {
        name[len] = provided[kind][len];
    }
    name[len] = '\0';
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *hmac = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac); /* the context holds it */
    if (hmac != NULL && EVP_MAC_CTX_set_params(hmac, params) != 1) {
        EVP_MAC_CTX_free(hmac);
        hmac = NULL;
    }
    return hmac;
}

static EVP_MAC_CTX *find_hmac(struct digests *digests, unsigned kind)
{
    if (digests->hmacs[kind] == NULL) {
        digests->hmacs[kind] = make_hmac(kind);
    }
    return digests->hmacs[kind];
}

int digest_hash(struct digests *digests, unsigned kind, const void *data, size_t len,
                uint8_t result[DIGEST_BYTES_MAX])
{
    const EVP_MD *md = find_kind(digests, kind);
    unsigned result_len = 0;
    if (digests->hash == NULL) {
        digests->hash = EVP_MD_CTX_new();
    }
    if (md == NULL || digests->hash == NULL || EVP_DigestInit_ex2(digests->hash, md, NULL) != 1 ||
        EVP_DigestUpdate(digests->hash, data, len) != 1 ||
        EVP_DigestFinal_ex(digests->hash, result, &result_len) != 1) {
        return -ENOTSUP;
    }
    return (int)result_len;
}

static bool begin_hmac(EVP_MAC_CTX *hmac, const struct digest_key *key)
{
    static const uint8_t empty[1]; /* a key that is NULL would be the one before */
    return hmac != NULL &&
           EVP_MAC_init(hmac, key->len > 0 ? key->bytes : empty, key->len, NULL) == 1;
}

int digest_hmac(struct digests *digests, unsigned kind, const struct digest_key *key,
                const void *data, size_t len, uint8_t result[DIGEST_BYTES_MAX])
{
    EVP_MAC_CTX *hmac = find_hmac(digests, kind);
    size_t result_len = 0;
    if (!begin_hmac(hmac, key) || EVP_MAC_update(hmac, data, len) != 1 ||
        EVP_MAC_final(hmac, result, &result_len, DIGEST_BYTES_MAX) != 1) {
        return -ENOTSUP;
    }
    return (int)result_len;
}

int digest_init(struct digest *digest, struct digests *digests, unsigned kind,
                const struct digest_key *key)
{
    bool is_ready = false;
    if (key != NULL) {
        const EVP_MAC_CTX *hmac = find_hmac(digests, kind);
        digest->hmac = hmac != NULL ? EVP_MAC_CTX_dup(hmac) : NULL;
        is_ready = begin_hmac(digest->hmac, key);
    } else {
        const EVP_MD *md = find_kind(digests, kind);
        digest->hash = md != NULL ? EVP_MD_CTX_new() : NULL;
        is_ready = digest->hash != NULL && EVP_DigestInit_ex2(digest->hash, md, NULL) == 1;
    }
    if (!is_ready) {
        digest_fini(digest);
        return -ENOTSUP;
    }
    return 0;
}

bool digest_update(struct digest *digest, const void *data, size_t len)
{
    return (digest->hmac != NULL ? EVP_MAC_update(digest->hmac, data, len)
                                 : EVP_DigestUpdate(digest->hash, data, len)) == 1;
}

static int peek_hmac(const EVP_MAC_CTX *hmac, uint8_t result[DIGEST_BYTES_MAX])
{
    EVP_MAC_CTX *copy = EVP_MAC_CTX_dup(hmac);
    size_t len = 0;
    if (copy == NULL || EVP_MAC_final(copy, result, &len, DIGEST_BYTES_MAX) != 1) {
        len = 0;
    }
    EVP_MAC_CTX_free(copy);
    return (int)len;
}

int digest_peek(const struct digest *digest, uint8_t result[DIGEST_BYTES_MAX])
{
    if (digest->hmac != NULL) {
        return peek_hmac(digest->hmac, result);
    }
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    unsigned len = 0;
    if (copy == NULL || EVP_MD_CTX_copy_ex(copy, digest->hash) != 1 ||
        EVP_DigestFinal_ex(copy, result, &len) != 1) {
        len = 0;
    }
    EVP_MD_CTX_free(copy);
    return (int)len;
}

void digest_fini(struct digest *digest)
{
    EVP_MD_CTX_free(digest->hash);
    EVP_MAC_CTX_free(digest->hmac);
    *digest = (struct digest){0};
}
