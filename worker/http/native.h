#ifndef FSD_WORKER_HTTP_NATIVE_H
#define FSD_WORKER_HTTP_NATIVE_H

#include <lua.h>
#include <stddef.h>

/* A handler that needs no Lua: an answer made once while the application loads, sent as it is. */
struct native_answer {
    int status;
    char *content_type; /* owned; NULL: none */
    char *body;         /* owned */
    size_t len;
};

/* The native handler at index, or NULL when the value there is something else. */
const struct native_answer *native_test(lua_State *L, int index);
/* fsd.respond(body [, { status = 200, type = "text/plain; charset=utf-8" }]) -> handler */
int native_respond(lua_State *L);
/* The class; once a state. */
void native_register(lua_State *L);

#endif
