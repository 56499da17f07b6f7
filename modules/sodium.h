#ifndef FSD_MODULES_SODIUM_H
#define FSD_MODULES_SODIUM_H

#include <stddef.h>
#include <stdint.h>

/* What fsd-worker uses of libsodium: the one symbol of modules/sodium.so. */

enum {
    SODIUM_MODULE_VERSION = 1,
    SODIUM_PASSWORD_HASH_ROOM = 128, /* with the NUL */
    SODIUM_KEY_BYTES = 32,
    SODIUM_OVERHEAD_BYTES = 24 + 16, /* a sealed message is so much longer: nonce and tag */
};

/* How much work a password hash is. */
struct sodium_cost {
    uint64_t operations;
    uint64_t memory_bytes;
};

struct sodium_bytes {
    const void *bytes;
    size_t len;
};

struct sodium_module {
    unsigned version; /* SODIUM_MODULE_VERSION: it was built with this header */
    /* Before anything else; may be called again.  0, or -EIO. */
    int (*start)(void);
    /* argon2id, with a salt of its own.  0; -ENOMEM; -EINVAL: the cost is out of range. */
    int (*password_hash)(char hash[SODIUM_PASSWORD_HASH_ROOM], const struct sodium_bytes *password,
                         const struct sodium_cost *cost);
    /* 1: it is the password; 0: it is not; -ENOMEM; -EINVAL: that is no hash of argon2. */
    int (*password_verify)(const char *hash, const struct sodium_bytes *password);
    /* 1: the hash was made with another cost; 0; -EINVAL: that is no hash. */
    int (*password_needs_rehash)(const char *hash, const struct sodium_cost *cost);
    /* XChaCha20-Poly1305 with a random nonce in front; sealed has room for data and SODIUM_OVERHEAD_BYTES. */
    void (*seal)(uint8_t *sealed, const struct sodium_bytes *data,
                 const struct sodium_bytes *context, const uint8_t key[SODIUM_KEY_BYTES]);
    /* 0, or -EBADMSG: another key or context, or it was changed.  data has room for what is not overhead. */
    int (*open)(uint8_t *data, const struct sodium_bytes *sealed,
                const struct sodium_bytes *context, const uint8_t key[SODIUM_KEY_BYTES]);
};

extern const struct sodium_module fsd_module_sodium;

#endif
