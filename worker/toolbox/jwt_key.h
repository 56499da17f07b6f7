#ifndef FSD_WORKER_TOOLBOX_JWT_KEY_H
#define FSD_WORKER_TOOLBOX_JWT_KEY_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modules/jwt.h"

struct fsd_err;

/* A key that signs and verifies tokens with one algorithm. */
struct jwt_key {
    enum jwt_algorithm algorithm;
    size_t signature_len; /* in bytes; what is longer or shorter is no signature of this key */
    struct jwt_key_text signing;   /* owned; len 0: it can only verify */
    struct jwt_key_text verifying; /* owned; for a secret the same text twice */
};

enum jwt_key_part { JWT_KEY_PUBLIC, JWT_KEY_PRIVATE };

/* The algorithm of a name ("RS256"); JWT_ALGORITHMS when there is none. */
enum jwt_algorithm jwt_algorithm_find(const char *name);
const char *jwt_algorithm_name(enum jwt_algorithm algorithm);
/* "SHA256", "SHA384", "SHA512". */
const char *jwt_algorithm_hash(enum jwt_algorithm algorithm);
bool jwt_algorithm_has_secret(enum jwt_algorithm algorithm);

/* All fill a zeroed key: 0, or -EINVAL with the reason in err. */
int jwt_key_from_secret(struct jwt_key *key, enum jwt_algorithm algorithm, const char *secret,
                        size_t len, struct fsd_err *err);
/* PEM text without a passphrase: a public key, a certificate, or a private key, which can do both. */
int jwt_key_from_pem(struct jwt_key *key, enum jwt_algorithm algorithm, enum jwt_key_part part,
                     const struct jwt_key_text *pem, struct fsd_err *err);

struct jwt_number {
    const uint8_t *bytes; /* big-endian */
    size_t len;
};
/* The numbers of a JWK: modulus and exponent of RSA, x and y of a curve. */
int jwt_key_from_numbers(struct jwt_key *key, enum jwt_algorithm algorithm,
                         const struct jwt_number *first, const struct jwt_number *second,
                         struct fsd_err *err);
/* Wipes and frees; a zeroed one is left as it is. */
void jwt_key_fini(struct jwt_key *key);

#endif
