/* jwt_key.c - keys of tokens: each is of one algorithm, and is known to fit it.
 * Owns the texts of a key, and wipes them.  Whatever a key comes from, it is read here with OpenSSL, judged (kind, curve, length) and
 * written again as plain PEM, so that libjwt sees nothing that a stranger has written, and asks no terminal for a passphrase.  A PEM text
 * is never taken as a secret.  Called by mod_jwt.c.  Must not know Lua. */
#include "worker/toolbox/jwt_key.h"

#include <assert.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

enum {
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192, /* verifying takes half a millisecond */
    RSA_BITS_SIGNING_MAX =
        4096, /* signing takes some milliseconds, and grows with the third power */
    EC_BYTES_MAX = 66,
};

enum family { FAMILY_SECRET, FAMILY_RSA, FAMILY_EC };

static const struct row {
    const char *name;
    enum family family;
    const char *hash;
    size_t size;       /* of the hash, or of one number of the curve, in bytes */
    const char *curve; /* OpenSSL's name */
} rows[JWT_ALGORITHMS] = {
    [JWT_HS256] = {"HS256", FAMILY_SECRET, "SHA256", 32, NULL},
    [JWT_HS384] = {"HS384", FAMILY_SECRET, "SHA384", 48, NULL},
    [JWT_HS512] = {"HS512", FAMILY_SECRET, "SHA512", 64, NULL},
    [JWT_RS256] = {"RS256", FAMILY_RSA, "SHA256", 32, NULL},
    [JWT_RS384] = {"RS384", FAMILY_RSA, "SHA384", 48, NULL},
    [JWT_RS512] = {"RS512", FAMILY_RSA, "SHA512", 64, NULL},
    [JWT_ES256] = {"ES256", FAMILY_EC, "SHA256", 32, "prime256v1"},
    [JWT_ES384] = {"ES384", FAMILY_EC, "SHA384", 48, "secp384r1"},
    [JWT_ES512] = {"ES512", FAMILY_EC, "SHA512", EC_BYTES_MAX, "secp521r1"},
};

enum jwt_algorithm jwt_algorithm_find(const char *name)
{
    unsigned i = 0;
    while (i < JWT_ALGORITHMS && strcmp(rows[i].name, name) != 0) {
        i++;
    }
    return (enum jwt_algorithm)i;
}

const char *jwt_algorithm_name(enum jwt_algorithm algorithm)
{
    return rows[algorithm].name;
}

const char *jwt_algorithm_hash(enum jwt_algorithm algorithm)
{
    return rows[algorithm].hash;
}

bool jwt_algorithm_has_secret(enum jwt_algorithm algorithm)
{
    return rows[algorithm].family == FAMILY_SECRET;
}

/* Dies on no memory, as all of the worker. */
static struct jwt_key_text keep(const void *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    return (struct jwt_key_text){copy, len};
}

static void drop(struct jwt_key_text *text)
{
    if (text->bytes != NULL) {
        char *bytes = NULL;
        memcpy(&bytes, &text->bytes, sizeof(bytes)); /* ours to write: keep() has made it */
        explicit_bzero(bytes, text->len);
        free(bytes);
    }
    *text = (struct jwt_key_text){0};
}

void jwt_key_fini(struct jwt_key *key)
{
    drop(&key->signing);
    drop(&key->verifying);
    *key = (struct jwt_key){0};
}

int jwt_key_from_secret(struct jwt_key *key, enum jwt_algorithm algorithm, const char *secret,
                        size_t len, struct fsd_err *err)
{
    const struct row *row = &rows[algorithm];
    if (row->family != FAMILY_SECRET) {
        return fsd_err_set(err, EINVAL, "cannot make a key of %s: it is a pair of keys, no secret",
                           row->name);
    }
    if (memmem(secret, len, "-----BEGIN ", strlen("-----BEGIN ")) != NULL) {
        return fsd_err_set(err, EINVAL, "cannot make a key of %s: a key in PEM is no secret",
                           row->name);
    }
    if (len < row->size) {
        return fsd_err_set(err, EINVAL,
                           "cannot make a key of %s: its secret must have at least %zu bytes, got "
                           "%zu; crypto.random_bytes makes one",
                           row->name, row->size, len);
    }
    key->algorithm = algorithm;
    key->signature_len = row->size;
    key->signing = keep(secret, len);
    key->verifying = keep(secret, len);
    return 0;
}

/* Whether the key fits the algorithm. */
static int judge(EVP_PKEY *pkey, const struct row *row, bool is_private, struct fsd_err *err)
{
    char curve[64];
    size_t len = 0;
    int bits = EVP_PKEY_get_bits(pkey);
    int bits_max = is_private ? RSA_BITS_SIGNING_MAX : RSA_BITS_MAX;
    if (!EVP_PKEY_is_a(pkey, row->family == FAMILY_RSA ? "RSA" : "EC")) {
        return fsd_err_set(err, EINVAL, "cannot make a key of %s: it is of another kind",
                           row->name);
    }
    if (row->family == FAMILY_RSA && (bits < RSA_BITS_MIN || bits > bits_max)) {
        return fsd_err_set(err, EINVAL,
                           "cannot make a key of %s: it must have %d to %d bits, got %d", row->name,
                           RSA_BITS_MIN, bits_max, bits);
    }
    if (row->family == FAMILY_EC &&
        (EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), &len) != 1 ||
         strcmp(curve, row->curve) != 0)) {
        return fsd_err_set(err, EINVAL, "cannot make a key of %s: it is not of the curve %s",
                           row->name, row->curve);
    }
    return 0;
}

static struct jwt_key_text write_pem(EVP_PKEY *pkey, bool is_private)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    int done = 0;
    if (bio != NULL) {
        done = is_private ? PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
                          : PEM_write_bio_PUBKEY(bio, pkey);
    }
    struct jwt_key_text pem = {0};
    if (done == 1) {
        long len = BIO_get_mem_data(bio, &text);
        pem = keep(text, (size_t)len);
        explicit_bzero(text, (size_t)len);
    }
    BIO_free(bio);
    return pem;
}

/* Takes a key of OpenSSL's over. */
static int take(struct jwt_key *key, enum jwt_algorithm algorithm, EVP_PKEY *pkey, bool is_private,
                struct fsd_err *err)
{
    const struct row *row = &rows[algorithm];
    int error = judge(pkey, row, is_private, err);
    if (error == 0) {
        key->algorithm = algorithm;
        key->signature_len =
            row->family == FAMILY_RSA ? (size_t)EVP_PKEY_get_size(pkey) : 2 * row->size;
        key->verifying = write_pem(pkey, false);
        if (is_private) {
            key->signing = write_pem(pkey, true);
        }
        if (key->verifying.len == 0 || (is_private && key->signing.len == 0)) {
            jwt_key_fini(key);
            error = fsd_err_set(err, EINVAL, "cannot make a key of %s: OpenSSL cannot write it",
                                row->name);
        }
    }
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return error;
}

/* There is no passphrase, and nobody to be asked for one. */
/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type */
static int on_passphrase(char *buf, int size, int is_writing, void *data)
{
    (void)buf;
    (void)size;
    (void)is_writing;
    (void)data;
    return -1;
}

static EVP_PKEY *read_certificate(BIO *bio)
{
    X509 *certificate = PEM_read_bio_X509(bio, NULL, on_passphrase, NULL);
    EVP_PKEY *pkey = certificate != NULL ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    return pkey;
}

static EVP_PKEY *read_pem(const struct jwt_key_text *pem, bool is_private)
{
    BIO *bio = pem->len <= INT_MAX ? BIO_new_mem_buf(pem->bytes, (int)pem->len) : NULL;
    if (bio == NULL) {
        return NULL;
    }
    EVP_PKEY *pkey = is_private ? PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, NULL)
                                : PEM_read_bio_PUBKEY(bio, NULL, on_passphrase, NULL);
    if (pkey == NULL && !is_private && BIO_reset(bio) == 1) {
        pkey = read_certificate(bio);
    }
    BIO_free(bio);
    return pkey;
}

int jwt_key_from_pem(struct jwt_key *key, enum jwt_algorithm algorithm, enum jwt_key_part part,
                     const struct jwt_key_text *pem, struct fsd_err *err)
{
    const struct row *row = &rows[algorithm];
    bool is_private = part == JWT_KEY_PRIVATE;
    if (row->family == FAMILY_SECRET) {
        return fsd_err_set(err, EINVAL, "cannot make a key of %s: it is a secret, no pair of keys",
                           row->name);
    }
    EVP_PKEY *pkey = read_pem(pem, is_private);
    if (pkey == NULL) {
        ERR_clear_error();
        return fsd_err_set(err, EINVAL,
                           "cannot make a key of %s: that is no %s key in PEM without a passphrase",
                           row->name, is_private ? "private" : "public");
    }
    return take(key, algorithm, pkey, is_private, err);
}

static OSSL_PARAM *make_rsa(const struct jwt_number *modulus, const struct jwt_number *exponent)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(modulus->bytes, (int)modulus->len, NULL);
    BIGNUM *e = BN_bin2bn(exponent->bytes, (int)exponent->len, NULL);
    OSSL_PARAM *params = NULL;
    if (build != NULL && n != NULL && e != NULL &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(build);
    return params;
}

/* point has room for a byte and both numbers, and must outlive the result's use. */
static OSSL_PARAM *make_ec(const struct row *row, const struct jwt_number *x,
                           const struct jwt_number *y, uint8_t point[1 + 2 * EC_BYTES_MAX])
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(point + 1, x->bytes, row->size);
    memcpy(point + 1 + row->size, y->bytes, row->size);
    if (build != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, row->curve, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         1 + 2 * row->size) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    OSSL_PARAM_BLD_free(build);
    return params;
}

static EVP_PKEY *make_pkey(const char *kind, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    if (context == NULL || params == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return pkey;
}

int jwt_key_from_numbers(struct jwt_key *key, enum jwt_algorithm algorithm,
                         const struct jwt_number *first, const struct jwt_number *second,
                         struct fsd_err *err)
{
    const struct row *row = &rows[algorithm];
    uint8_t point[1 + 2 * EC_BYTES_MAX];
    EVP_PKEY *pkey = NULL;
    assert(row->family != FAMILY_SECRET);
    if (row->family == FAMILY_RSA && first->len <= RSA_BITS_MAX / 8 && second->len <= 8) {
        pkey = make_pkey("RSA", make_rsa(first, second));
    } else if (row->family == FAMILY_EC && first->len == row->size && second->len == row->size) {
        pkey = make_pkey("EC", make_ec(row, first, second, point));
    }
    if (pkey == NULL) {
        ERR_clear_error();
        return fsd_err_set(err, EINVAL, "cannot make a key of %s: its numbers make none",
                           row->name);
    }
    return take(key, algorithm, pkey, false, err);
}
