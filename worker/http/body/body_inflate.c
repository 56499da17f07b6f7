/* body_inflate.c - core.inflate(req, coding, limit): makes a compressed body a plain one, kept by its req.
 * Owns the inflation while it lasts, in a userdata on Lua's stack: an error or the coroutine's end frees it.  Between two
 * pieces the coroutine may be preempted, and the body may have gone then.
 * Called by lua/fsd/http/body.lua.  Must not know how it is inflated (inflation.c). */
#include "worker/http/body/body_inflate.h"

#include <lauxlib.h>

#include "worker/core/collector.h"
#include "worker/core/error.h"
#include "worker/core/stdlib/breath.h"
#include "worker/http/body/body_bytes.h"
#include "worker/http/body/inflation.h"

enum {
    AT_CODING = 2,
    AT_LIMIT,
    AT_INFLATION,
    PIECE = 128 * 1024, /* 0.3 ms */
};

static const char metatable[] = "fsd.body.inflation";

static int inflation_gc(lua_State *L)
{
    inflation_fini(lua_touserdata(L, 1));
    return 0;
}

static struct inflation *push_inflation(lua_State *L)
{
    struct inflation *inflation = lua_newuserdatauv(L, sizeof(*inflation), 0);
    *inflation = (struct inflation){0};
    if (luaL_newmetatable(L, metatable)) {
        lua_pushcfunction(L, inflation_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return inflation;
}

static int finish(lua_State *L, struct inflation *inflation, enum inflation_result result)
{
    size_t limit = inflation->limit;
    size_t owed_kb = 0;
    if (result == INFLATION_DONE) {
        owed_kb =
            collector_push_text(L, inflation->out != NULL ? inflation->out : "", inflation->len);
        body_bytes_keep(L);
    }
    inflation_fini(inflation);
    switch (result) {
    case INFLATION_DONE:
    case INFLATION_GOES_ON:
        break;
    case INFLATION_TOO_LARGE:
        error_raise(L, "HttpError", "entity.too.large", 413,
                    "the body inflates to more than the limit of %I bytes", (LUAI_UACINT)limit);
    case INFLATION_BOMB:
        error_raise(L, "HttpError", "entity.too.large", 413,
                    "the body inflates to more than %d times its size", INFLATION_RATIO_MAX);
    case INFLATION_BROKEN:
        error_raise(L, "HttpError", "entity.parse.failed", 400, "the body is not valid %s",
                    lua_tostring(L, AT_CODING));
    }
    return collector_settle(L, owed_kb, 0);
}

static int go_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct inflation *inflation = lua_touserdata(L, AT_INFLATION);
    enum inflation_result result;
    while ((result = inflation_run(inflation, body_bytes_sent(L), PIECE)) == INFLATION_GOES_ON) {
        breath_take(L, 0, go_on);
    }
    return finish(L, inflation, result);
}

int body_inflate(lua_State *L)
{
    static const char *const codings[] = {"gzip", "deflate", NULL};
    struct body_text body = body_bytes_sent(L);
    bool is_gzip = luaL_checkoption(L, AT_CODING, NULL, codings) == 0;
    lua_Integer limit = luaL_checkinteger(L, AT_LIMIT);
    luaL_argcheck(L, limit >= 0, AT_LIMIT, "must not be negative");
    lua_settop(L, AT_LIMIT);
    inflation_init(push_inflation(L), body, is_gzip, (size_t)limit);
    return go_on(L, LUA_OK, 0);
}
