#ifndef FSD_WORKER_HTTP_RESPONSE_RESPONSE_REDIRECT_H
#define FSD_WORKER_HTTP_RESPONSE_RESPONSE_REDIRECT_H

#include <lua.h>

/* Method of res: res:redirect([status,] url). */
int response_redirect(lua_State *L);

#endif
