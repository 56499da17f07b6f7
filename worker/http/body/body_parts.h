#ifndef FSD_WORKER_HTTP_BODY_BODY_PARTS_H
#define FSD_WORKER_HTTP_BODY_BODY_PARTS_H

#include <lua.h>

/* core.parts(req, boundary) and core.next_part(req, parts, header_pairs): see mod_body_core.c. */
int body_parts(lua_State *L);
int body_next_part(lua_State *L);

#endif
