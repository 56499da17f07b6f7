/* jwt.c - libjwt, as far as fsd-worker uses it.
 * Owns the one table that this shared object exports; opened by worker/toolbox/private_module.c at the first key of fsd.jwt.  libjwt 1.10
 * believes what stands in a token's head: it takes whatever algorithm is named there, so that somebody who knows a public key could sign
 * with it as a secret, and it takes everything when it is given no key.  So verify gets the algorithm with the key, and looks that the
 * token is of that one before libjwt sees it and after; the caller has judged its form.  Must not know Lua, nor what claims mean. */
#include "modules/jwt.h"

#include <errno.h>
#include <jwt.h>
#include <limits.h>
#include <stdlib.h>

static const jwt_alg_t algorithms[JWT_ALGORITHMS] = {
    [JWT_HS256] = JWT_ALG_HS256, [JWT_HS384] = JWT_ALG_HS384, [JWT_HS512] = JWT_ALG_HS512,
    [JWT_RS256] = JWT_ALG_RS256, [JWT_RS384] = JWT_ALG_RS384, [JWT_RS512] = JWT_ALG_RS512,
    [JWT_ES256] = JWT_ALG_ES256, [JWT_ES384] = JWT_ALG_ES384, [JWT_ES512] = JWT_ALG_ES512,
};

static int fill(jwt_t *jwt, enum jwt_algorithm algorithm, const struct jwt_key_text *key,
                const char *head, const char *claims)
{
    int error =
        jwt_set_alg(jwt, algorithms[algorithm], (const unsigned char *)key->bytes, (int)key->len);
    if (error == 0) {
        error = jwt_add_headers_json(jwt, head);
    }
    return error != 0 ? error : jwt_add_grants_json(jwt, claims);
}

static int sign(enum jwt_algorithm algorithm, const struct jwt_key_text *key, const char *head,
                const char *claims, char **ret_token)
{
    jwt_t *jwt = NULL;
    if (key->len == 0 || key->len > INT_MAX || jwt_new(&jwt) != 0) {
        return -EINVAL;
    }
    char *token = NULL;
    if (fill(jwt, algorithm, key, head, claims) == 0) {
        token = jwt_encode_str(jwt);
    }
    jwt_free(jwt);
    if (token == NULL) {
        return -EINVAL;
    }
    *ret_token = token;
    return 0;
}

static void release(char *token)
{
    free(token);
}

/* Of what the token says, without a look at its signature. */
static jwt_alg_t named_algorithm(const char *token)
{
    jwt_t *jwt = NULL;
    if (jwt_decode(&jwt, token, NULL, 0) != 0) {
        return JWT_ALG_INVAL;
    }
    const char *name = jwt_get_header(jwt, "alg"); /* without a key, jwt_get_alg says none */
    jwt_alg_t algorithm = name != NULL ? jwt_str_alg(name) : JWT_ALG_INVAL;
    jwt_free(jwt);
    return algorithm;
}

static int verify(enum jwt_algorithm algorithm, const struct jwt_key_text *key, const char *token)
{
    jwt_t *jwt = NULL;
    if (key->len == 0 || key->len > INT_MAX || named_algorithm(token) != algorithms[algorithm] ||
        jwt_decode(&jwt, token, (const unsigned char *)key->bytes, (int)key->len) != 0) {
        return -EBADMSG;
    }
    jwt_alg_t used = jwt_get_alg(jwt);
    jwt_free(jwt);
    return used == algorithms[algorithm] ? 0 : -EBADMSG;
}

__attribute__((visibility("default"))) const struct jwt_module fsd_module_jwt = {
    .version = JWT_MODULE_VERSION,
    .sign = sign,
    .release = release,
    .verify = verify,
};
