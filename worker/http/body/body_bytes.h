#ifndef FSD_WORKER_HTTP_BODY_BODY_BYTES_H
#define FSD_WORKER_HTTP_BODY_BODY_BYTES_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/http/body/body_text.h"

/* Where the body of the req at index 1 is.  All raise when req is over, or when its body has gone: with its answer, or with
 * its client; so whoever has let others run asks again.  And they raise "entity.too.large" where the application's
 * body_limit is lower than the pool's, and the body larger. */

/* As it was sent. */
struct body_text body_bytes_sent(lua_State *L);
/* The same, or what body_bytes_keep was given. */
struct body_text body_bytes(lua_State *L);
/* The string on the top, popped, is the body from now on: what it inflated to. */
void body_bytes_keep(lua_State *L);
bool body_bytes_are_kept(lua_State *L);
/* Whether the body is to be read as it was sent: no coding, and UTF-8 or no charset. */
bool body_bytes_are_plain(lua_State *L);
/* How many bytes a body may have for the handler that runs. */
uint64_t body_bytes_limit(lua_State *L);
/* A header of the request's, "" when it has none; valid until others run. */
struct body_text body_bytes_header(lua_State *L, const char *name);

#endif
