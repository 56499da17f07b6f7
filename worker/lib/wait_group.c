/* wait_group.c - a count of things that are under way, and waiting until it is 0, as Go's sync.WaitGroup.
 *   group:add([count])   group:done()   group:wait([limit])
 * Owns the count.  Called through mod_task.c's function.  Must not know what is counted. */
#include "worker/lib/wait_group.h"

#include <lauxlib.h>
#include <limits.h>

#include "worker/lib/waiter.h"

#define WAIT_GROUP_METATABLE "fsd.WaitGroup"

struct wait_group {
    lua_Integer count;
    struct waiter_queue waiters;
};

static int on_wait_resume(struct waiter *waiter, lua_State *L)
{
    (void)waiter;
    (void)L;
    return 0;
}

static const struct waiter_kind wait_kind = {on_wait_resume, NULL, "wait_group:wait"};

int wait_group_new(lua_State *L)
{
    struct wait_group *group = lua_newuserdatauv(L, sizeof(*group), 0);
    *group = (struct wait_group){.waiters = {.kind = &wait_kind}};
    luaL_setmetatable(L, WAIT_GROUP_METATABLE);
    return 1;
}

static struct wait_group *check_group(lua_State *L)
{
    return luaL_checkudata(L, 1, WAIT_GROUP_METATABLE);
}

static int wait_group_add(lua_State *L)
{
    struct wait_group *group = check_group(L);
    lua_Integer count = luaL_optinteger(L, 2, 1);
    luaL_argcheck(L, count >= 0 && count <= INT_MAX, 2, "must be from 0 to 2147483647");
    group->count += count;
    return 0;
}

static int wait_group_done(lua_State *L)
{
    struct wait_group *group = check_group(L);
    if (group->count == 0) {
        return luaL_error(L, "done was called more often than add");
    }
    group->count--;
    while (group->count == 0 && waiter_wake(&group->waiters) != NULL) {
    }
    return 0;
}

static int wait_group_wait(lua_State *L)
{
    struct wait_group *group = check_group(L);
    lua_Number limit_s = waiter_check_limit(L, 2);
    lua_settop(L, 1);
    return group->count == 0 ? 0 : waiter_wait(L, waiter_push(L, &group->waiters), limit_s);
}

static const luaL_Reg methods[] = {
    {"add", wait_group_add}, {"done", wait_group_done}, {"wait", wait_group_wait}, {NULL, NULL}};

void wait_group_register(lua_State *L)
{
    luaL_newmetatable(L, WAIT_GROUP_METATABLE);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, WAIT_GROUP_METATABLE);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
