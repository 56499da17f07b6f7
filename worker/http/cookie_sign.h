#ifndef FSD_WORKER_HTTP_COOKIE_SIGN_H
#define FSD_WORKER_HTTP_COOKIE_SIGN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct exchange;

/* Signed values, as Node's package cookie-signature writes them: the value, a point, and its HMAC-SHA256 in base64 without padding.  The
 * secrets are the setting "secret": a text, or a list of which the first signs, and all are believed. */

enum { COOKIE_SIGN_MAX = 43 }; /* bytes of a signature */

/* Pushes the setting; false, and nothing pushed: there is no secret. */
bool cookie_sign_push_secrets(lua_State *L, const struct exchange *exchange);
/* Signs with the secrets at index. */
void cookie_sign_make(lua_State *L, int secrets, const char *value, size_t len,
                      char ret_signature[COOKIE_SIGN_MAX]);
/* Whether text is a value with a signature by one of the secrets at index; ret_len: of the value.  Takes as long for any signature. */
bool cookie_sign_check(lua_State *L, int secrets, const char *text, size_t len, size_t *ret_len);

#endif
