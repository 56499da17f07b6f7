/* declared.c - what an application says while it loads that shall run later: app:on, app:every, app:cron.
 *   app:on("start", fn) -> app   app:every(seconds, fn) -> app   app:cron(schedule, fn) -> app
 * Owns what stands in the list of an application (core/app_list.c).
 * The methods are added to http/app.c's class by modules.c; life.c starts the lists.  Must not know what else an application is. */
#include "worker/lib/declared.h"

#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "worker/core/app_list.h"
#include "worker/core/generation.h"
#include "worker/core/runtime.h"
#include "worker/lib/background.h"
#include "worker/lib/mod_timer.h"

#define APP_METATABLE "fsd.App" /* http/app.c's class */
#define LISTS         "fsd.declared"

/* A userdata whose user value is the function. */
struct declared {
    bool is_alarm; /* else it runs once, at the start */
    struct alarm_plan plan;
};

static void check_loading(lua_State *L, const char *method)
{
    if (luaL_testudata(L, 1, APP_METATABLE) == NULL) {
        luaL_error(L, "call app:%s(...) with a colon", method);
    }
    if (runtime_of(L)->tasks.running != NULL) {
        luaL_error(
            L,
            "app:%s is for code that is being loaded; what runs already has fsd.task and fsd.timer",
            method);
    }
}

/* Appends the function at index 3 to the list of the application at index 1, which is returned. */
static int add(lua_State *L, const struct declared *declared)
{
    lua_settop(L, 3);
    app_list_get(L, LISTS, 1);
    struct declared *kept = lua_newuserdatauv(L, sizeof(*kept), 1);
    *kept = *declared;
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, -2, 1);
    lua_rawseti(L, 4, (lua_Integer)lua_rawlen(L, 4) + 1);
    lua_settop(L, 1);
    return 1;
}

static int declared_on(lua_State *L)
{
    check_loading(L, "on");
    const char *event = luaL_checkstring(L, 2);
    luaL_argcheck(L, strcmp(event, "start") == 0, 2, "the only event is \"start\"");
    luaL_checktype(L, 3, LUA_TFUNCTION);
    return add(L, &(struct declared){.is_alarm = false});
}

static int declared_every(lua_State *L)
{
    check_loading(L, "every");
    uint64_t every_us = mod_timer_check_every(L, 2);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    return add(L, &(struct declared){true, {.kind = ALARM_EVERY, .every_us = every_us}});
}

static int declared_cron(lua_State *L)
{
    check_loading(L, "cron");
    struct declared declared = {true, {.kind = ALARM_CRON}};
    mod_timer_check_cron(L, 2, &declared.plan);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    return add(L, &declared);
}

const luaL_Reg declared_methods[] = {
    {"on", declared_on}, {"every", declared_every}, {"cron", declared_cron}, {NULL, NULL}};

/* The declared one stands on the top. */
static void start(lua_State *L, const struct declared *declared)
{
    struct background *background = background_of(L);
    struct alarm_plan plan = declared->plan;
    lua_getiuservalue(L, -1, 1);
    if (!declared->is_alarm) {
        (void)spawned_push(L, &background->spawns, 0);
    } else if (plan.kind == ALARM_EVERY) {
        plan.at_us = clock_monotonic_us() + plan.every_us;
        (void)alarm_push(L, &background->alarms, &plan, lua_gettop(L));
    } else if (alarm_plan_next(&plan, clock_wall_us())) {
        (void)alarm_push(L, &background->alarms, &plan, lua_gettop(L));
    }
}

/* Protected, because there is a limit on what can be started. */
static int start_all(lua_State *L)
{
    app_list_find(L, LISTS, 1);
    if (lua_isnil(L, 2)) {
        return 0;
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, 2);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 2, i);
        start(L, lua_touserdata(L, 3));
        lua_settop(L, 2);
    }
    return 0;
}

void declared_start(struct runtime *runtime)
{
    lua_State *L = runtime->L;
    if (runtime->generation == NULL) {
        return; /* a pool that is held has no code */
    }
    lua_pushcfunction(L, start_all);
    lua_rawgeti(L, LUA_REGISTRYINDEX, runtime->generation->app_ref);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        logger_write(&runtime->logger, LOG_LEVEL_ERROR, "cannot start all that was declared: %s",
                     luaL_tolstring(L, -1, NULL));
        lua_pop(L, 2);
    }
}
