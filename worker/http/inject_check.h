#ifndef FSD_WORKER_HTTP_INJECT_CHECK_H
#define FSD_WORKER_HTTP_INJECT_CHECK_H

#include <lua.h>
#include <sys/socket.h>

/* The arguments are those of inject_request; raises for a wrong one, else tells whom the request comes from. */
void inject_check(lua_State *L, struct sockaddr_storage *ret_peer);

#endif
