/* declared.c - what an application says while it loads that shall run later: app:on, app:every, app:cron.
 *   app:on("start", fn) -> app   app:every(seconds, fn[, options]) -> app   app:cron(schedule, fn[, options]) -> app
 * Owns what stands in two lists of an application (core/app_list.c): what runs in each worker, and timers of scope "node", which
 * run in one of all workers.  Those are started by an actor, lua/fsd/timer/scheduler.lua, a child of that scope of a supervisor that the
 * first of them declares.
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
#define NODE_LISTS    "fsd.declared.node"

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

/* Calls app:supervisor for the application at index 1. */
static void declare_scheduler(lua_State *L)
{
    static const char code[] =
        "(...):supervisor { name = '$timers', intensity = 5, period = 30, children = {\n"
        "  { id = 'scheduler', start = { 'fsd.timer.scheduler' }, scope = 'node' } } }";
    if (luaL_loadbufferx(L, code, sizeof(code) - 1, "=app:cron", "t") != LUA_OK) {
        lua_error(L);
    }
    lua_pushvalue(L, 1);
    lua_call(L, 1, 0);
}

/* Whether the options at index say that it runs in one of all workers. */
static bool check_scope(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index)) {
        return false;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    int kind = lua_getfield(L, index, "scope");
    const char *word = kind == LUA_TNIL ? "worker" : kind == LUA_TSTRING ? lua_tostring(L, -1) : "";
    bool is_node = strcmp(word, "node") == 0;
    luaL_argcheck(L, is_node || strcmp(word, "worker") == 0, index,
                  "scope must be \"worker\" or \"node\"");
    lua_pop(L, 1);
    return is_node;
}

/* Appends the function at index 3 to a list of the application at index 1, which is returned. */
static int add(lua_State *L, const struct declared *declared, const char *lists)
{
    lua_settop(L, 3);
    app_list_get(L, lists, 1);
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
    return add(L, &(struct declared){.is_alarm = false}, LISTS);
}

static int add_alarm(lua_State *L, const struct declared *declared)
{
    if (!check_scope(L, 4)) {
        return add(L, declared, LISTS);
    }
    app_list_find(L, NODE_LISTS, 1);
    if (lua_isnil(L, -1)) {
        declare_scheduler(L);
    }
    return add(L, declared, NODE_LISTS);
}

static int declared_every(lua_State *L)
{
    check_loading(L, "every");
    uint64_t every_us = mod_timer_check_every(L, 2);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    return add_alarm(L, &(struct declared){true, {.kind = ALARM_EVERY, .every_us = every_us}});
}

static int declared_cron(lua_State *L)
{
    check_loading(L, "cron");
    struct declared declared = {true, {.kind = ALARM_CRON}};
    mod_timer_check_cron(L, 2, &declared.plan);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    return add_alarm(L, &declared);
}

const luaL_Reg declared_methods[] = {
    {"on", declared_on}, {"every", declared_every}, {"cron", declared_cron}, {NULL, NULL}};

/* The declared one stands on the top.  Pushes its handle or timer; false: it would never run. */
static bool start(lua_State *L, const struct declared *declared)
{
    struct background *background = background_of(L);
    struct alarm_plan plan = declared->plan;
    lua_getiuservalue(L, -1, 1);
    if (!declared->is_alarm) {
        (void)spawned_push(L, &background->spawns, 0);
        return true;
    }
    plan.at_us = clock_monotonic_us() + plan.every_us;
    if (plan.kind == ALARM_CRON && !alarm_plan_next(&plan, clock_wall_us())) {
        return false;
    }
    (void)alarm_push(L, &background->alarms, &plan, lua_gettop(L));
    return true;
}

/* Starts what stands in a list of the application on the top, which is replaced by a list of the handles and timers. */
static void start_list(lua_State *L, const char *lists)
{
    int app = lua_gettop(L);
    int list = app + 1;
    app_list_find(L, lists, app);
    lua_Integer count = lua_isnil(L, list) ? 0 : (lua_Integer)lua_rawlen(L, list);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, list, i);
        if (start(L, lua_touserdata(L, -1))) {
            lua_rawseti(L, list + 1, (lua_Integer)lua_rawlen(L, list + 1) + 1);
        }
        lua_settop(L, list + 1);
    }
    lua_replace(L, app);
    lua_settop(L, app);
}

/* Protected, because there is a limit on what can be started. */
static int start_all(lua_State *L)
{
    start_list(L, LISTS);
    return 0;
}

int declared_start_node(lua_State *L)
{
    const struct generation *generation = runtime_of(L)->generation;
    if (generation == NULL) {
        return luaL_error(L, "there is no application");
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, generation->app_ref);
    start_list(L, NODE_LISTS);
    return 1;
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
