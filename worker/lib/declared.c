/* declared.c - what an application says while it loads that shall run later: app:on, app:every, app:cron.
 *   app:on_check(fn) -> app      called before the code takes over in a worker that runs; raises when it must not
 *   app:on("start", fn) -> app      the other events: occasion.c
 *    app:every(seconds, fn[, options]) -> app   app:cron(schedule, fn[, options]) -> app
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
#include "worker/lib/occasion.h"

#define APP_METATABLE "fsd.App" /* http/app.c's class */
#define LISTS         "fsd.declared"
#define NODE_LISTS    "fsd.declared.node"
#define STARTED_LISTS                                                                              \
    "fsd.declared.started" /* the timer, the task or false, at the place of what was declared */

enum { DECLARED_FUNCTION = 1, DECLARED_ID }; /* user values; an id is a string or nil */

/* A userdata with user values. */
struct declared {
    bool is_alarm; /* else it runs once, at the start */
    struct alarm_plan plan;
};

static void check_loading(lua_State *L, const char *method)
{
    if (luaL_testudata(L, 1, APP_METATABLE) == NULL) {
        luaL_error(L, "call app:%s(...) with a colon", method);
    }
    if (!task_is_declaring(L)) {
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

/* Whether the options at index, which are judged here, say that it runs in one of all workers. */
static bool check_options(lua_State *L, int index)
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
    kind = lua_getfield(L, index, "id");
    luaL_argcheck(L, kind == LUA_TNIL || kind == LUA_TSTRING, index, "id must be a string");
    lua_pop(L, 2);
    return is_node;
}

/* Appends the function at index 3 to a list of the application at index 1, which is returned. */
static int add(lua_State *L, const struct declared *declared, const char *lists)
{
    lua_settop(L, 4);
    if (lua_istable(L, 4)) {
        lua_getfield(L, 4, "id");
        lua_replace(L, 4);
    }
    app_list_get(L, lists, 1);
    struct declared *kept = lua_newuserdatauv(L, sizeof(*kept), DECLARED_ID);
    *kept = *declared;
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, -2, DECLARED_FUNCTION);
    lua_pushvalue(L, 4);
    lua_setiuservalue(L, -2, DECLARED_ID);
    lua_rawseti(L, 5, (lua_Integer)lua_rawlen(L, 5) + 1);
    lua_settop(L, 1);
    return 1;
}

static int declared_on_check(lua_State *L)
{
    check_loading(L, "on_check");
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    app_list_get(L, APP_LIST_CHECKS, 1);
    lua_pushvalue(L, 2);
    lua_rawseti(L, 3, (lua_Integer)lua_rawlen(L, 3) + 1);
    lua_settop(L, 1);
    return 1;
}

static int declared_on(lua_State *L)
{
    check_loading(L, "on");
    const char *event = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 3);
    if (strcmp(event, "start") == 0) {
        return add(L, &(struct declared){.is_alarm = false}, LISTS);
    }
    if (!occasion_add(L, event)) {
        return luaL_argerror(
            L, 2,
            "the events are \"mount\", \"start\", \"worker_start\", \"ready\", \"reload\", "
            "\"drain\", \"stop\" and \"worker_stop\"");
    }
    lua_settop(L, 1);
    return 1;
}

static int add_alarm(lua_State *L, const struct declared *declared)
{
    if (!check_options(L, 4)) {
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

const luaL_Reg declared_methods[] = {{"on", declared_on},
                                     {"on_check", declared_on_check},
                                     {"every", declared_every},
                                     {"cron", declared_cron},
                                     {NULL, NULL}};

/* Where what is started, and what it takes the place of, stand on the stack: lists of the declared, of what was started of them, and the
 * number of the generation before, or nil. */
enum { AT_NEW = 1, AT_OLD, AT_OLD_STARTED, AT_BEFORE, AT_STARTED, AT_DECLARED };

/* The declared one stands on the top.  Pushes its handle or timer; false: it would never run. */
static bool start(lua_State *L, const struct declared *declared)
{
    struct background *background = background_of(L);
    struct alarm_plan plan = declared->plan;
    lua_getiuservalue(L, -1, DECLARED_FUNCTION);
    if (!declared->is_alarm) {
        lua_pushvalue(L, AT_BEFORE);
        (void)spawned_push(L, &background->spawns, 1);
        return true;
    }
    plan.at_us = clock_monotonic_us() + plan.every_us;
    if (plan.kind == ALARM_CRON && !alarm_plan_next(&plan, clock_wall_us())) {
        return false;
    }
    (void)alarm_push(L, &background->alarms, &plan, lua_gettop(L));
    return true;
}

/* Whether the declared ones at two indices are one and the same, in two versions of the code: they have the same id, or neither
 * has one, and the same plan. */
static bool is_same(lua_State *L, int one, int other)
{
    const struct declared *first = lua_touserdata(L, one);
    const struct declared *second = lua_touserdata(L, other);
    lua_getiuservalue(L, one, DECLARED_ID);
    lua_getiuservalue(L, other, DECLARED_ID);
    bool is = lua_rawequal(L, -1, -2) && first->is_alarm && second->is_alarm &&
              first->plan.kind == second->plan.kind &&
              first->plan.every_us == second->plan.every_us &&
              cron_is_same(&first->plan.cron, &second->plan.cron);
    lua_pop(L, 2);
    return is;
}

/* What the i-th of the old ones has started, NULL: nothing that is left; it is on the top, and the declared one below. */
static void *push_old(lua_State *L, lua_Integer i)
{
    lua_rawgeti(L, AT_OLD, i);
    lua_rawgeti(L, AT_OLD_STARTED, i);
    return lua_touserdata(L, -1);
}

static lua_Integer count_old(lua_State *L)
{
    return lua_isnil(L, AT_OLD) ? 0 : (lua_Integer)lua_rawlen(L, AT_OLD);
}

static void stop_old(lua_State *L)
{
    for (lua_Integer i = count_old(L); i > 0; i--) {
        void *started = push_old(L, i);
        const struct declared *declared = lua_touserdata(L, -2);
        if (started != NULL && declared->is_alarm) {
            (void)alarm_cancel(started);
        } else if (started != NULL) {
            lua_pushliteral(L, "replaced");
            lua_setiuservalue(L, -2, SPAWNED_REASON);
            (void)spawned_cancel(started);
        }
        lua_pop(L, 2);
    }
}

/* The new timer goes off when its forerunner would have. */
static void keep_time(lua_State *L, struct alarm *alarm)
{
    lua_Integer count = count_old(L);
    for (lua_Integer i = 1; i <= count; i++) {
        struct alarm *old = push_old(L, i);
        bool is = old != NULL && is_same(L, AT_DECLARED, lua_gettop(L) - 1);
        lua_pop(L, 2);
        if (is) {
            alarm_take_time(alarm, old);
            (void)alarm_cancel(old);
            lua_pushboolean(L, 0); /* no other one takes it */
            lua_rawseti(L, AT_OLD_STARTED, i);
            return;
        }
    }
}

/* AT_STARTED is filled: the timer, the task or false, at the place of what was declared. */
static void replace_all(lua_State *L)
{
    lua_Integer count = lua_isnil(L, AT_NEW) ? 0 : (lua_Integer)lua_rawlen(L, AT_NEW);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, AT_NEW, i);
        const struct declared *declared = lua_touserdata(L, -1);
        if (!start(L, declared)) {
            lua_pushboolean(L, 0);
        } else if (declared->is_alarm) {
            keep_time(L, lua_touserdata(L, -1));
        }
        lua_rawseti(L, AT_STARTED, i);
        lua_settop(L, AT_STARTED);
    }
    stop_old(L);
}

/* Protected, because there is a limit on what can be started: the running application, and the one before it with its generation, or
 * nil. */
static int replace(lua_State *L)
{
    enum { NEW_APP = 1, OLD_APP, BEFORE };
    app_list_find(L, LISTS, NEW_APP);
    if (lua_isnil(L, OLD_APP)) {
        lua_settop(L, 6);
    } else {
        app_list_find(L, LISTS, OLD_APP);
        app_list_get(L, STARTED_LISTS, OLD_APP);
    }
    lua_pushvalue(L, BEFORE);
    app_list_get(L, STARTED_LISTS, NEW_APP);
    for (int i = NEW_APP; i <= BEFORE; i++) {
        lua_remove(L, 1);
    }
    replace_all(L);
    return 0;
}

static void get_field(lua_State *L, const char *key)
{
    if (lua_isnil(L, 1)) {
        lua_pushnil(L);
    } else {
        lua_getfield(L, 1, key);
    }
}

int declared_start_node(lua_State *L)
{
    const struct generation *generation = runtime_of(L)->generation;
    if (generation == NULL) {
        return luaL_error(L, "there is no application");
    }
    lua_settop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, generation->app_ref);
    app_list_find(L, NODE_LISTS, -1);
    lua_replace(L, 2); /* AT_NEW, once what was before is gone from below */
    get_field(L, "declared");
    get_field(L, "started");
    lua_pushnil(L);
    lua_newtable(L);
    lua_remove(L, 1);
    replace_all(L);
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, AT_NEW);
    lua_setfield(L, -2, "declared");
    lua_pushvalue(L, AT_STARTED);
    lua_setfield(L, -2, "started");
    return 1;
}

void declared_replace(struct runtime *runtime, const struct generation *old)
{
    lua_State *L = runtime->L;
    if (runtime->generation == NULL) {
        return; /* a pool that is held has no code */
    }
    lua_pushcfunction(L, replace);
    lua_rawgeti(L, LUA_REGISTRYINDEX, runtime->generation->app_ref);
    if (old == NULL) {
        lua_pushnil(L);
        lua_pushnil(L);
    } else {
        lua_rawgeti(L, LUA_REGISTRYINDEX, old->app_ref);
        lua_pushinteger(L, (lua_Integer)old->number);
    }
    if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
        logger_write(&runtime->logger, LOG_LEVEL_ERROR, "cannot start all that was declared: %s",
                     luaL_tolstring(L, -1, NULL));
        lua_pop(L, 2);
    }
}

void declared_start(struct runtime *runtime)
{
    declared_replace(runtime, NULL);
}
