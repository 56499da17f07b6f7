/* mod_worker.c - fsd.worker: which worker this is.
 *   worker.self() -> { pool, slot, workers, pid, incarnation, generation }
 * Owns nothing; the numbers stand in the runtime.  There is no slot before the master has said which one this worker serves:
 * a standby loads the code long before that. */
#include "worker/lib/mod_worker.h"

#include <lauxlib.h>
#include <unistd.h>

#include "worker/core/generation.h"
#include "worker/core/runtime.h"

static void set_integer(lua_State *L, const char *key, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static int mod_self(lua_State *L)
{
    const struct runtime *runtime = runtime_of(L);
    lua_createtable(L, 0, 6);
    lua_pushstring(L, runtime->config.pool);
    lua_setfield(L, -2, "pool");
    set_integer(L, "workers", runtime->config.workers);
    set_integer(L, "pid", getpid());
    set_integer(L, "incarnation", (lua_Integer)runtime->incarnation);
    if (runtime->slot >= 0) {
        set_integer(L, "slot", runtime->slot);
    }
    if (runtime->generation != NULL) { /* not while it is being loaded */
        set_integer(L, "generation", (lua_Integer)runtime->generation->number);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"self", mod_self},
    {NULL, NULL},
};

int luaopen_fsd_worker(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
