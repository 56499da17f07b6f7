#ifndef FSD_WORKER_HTTP_BODY_BODY_JSON_H
#define FSD_WORKER_HTTP_BODY_BODY_JSON_H

#include <lua.h>

enum {
    BODY_JSON_LIMIT = 100 * 1024, /* bytes, as in Express, unless options say otherwise */
    BODY_JSON_DEPTH = 64,         /* levels of nesting; so, too */
};

/* core.json(req, keep_null, strict, depth): see mod_body_core.c. */
int body_json(lua_State *L);
/* req:json([options]). */
int body_json_request(lua_State *L);

#endif
