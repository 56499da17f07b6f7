/* spawned_report.c - the errors of spawned tasks that nobody joins.
 * Owns the list of failed tasks whose error nobody has taken.  A program may spawn two tasks and join one after the other, so an error is
 * not said to be lost when its task ends, but REPORT_MS later; a finalizer would say it when the collector comes by, which in an idle
 * worker may be hours.  A timer's error nobody can join: it is logged at once.
 * Called by spawned.c and handle.c.  Must not know who takes errors. */
#include "worker/lib/spawned_report.h"

#include <lauxlib.h>
#include <string.h>

#include "common/clock.h"
#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/lib/spawned.h"

enum { REPORT_MS = 1000 };

static void add_field(struct logger_record *record, const char *key, const char *text)
{
    if (text != NULL) {
        logger_field_text(record, key, text, strlen(text));
    }
}

/* The handle stands on the top. */
static void log_error(lua_State *L, const struct spawned *spawn)
{
    struct logger *logger = &spawn->set->runtime->logger;
    lua_getiuservalue(L, -1, SPAWNED_RESULT);
    int error = lua_gettop(L);
    const char *code = error_push_text(L, error, "code");
    const char *traceback = error_push_text(L, error, "traceback");
    const char *message = error_push_text(L, error, "message");
    const char *line = lua_pushfstring(L, "error in %s: %s", spawn->is_timer ? "timer" : "task",
                                       message != NULL ? message : "unknown error");
    struct logger_record record;
    logger_begin(&record, logger, LOG_LEVEL_ERROR, line, strlen(line));
    add_field(&record, "function", spawn->place + sizeof("task"));
    add_field(&record, "code", code);
    add_field(&record, "traceback", traceback);
    logger_send(&record);
    lua_settop(L, error - 1);
}

/* Takes the first one off the list, and logs it unless somebody has its error meanwhile. */
static void settle_first(struct spawned_set *set)
{
    lua_State *L = set->runtime->L;
    struct spawned *spawn = set->unreported;
    set->unreported = spawn->next;
    if (set->unreported == NULL) {
        set->unreported_end = &set->unreported;
    }
    spawn->next = NULL;
    spawn->is_unreported = false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, spawn);
    if (!spawn->is_error_taken) {
        spawn->is_error_taken = true;
        log_error(L, spawn);
    }
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, spawn);
    lua_pop(L, 1);
}

static void on_report(struct timer *timer)
{
    struct spawned_set *set = H2O_STRUCT_FROM_MEMBER(struct spawned_set, report, timer);
    uint64_t now_ms = clock_monotonic_ms();
    while (set->unreported != NULL && set->unreported->report_at_ms <= now_ms) {
        settle_first(set);
    }
    if (set->unreported != NULL) {
        timer_set(&set->runtime->loop.timers, timer, set->unreported->report_at_ms, on_report);
    }
}

void spawned_report(lua_State *L, struct spawned *spawn)
{
    struct spawned_set *set = spawn->set;
    spawn->is_error_taken = false;
    if (spawn->is_timer || set->is_closed) {
        spawn->is_error_taken = true;
        log_error(L, spawn);
        return;
    }
    if (spawn->is_unreported) {
        return;
    }
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, spawn);
    spawn->is_unreported = true;
    spawn->report_at_ms = clock_monotonic_ms() + REPORT_MS;
    *set->unreported_end = spawn;
    set->unreported_end = &spawn->next;
    if (!timer_is_set(&set->report)) {
        timer_set(&set->runtime->loop.timers, &set->report, spawn->report_at_ms, on_report);
    }
}

void spawned_report_all(struct spawned_set *set)
{
    timer_clear(&set->runtime->loop.timers, &set->report);
    while (set->unreported != NULL) {
        settle_first(set);
    }
}
