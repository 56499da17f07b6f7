/* alarm.c - functions of Lua's that run at a time: fsd.timer.
 * Owns the list of those that are set.  Each run is a task of its own (spawned.c), so it may wait.  What repeats keeps to its schedule: the
 * next time is counted from the one that was planned, not from when the run began, and a time at which the last run has not ended
 * yet, or that has passed while the worker was busy, is left out.  Wall clocks are set: an alarm at a time of day looks again at least
 * every LOOK_S.
 * Those that run replaced code are told of, and end with its time if they repeat; one that runs once is somebody's work, and
 * keeps its code.
 * Called by mod_timer.c, the loop, and by background.c at the worker's end.  Must not know the schedule's grammar. */
#include "worker/lib/alarm.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "worker/core/error.h"
#include "worker/core/generation.h"
#include "worker/core/runtime.h"
#include "worker/lib/alarm_tie.h"
#include "worker/lib/spawned.h"

enum {
    ALARM_CALL = 1, /* user values */
    ALARM_RUN,
    LOOK_S = 60,
};

static void arm(struct alarm *alarm);

void alarm_set_init(struct alarm_set *set, struct spawned_set *spawns)
{
    *set = (struct alarm_set){.spawns = spawns};
}

static bool is_repeated(const struct alarm *alarm)
{
    return alarm->plan.kind == ALARM_EVERY || alarm->plan.kind == ALARM_CRON;
}

static bool is_by_wall(const struct alarm *alarm)
{
    return alarm->plan.kind == ALARM_AT || alarm->plan.kind == ALARM_CRON;
}

static int64_t offset_at(int64_t at_s)
{
    time_t at = at_s;
    struct tm local = {0};
    return localtime_r(&at, &local) != NULL ? local.tm_gmtoff : 0;
}

bool alarm_plan_next(struct alarm_plan *plan, uint64_t now_us)
{
    int64_t at_s = 0;
    if (cron_next(&plan->cron, (int64_t)(now_us / 1000000), offset_at, &at_s) != 0) {
        return false;
    }
    plan->at_us = (uint64_t)at_s * 1000000;
    return true;
}

bool alarm_cancel(struct alarm *alarm)
{
    struct alarm_set *set = alarm->set;
    lua_State *L = set->spawns->runtime->L;
    if (!alarm->is_set) {
        return false;
    }
    alarm->is_set = false;
    timer_clear(&set->spawns->runtime->loop.timers, &alarm->timer);
    if (alarm->previous != NULL) {
        alarm->previous->next = alarm->next;
    } else {
        set->first = alarm->next;
    }
    if (alarm->next != NULL) {
        alarm->next->previous = alarm->previous;
    }
    set->count--;
    generations_leave(set->spawns->runtime, alarm->generation);
    alarm_tie_remove(L, alarm);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, alarm); /* may be collected from here on */
    return true;
}

double alarm_read(const struct alarm *alarm)
{
    uint64_t now_us = is_by_wall(alarm) ? clock_wall_us() : clock_monotonic_us();
    if (!alarm->is_set) {
        return -1;
    }
    return alarm->plan.at_us > now_us ? (double)(alarm->plan.at_us - now_us) / 1e6 : 0;
}

/* The last run has not ended. */
static bool is_running(const struct alarm *alarm)
{
    return alarm->run != NULL && alarm->run->task != NULL;
}

/* Runs the function in a task of its own; the alarm stands on the top. */
static void run(lua_State *L, struct alarm *alarm)
{
    struct spawned_set *spawns = alarm->set->spawns;
    if (spawns->live >= SPAWNED_MAX) {
        logger_write(&spawns->runtime->logger, LOG_LEVEL_ERROR,
                     "cannot run a timer: %d tasks have not ended, and a worker can have no more",
                     (int)SPAWNED_MAX);
        return;
    }
    int top = lua_gettop(L);
    lua_getiuservalue(L, -1, ALARM_CALL);
    lua_getfield(L, -1, "n");
    int count = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    luaL_checkstack(L, count, NULL);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, top + 1, i);
    }
    struct spawned *spawn = spawned_push(L, spawns, count - 1);
    spawn->is_timer = true;
    generations_assign(spawn->task, alarm->generation);
    alarm->run = spawn;
    lua_setiuservalue(L, top, ALARM_RUN);
    lua_settop(L, top);
}

/* Moves a repeated alarm to the first of its times that is not over. */
static bool advance(struct alarm *alarm)
{
    struct alarm_plan *plan = &alarm->plan;
    if (plan->kind == ALARM_CRON) {
        uint64_t now_us = clock_wall_us();
        return alarm_plan_next(plan, now_us > plan->at_us ? now_us : plan->at_us);
    }
    uint64_t late_us = clock_monotonic_us() - plan->at_us;
    plan->at_us += (late_us / plan->every_us + 1) * plan->every_us;
    return true;
}

static void on_alarm(struct timer *timer)
{
    struct alarm *alarm = H2O_STRUCT_FROM_MEMBER(struct alarm, timer, timer);
    lua_State *L = alarm->set->spawns->runtime->L;
    if (is_by_wall(alarm) && clock_wall_us() < alarm->plan.at_us) {
        arm(alarm);
        return;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, alarm);
    if (is_repeated(alarm) && advance(alarm)) {
        arm(alarm);
    } else {
        (void)alarm_cancel(alarm);
    }
    if (!is_running(alarm)) {
        run(L, alarm);
    }
    lua_pop(L, 1);
}

/* A timer counts in milliseconds: it goes off behind its time, never before. */
static void arm(struct alarm *alarm)
{
    struct timer_heap *timers = &alarm->set->spawns->runtime->loop.timers;
    uint64_t at_us = alarm->plan.at_us;
    if (is_by_wall(alarm)) {
        uint64_t now_us = clock_wall_us();
        uint64_t rest_us = at_us > now_us ? at_us - now_us : 0;
        uint64_t look_us = UINT64_C(1000000) * LOOK_S;
        at_us = clock_monotonic_us() + (rest_us < look_us ? rest_us : look_us);
    }
    timer_set(timers, &alarm->timer, (at_us + 999) / 1000, on_alarm);
}

void alarm_take_time(struct alarm *alarm, const struct alarm *other)
{
    if (alarm->is_set && other->is_set) {
        alarm->plan.at_us = other->plan.at_us;
        arm(alarm);
    }
}

/* FILE:LINE of the application's function that it runs; false: it runs one of the library's, which has no versions. */
static bool find_place(lua_State *L, const struct alarm *alarm, char *place, size_t room)
{
    lua_Debug info;
    int top = lua_gettop(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, alarm);
    lua_getiuservalue(L, -1, ALARM_CALL);
    lua_rawgeti(L, -1, 1);
    bool is = lua_isfunction(L, -1) && lua_getinfo(L, ">S", &info) != 0 && info.linedefined > 0 &&
              strncmp(info.source, "@/", 2) != 0;
    if (is) {
        (void)snprintf(place, room, "%s:%d", info.short_src, info.linedefined);
    }
    lua_settop(L, top);
    return is;
}

void alarm_set_look(struct alarm_set *set)
{
    struct runtime *runtime = set->spawns->runtime;
    uint16_t current = (uint16_t)generations_current(runtime);
    char place[LUA_IDSIZE + 16];
    struct alarm *next;
    for (struct alarm *alarm = set->first; alarm != NULL; alarm = next) {
        next = alarm->next;
        if (alarm->generation == current) {
            continue;
        }
        if (!find_place(runtime->L, alarm, place, sizeof(place))) {
            generations_leave(runtime, alarm->generation);
            generations_enter(runtime, current);
            alarm->generation = current;
        } else if (generations_meet(runtime, alarm->generation, "timer", place) &&
                   is_repeated(alarm)) {
            logger_write(&runtime->logger, LOG_LEVEL_WARNING,
                         "a timer ends with the code that has set it: %s", place);
            (void)alarm_cancel(alarm);
        }
    }
}

static uint16_t current_generation(const struct alarm_set *set)
{
    const struct runtime *runtime = set->spawns->runtime;
    if (runtime->tasks.running != NULL) {
        return runtime->tasks.running->generation;
    }
    return runtime->generation != NULL ? (uint16_t)runtime->generation->number : 0;
}

int alarm_push(lua_State *L, struct alarm_set *set, const struct alarm_plan *plan, int first)
{
    int count = lua_gettop(L) - first + 1;
    if (set->count >= ALARM_MAX) {
        error_raise(L, "LimitError", "timer.limit", 503,
                    "cannot set a timer: %d are set, and a worker can have no more",
                    (int)ALARM_MAX);
    }
    lua_createtable(L, count, 1);
    lua_insert(L, first);
    for (int i = count; i > 0; i--) {
        lua_rawseti(L, first, i);
    }
    lua_pushinteger(L, count);
    lua_setfield(L, first, "n");
    struct alarm *alarm = lua_newuserdatauv(L, sizeof(*alarm), ALARM_RUN);
    *alarm = (struct alarm){.set = set, .plan = *plan, .generation = current_generation(set)};
    luaL_setmetatable(L, ALARM_METATABLE);
    lua_pushvalue(L, first);
    lua_setiuservalue(L, -2, ALARM_CALL);
    if (set->is_ending && is_repeated(alarm)) {
        return 1;
    }
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, alarm);
    alarm->is_set = true;
    alarm->next = set->first;
    if (set->first != NULL) {
        set->first->previous = alarm;
    }
    set->first = alarm;
    set->count++;
    generations_enter(set->spawns->runtime, alarm->generation);
    arm(alarm);
    return 1;
}

void alarm_set_end(struct alarm_set *set)
{
    set->is_ending = true;
    struct alarm *next;
    for (struct alarm *alarm = set->first; alarm != NULL; alarm = next) {
        next = alarm->next;
        if (is_repeated(alarm)) {
            (void)alarm_cancel(alarm);
        }
    }
}

void alarm_set_clear(struct alarm_set *set)
{
    while (set->first != NULL) {
        (void)alarm_cancel(set->first);
    }
}
