/* mod_worker.c - fsd.worker.core, what fsd.worker offers of it: which worker this is, and how it does.
 *   worker.self() -> { pool, slot, workers, pid, incarnation, generation, memory }
 *   worker.lag() -> { turns, p50, p99, max, counts }     how long the loop's turns took until now, in seconds
 *   worker.start_pool(name, options[, seconds])          returns when the pool serves
 *   worker.stop_pool(name[, seconds])
 *   worker.pools() -> { { name, app, count, state, origin }, ... }
 * Owns nothing; the numbers stand in the runtime.  There is no slot before the master has said which one this worker serves:
 * a standby loads the code long before that. */
#include "worker/lib/mod_worker.h"

#include <lauxlib.h>
#include <unistd.h>

#include "worker/core/generation.h"
#include "worker/core/runtime.h"
#include "worker/lib/pools.h"

static void set_integer(lua_State *L, const char *key, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static int mod_self(lua_State *L)
{
    const struct runtime *runtime = runtime_of(L);
    lua_createtable(L, 0, 7);
    lua_pushstring(L, runtime->config.pool);
    lua_setfield(L, -2, "pool");
    set_integer(L, "workers", runtime->config.workers);
    set_integer(L, "pid", getpid());
    set_integer(L, "memory", (lua_Integer)runtime->heap.used_bytes);
    set_integer(L, "incarnation", (lua_Integer)runtime->incarnation);
    if (runtime->slot >= 0) {
        set_integer(L, "slot", runtime->slot);
    }
    const struct task *task = task_acting(L);
    if (runtime->generation != NULL && task != NULL) { /* not while it is being loaded */
        set_integer(L, "generation", (lua_Integer)generations_of(runtime, task));
    }
    return 1;
}

static void set_ms(lua_State *L, const char *key, uint64_t value_ms)
{
    lua_pushnumber(L, (lua_Number)value_ms / 1000);
    lua_setfield(L, -2, key);
}

static int mod_lag(lua_State *L)
{
    const struct lag *lag = &runtime_of(L)->loop.lag;
    lua_createtable(L, 0, 5);
    set_integer(L, "turns", (lua_Integer)lag->total);
    set_ms(L, "p50", lag_percentile_ms(lag, 500));
    set_ms(L, "p99", lag_percentile_ms(lag, 990));
    set_ms(L, "max", lag->max_ms);
    lua_createtable(L, LAG_BUCKETS, 0);
    for (int i = 0; i < LAG_BUCKETS; i++) {
        lua_pushinteger(L, (lua_Integer)lag->counts[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "counts");
    return 1;
}

static const luaL_Reg functions[] = {
    {"lag", mod_lag},          {"pools", pools_list},
    {"self", mod_self},        {"start_pool", pools_start},
    {"stop_pool", pools_stop}, {NULL, NULL},
};

int luaopen_fsd_worker_core(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
