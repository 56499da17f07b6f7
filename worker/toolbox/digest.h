#ifndef FSD_WORKER_TOOLBOX_DIGEST_H
#define FSD_WORKER_TOOLBOX_DIGEST_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* OpenSSL's hash functions by our names, each looked up once. */

enum { DIGEST_KINDS = 12, DIGEST_BYTES_MAX = EVP_MAX_MD_SIZE };

/* One for each lua_State; zeroed at first. */
struct digests {
    EVP_MD *kinds[DIGEST_KINDS];      /* owned; NULL: not asked for yet */
    EVP_MAC_CTX *hmacs[DIGEST_KINDS]; /* owned; without a key; NULL: not asked for yet */
    EVP_MD_CTX *hash;                 /* owned; for what is done in one call */
};

/* A hash or an HMAC that is being made. */
struct digest {
    EVP_MD_CTX *hash;  /* owned; NULL for an HMAC */
    EVP_MAC_CTX *hmac; /* owned; NULL for a hash */
};

extern const char *const digest_names[DIGEST_KINDS + 1];

void digests_fini(struct digests *digests);
/* All of it at once.  The number of bytes in result, or -ENOTSUP: this OpenSSL refuses the kind. */
int digest_hash(struct digests *digests, unsigned kind, const void *data, size_t len,
                uint8_t result[DIGEST_BYTES_MAX]);

struct digest_key {
    const void *bytes;
    size_t len;
};
int digest_hmac(struct digests *digests, unsigned kind, const struct digest_key *key,
                const void *data, size_t len, uint8_t result[DIGEST_BYTES_MAX]);

/* Begins one; key is NULL for a hash.  0 or -ENOTSUP. */
int digest_init(struct digest *digest, struct digests *digests, unsigned kind,
                const struct digest_key *key);
/* False: out of memory in OpenSSL. */
bool digest_update(struct digest *digest, const void *data, size_t len);
/* The number of bytes in result; what was begun goes on. */
int digest_peek(const struct digest *digest, uint8_t result[DIGEST_BYTES_MAX]);
/* One that was never begun, or is freed already, is left as it is. */
void digest_fini(struct digest *digest);

#endif
