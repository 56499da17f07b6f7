#ifndef FSD_WORKER_HTTP_BODY_BODY_INFLATE_H
#define FSD_WORKER_HTTP_BODY_BODY_INFLATE_H

#include <lua.h>

/* core.inflate(req, coding, limit): see mod_body_core.c. */
int body_inflate(lua_State *L);

#endif
