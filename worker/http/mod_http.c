/* mod_http.c - what fsd.http (lua/fsd/http.lua) has in C: all of it is public there but methods and own.
 *   core.app([options]) -> app        core.respond(body [, options]) -> handler      core.static(root [, options]) -> handler
 *   core.router([options]) -> router
 *   core.methods(class) -> table      for methods in Lua (methods.c); core.own has more for those
 * Owns nothing; registers the classes of the area. */
#include "worker/http/mod_http.h"

#include <lauxlib.h>

#include "worker/http/app/app.h"
#include "worker/http/app/handler.h"
#include "worker/http/app/url.h"
#include "worker/http/ending.h"
#include "worker/http/file/static.h"
#include "worker/http/head.h"
#include "worker/http/hooks.h"
#include "worker/http/inject.h"
#include "worker/http/methods.h"
#include "worker/http/native.h"
#include "worker/http/offspring.h"
#include "worker/http/request/params.h"
#include "worker/http/request/request.h"
#include "worker/http/response/response.h"
#include "worker/http/response/response_choose.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/response/response_send.h"
#include "worker/http/stream/events.h"
#include "worker/http/stream/response_stream.h"

static const luaL_Reg functions[] = {
    {"app", app_new},       {"router", app_new_router}, {"respond", native_respond},
    {"static", static_new}, {"methods", methods_get},   {NULL, NULL},
};

static const luaL_Reg own[] = {
    {"adopt", offspring_adopt},
    {"before_head", head_before},
    {"choose_type", response_choose_type},
    {"encode", response_send_encode},
    {"ending", ending_open},
    {"freeze", url_freeze},
    {"header_fault", response_headers_find_fault},
    {"inject", inject_request},
    {"is_streaming", response_stream_is_open},
    {"option_fault", methods_find_option_fault},
    {"note_factory", handler_note_factory},
    {"param_get", params_get},
    {"param_keep", params_keep},
    {"read_ending", ending_read},
    {"reason", methods_get_reason},
    {"seal", hooks_seal},
    {"wait_ending", ending_wait},
    {"set_method", request_set_method},
    {NULL, NULL},
};

int luaopen_fsd_http_core(lua_State *L)
{
    app_register(L);
    native_register(L);
    static_register(L);
    request_register(L);
    response_register(L);
    events_register(L);
    ending_register(L);
    luaL_newlib(L, functions);
    luaL_newlib(L, own);
    lua_setfield(L, -2, "own");
    return 1;
}
