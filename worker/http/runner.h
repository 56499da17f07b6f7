#ifndef FSD_WORKER_HTTP_RUNNER_H
#define FSD_WORKER_HTTP_RUNNER_H

#include <lua.h>

/* Pushes a function of lua/fsd/http/runner.lua. */
void runner_push(lua_State *L, const char *name);

#endif
