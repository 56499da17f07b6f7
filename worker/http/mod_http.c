/* mod_http.c - what fsd.http (lua/fsd/http.lua) has in C: all of it is public there but methods.
 *   core.app([options]) -> app        core.respond(body [, options]) -> handler
 *   core.methods(class) -> table      for methods in Lua (methods.c)
 * Owns nothing; registers the classes of the area. */
#include "worker/http/mod_http.h"

#include <lauxlib.h>

#include "worker/http/app.h"
#include "worker/http/methods.h"
#include "worker/http/native.h"
#include "worker/http/request.h"
#include "worker/http/response.h"
#include "worker/http/stream/events.h"

static const luaL_Reg functions[] = {
    {"app", app_new},
    {"respond", native_respond},
    {"methods", methods_get},
    {NULL, NULL},
};

int luaopen_fsd_http_core(lua_State *L)
{
    app_register(L);
    native_register(L);
    request_register(L);
    response_register(L);
    events_register(L);
    luaL_newlib(L, functions);
    return 1;
}
