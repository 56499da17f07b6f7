/* edition.c - the application of one generation, for as long as a request or the server uses it.
 * Owns references into Lua's registry.  A request keeps to the edition that was the running one when it came: its routes, its
 * error handler and the handlers that are still to be called.  So the next edition may take over at any time, and this one ends
 * with its last request.
 * Called by server.c when a generation is adopted and by exchange.c.  Must not know what an application answers. */
#include "worker/http/edition.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>

#include "common/err.h"
#include "worker/core/generation.h"
#include "worker/http/app/app.h"
#include "worker/http/request/request.h"
#include "worker/http/response/response.h"

int edition_judge(lua_State *L, const char *main, size_t main_len, struct fsd_err *err)
{
    struct app *app = app_test(L, -1);
    if (app == NULL) {
        return fsd_err_set(err, EINVAL,
                           "%.*s must end with `return app` (what fsd.app() gave), it returned %s",
                           (int)main_len, main, luaL_typename(L, -1));
    }
    return app_freeze(L, -1, err);
}

int edition_open(lua_State *L, const struct generation *generation, struct edition **ret_edition,
                 struct fsd_err *err)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, generation->app_ref);
    int error = edition_judge(L, generation->bundle.main, generation->bundle.main_len, err);
    if (error != 0) {
        lua_pop(L, 1);
        return error;
    }
    struct edition *edition = calloc(1, sizeof(*edition));
    if (edition == NULL) {
        abort();
    }
    edition->app = app_test(L, -1);
    edition->plan = edition->app->plan;
    lua_getiuservalue(L, -1, APP_PLAN);
    edition->values_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    edition->app_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    luaL_getmetatable(L, REQUEST_METATABLE);
    edition->request_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    luaL_getmetatable(L, RESPONSE_METATABLE);
    edition->response_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    edition->generation = generation->number;
    edition->users = 1;
    *ret_edition = edition;
    return 0;
}

struct edition *edition_acquire(struct edition *edition)
{
    edition->users++;
    return edition;
}

void edition_release(lua_State *L, struct edition *edition)
{
    if (edition == NULL || --edition->users > 0) {
        return;
    }
    luaL_unref(L, LUA_REGISTRYINDEX, edition->values_ref);
    luaL_unref(L, LUA_REGISTRYINDEX, edition->app_ref);
    luaL_unref(L, LUA_REGISTRYINDEX, edition->request_ref);
    luaL_unref(L, LUA_REGISTRYINDEX, edition->response_ref);
    free(edition);
}
