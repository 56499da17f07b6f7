/* occasion.c - what an application wants to be told of the life of its worker and of its code: app:on("drain", fn) and the like.
 * Owns the names; the functions stand in a list of the application (core/app_list.c) for each.  They run in tasks, as what app:on("start")
 * was given: they may wait, and a worker that leaves waits for them as long as for other tasks.
 * Called by declared.c while an application loads, and by life*.c when something of the kind happens.  Must not know when that is. */
#include "worker/lib/occasion.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/app_list.h"
#include "worker/core/generation.h"
#include "worker/core/runtime.h"
#include "worker/lib/background.h"

static const struct row {
    const char *name;
    const char *list;
} rows[] = {
    {"mount", APP_LIST_MOUNT},
    {"worker_start", "fsd.on.worker_start"},
    {"ready", "fsd.on.ready"},
    {"reload", "fsd.on.reload"},
    {"drain", "fsd.on.drain"},
    {"stop", "fsd.on.stop"},
    {"worker_stop", "fsd.on.worker_stop"},
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == OCCASIONS, "one row an occasion");

bool occasion_add(lua_State *L, const char *name)
{
    for (size_t i = 0; i < OCCASIONS; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            app_list_get(L, rows[i].list, 1);
            lua_pushvalue(L, 3);
            lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
            lua_pop(L, 1);
            return true;
        }
    }
    return false;
}

/* Protected, because there is a limit on what can be started: the list, and the number or nil. */
static int start_all(lua_State *L)
{
    struct background *background = background_of(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    for (lua_Integer i = 1; i <= count && !background->spawns.is_closed; i++) {
        lua_rawgeti(L, 1, i);
        lua_pushvalue(L, 2);
        (void)spawned_push(L, &background->spawns, 1);
        lua_settop(L, 2);
    }
    return 0;
}

void occasion_tell(struct runtime *runtime, const struct generation *generation,
                   enum occasion occasion, uint64_t number)
{
    lua_State *L = runtime->L;
    if (generation == NULL) {
        return; /* a pool that is held has no code */
    }
    int top = lua_gettop(L);
    lua_pushcfunction(L, start_all);
    lua_rawgeti(L, LUA_REGISTRYINDEX, generation->app_ref);
    app_list_find(L, rows[occasion].list, -1);
    lua_remove(L, -2);
    if (number == 0) {
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, (lua_Integer)number);
    }
    if (lua_istable(L, -2) && lua_pcall(L, 2, 0, 0) != LUA_OK) {
        logger_write(&runtime->logger, LOG_LEVEL_ERROR,
                     "cannot run what app:on(\"%s\") was given: %s", rows[occasion].name,
                     luaL_tolstring(L, -1, NULL));
    }
    lua_settop(L, top);
}
