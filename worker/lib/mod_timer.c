/* mod_timer.c - what fsd.timer (lua/fsd/timer.lua) has in C: functions that run later, each time in a task of their own.
 *   core.after(seconds, fn, ...) -> timer   core.every(seconds, fn, ...) -> timer
 *   core.at(epoch, fn, ...) -> timer        core.cron(schedule, fn, ...) -> timer
 *   core.cancel(timer) = timer:cancel() -> whether it was set
 *   timer:read() -> seconds until it goes off, or nil
 *   core.start_declared([before]) -> table  declared.c; for timer/scheduler.lua only
 *   core.tie(timer, value)  core.cancel_tied(value)   calls all that are tied to the value off; for timer.lua only
 * Owns nothing; alarm.c does the work. */
#include "worker/lib/mod_timer.h"

#include <lauxlib.h>
#include <math.h>

#include "common/clock.h"
#include "common/err.h"
#include "worker/core/runtime.h"
#include "worker/lib/alarm_tie.h"
#include "worker/lib/background.h"
#include "worker/lib/declared.h"

static const lua_Number seconds_max = 1e9; /* 30 years: microseconds stay exact */
static const lua_Number every_min_s = 0.001;

/* While an application loads nothing may begin: a standby and a worker that tries a new version load it, too. */
static struct alarm_set *check_set(lua_State *L)
{
    if (task_acting(L) == NULL) {
        luaL_error(L,
                   "cannot set a timer here: only requests and tasks can, not code that is being "
                   "loaded (use app:every or app:cron), collected or closed");
    }
    return &background_of(L)->alarms;
}

static uint64_t check_microseconds(lua_State *L, int index, lua_Number min_s)
{
    lua_Number seconds = luaL_checknumber(L, index);
    luaL_argcheck(L, !isnan(seconds), index, "must be a number");
    if (seconds < min_s) {
        luaL_argerror(L, index, min_s > 0 ? "must be at least 0.001" : "must not be negative");
    }
    luaL_argcheck(L, seconds <= seconds_max * 10, index, "too large");
    return (uint64_t)ceil(seconds * 1e6);
}

uint64_t mod_timer_check_every(lua_State *L, int index)
{
    return check_microseconds(L, index, every_min_s);
}

void mod_timer_check_cron(lua_State *L, int index, struct alarm_plan *plan)
{
    size_t len;
    const char *text = luaL_checklstring(L, index, &len);
    struct fsd_err err;
    if (cron_parse(text, len, &plan->cron, &err) != 0) {
        luaL_argerror(L, index, lua_pushfstring(L, "%s", err.text));
    }
}

static int mod_after(lua_State *L)
{
    uint64_t after_us = check_microseconds(L, 1, 0);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    struct alarm_plan plan = {.kind = ALARM_AFTER, .at_us = clock_monotonic_us() + after_us};
    return alarm_push(L, check_set(L), &plan, 2);
}

static int mod_every(lua_State *L)
{
    uint64_t every_us = mod_timer_check_every(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    struct alarm_plan plan = {
        .kind = ALARM_EVERY, .at_us = clock_monotonic_us() + every_us, .every_us = every_us};
    return alarm_push(L, check_set(L), &plan, 2);
}

static int mod_at(lua_State *L)
{
    uint64_t at_us = check_microseconds(L, 1, 0);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    struct alarm_plan plan = {.kind = ALARM_AT, .at_us = at_us};
    return alarm_push(L, check_set(L), &plan, 2);
}

static int mod_cron(lua_State *L)
{
    struct alarm_plan plan = {.kind = ALARM_CRON};
    mod_timer_check_cron(L, 1, &plan);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    struct alarm_set *set = check_set(L);
    if (!alarm_plan_next(&plan, clock_wall_us())) {
        return luaL_argerror(L, 1, "it would never run");
    }
    return alarm_push(L, set, &plan, 2);
}

static int mod_cancel(lua_State *L)
{
    lua_pushboolean(L, alarm_cancel(luaL_checkudata(L, 1, ALARM_METATABLE)));
    return 1;
}

static int mod_read(lua_State *L)
{
    double seconds = alarm_read(luaL_checkudata(L, 1, ALARM_METATABLE));
    if (seconds < 0) {
        lua_pushnil(L);
    } else {
        lua_pushnumber(L, seconds);
    }
    return 1;
}

static int mod_tie(lua_State *L)
{
    struct alarm *alarm = luaL_checkudata(L, 1, ALARM_METATABLE);
    luaL_checkany(L, 2);
    if (alarm->is_set) { /* else the worker is leaving */
        alarm_tie_add(L, alarm, 2);
    }
    return 0;
}

static int mod_cancel_tied(lua_State *L)
{
    luaL_checkany(L, 1);
    alarm_tie_cancel(L, 1);
    return 0;
}

static const luaL_Reg methods[] = {{"cancel", mod_cancel}, {"read", mod_read}, {NULL, NULL}};

static void register_class(lua_State *L)
{
    luaL_newmetatable(L, ALARM_METATABLE);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, ALARM_METATABLE);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

static const luaL_Reg functions[] = {
    {"after", mod_after},
    {"every", mod_every},
    {"at", mod_at},
    {"cron", mod_cron},
    {"cancel", mod_cancel},
    {"cancel_tied", mod_cancel_tied},
    {"start_declared", declared_start_node},
    {"tie", mod_tie},
    {NULL, NULL},
};

int luaopen_fsd_timer_core(lua_State *L)
{
    register_class(L);
    luaL_newlib(L, functions);
    return 1;
}
