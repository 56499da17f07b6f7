/* storage.c - values that belong to the task that runs: task.local_storage.
 *   storage[key], storage[key] = value, pairs(storage)   as of a table
 * Owns one userdata for all tasks, which stands for the table of the one that uses it; a table is made at the first value, and goes
 * with its task.  It hangs in the registry under the address of the task's holds, because that of the task is taken.
 * Called through fsd.task.  Must not know what is stored. */
#include "worker/lib/storage.h"

#include <lauxlib.h>

#include "worker/core/runtime.h"

#define STORAGE_METATABLE "fsd.LocalStorage"

/* A userdata whose user value is the table. */
struct storage {
    struct task_hold hold;
    struct runtime *runtime; /* borrowed */
    const void *key;         /* in the registry */
};

static void on_task_end(struct task_hold *hold)
{
    const struct storage *storage = H2O_STRUCT_FROM_MEMBER(struct storage, hold, hold);
    lua_State *L = storage->runtime->L;
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX,
                storage->key); /* the userdata may be collected from here on */
}

static struct task *check_task(lua_State *L)
{
    struct task *task = runtime_of(L)->tasks.running;
    if (task == NULL) {
        luaL_error(L, "cannot use task.local_storage here: only requests and tasks have one, not "
                      "code that is being loaded, collected or closed");
    }
    return task;
}

/* Pushes the table of the task that runs.  false, and nothing is pushed: it has none. */
static bool push_table(lua_State *L)
{
    const struct task *task = check_task(L);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, (const void *)&task->holds) == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    (void)lua_getiuservalue(L, -1, 1);
    lua_remove(L, -2);
    return true;
}

static void push_new_table(lua_State *L)
{
    struct task *task = check_task(L);
    struct storage *storage = lua_newuserdatauv(L, sizeof(*storage), 1);
    *storage = (struct storage){.hold = {.on_task_end = on_task_end},
                                .runtime = task->runtime,
                                .key = (const void *)&task->holds};
    lua_newtable(L);
    lua_pushvalue(L, -1);
    (void)lua_setiuservalue(L, -3, 1);
    lua_insert(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, storage->key);
    task_hold_add(task, &storage->hold);
}

static int storage_index(lua_State *L)
{
    lua_settop(L, 2);
    if (!push_table(L)) {
        return 0;
    }
    lua_insert(L, 2);
    (void)lua_rawget(L, 2);
    return 1;
}

static int storage_newindex(lua_State *L)
{
    lua_settop(L, 3);
    luaL_argcheck(L, !lua_isnil(L, 2), 2, "must not be nil");
    if (!push_table(L)) {
        push_new_table(L);
    }
    lua_insert(L, 2);
    lua_rawset(L, 2); /* NaN raises */
    return 0;
}

static int storage_pairs(lua_State *L)
{
    lua_getglobal(L, "next");
    if (!push_table(L)) {
        lua_newtable(L);
    }
    lua_pushnil(L);
    return 3;
}

static const luaL_Reg metamethods[] = {{"__index", storage_index},
                                       {"__newindex", storage_newindex},
                                       {"__pairs", storage_pairs},
                                       {NULL, NULL}};

void storage_push(lua_State *L)
{
    (void)lua_newuserdatauv(L, 0, 0);
    luaL_newmetatable(L, STORAGE_METATABLE);
    luaL_setfuncs(L, metamethods, 0);
    lua_pushliteral(L, STORAGE_METATABLE);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}
