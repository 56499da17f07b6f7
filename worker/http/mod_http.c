/* mod_http.c - fsd.http: what applications are made of.
 *   http.app([options]) -> app        http.respond(body [, options]) -> handler
 * Owns nothing; registers the classes of the area.  fsd/init.lua offers both as fsd.app and fsd.respond. */
#include "worker/http/mod_http.h"

#include <lauxlib.h>

#include "worker/http/app.h"
#include "worker/http/native.h"
#include "worker/http/request.h"
#include "worker/http/response.h"
#include "worker/http/stream/events.h"

static const luaL_Reg functions[] = {
    {"app", app_new},
    {"respond", native_respond},
    {NULL, NULL},
};

int luaopen_fsd_http(lua_State *L)
{
    app_register(L);
    native_register(L);
    request_register(L);
    response_register(L);
    events_register(L);
    luaL_newlib(L, functions);
    return 1;
}
