#ifndef FSD_MODULES_JWT_H
#define FSD_MODULES_JWT_H

#include <stddef.h>

/* What fsd-worker uses of libjwt: the one symbol of modules/jwt.so. */

enum { JWT_MODULE_VERSION = 1 };

enum jwt_algorithm {
    JWT_HS256,
    JWT_HS384,
    JWT_HS512,
    JWT_RS256,
    JWT_RS384,
    JWT_RS512,
    JWT_ES256,
    JWT_ES384,
    JWT_ES512,
    JWT_ALGORITHMS /* how many */
};

/* A key as libjwt wants it: a secret, or PEM text. */
struct jwt_key_text {
    const char *bytes;
    size_t len;
};

struct jwt_module {
    unsigned version; /* JWT_MODULE_VERSION: it was built with this header */
    /* A token with these claims, and these fields in its head beside alg and typ; both are objects in JSON.  0, and the caller gives the
     * token to release; or a negative errno. */
    int (*sign)(enum jwt_algorithm algorithm, const struct jwt_key_text *key, const char *head,
                const char *claims, char **ret_token);
    void (*release)(char *token);
    /* 0: its head names that algorithm, and the signature is of that key; else -EBADMSG. */
    int (*verify)(enum jwt_algorithm algorithm, const struct jwt_key_text *key, const char *token);
};

extern const struct jwt_module fsd_module_jwt;

#endif
