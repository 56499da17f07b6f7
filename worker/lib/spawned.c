/* spawned.c - tasks that Lua code starts: fsd.task.spawn, and each run of a timer.
 * Owns the list of those that have not ended.  A task begins at the end of the turn in which it was spawned, runs under a protected call,
 * and leaves its results, or its Error with the traceback, in the user values of its handle; then whoever joins it is woken and whoever
 * asked to be told is told.  It belongs to nobody: the request that has spawned it may end before.
 * Called by mod_task.c, handle.c, alarm.c, and by background.c at the worker's end.  Must not know what the tasks do. */
#include "worker/lib/spawned.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/lib/channel.h"
#include "worker/lib/handle.h"
#include "worker/lib/spawned_report.h"

static void on_task_done(struct task *task, int status);
static void on_task_run(struct task *task);
static void on_task_raise(const struct task *task, lua_State *L);
static void describe(const struct task *task, char *text, size_t room);

static const struct task_owner owner = {"task", on_task_done,  NULL,     on_task_run,
                                        NULL,   on_task_raise, describe, NULL};

void spawned_set_init(struct spawned_set *set, struct runtime *runtime)
{
    *set = (struct spawned_set){.runtime = runtime};
    set->unreported_end = &set->unreported;
}

static void add(struct spawned_set *set, struct spawned *spawn)
{
    spawn->next = set->first;
    if (set->first != NULL) {
        set->first->previous = spawn;
    }
    set->first = spawn;
    set->live++;
}

static void drop(struct spawned_set *set, struct spawned *spawn)
{
    if (spawn->previous != NULL) {
        spawn->previous->next = spawn->next;
    } else {
        set->first = spawn->next;
    }
    if (spawn->next != NULL) {
        spawn->next->previous = spawn->previous;
    }
    spawn->previous = NULL;
    spawn->next = NULL;
    set->live--;
}

static void on_task_run(struct task *task)
{
    const struct spawned *spawn = task->data;
    recorder_run_task(&task->runtime->recorder, spawn->place);
}

static void describe(const struct task *task, char *text, size_t room)
{
    const struct spawned *spawn = task->data;
    (void)snprintf(text, room, "%s", spawn->place + sizeof("task ") - 1);
}

static void push_cancel_error(lua_State *L, const struct spawned *spawn)
{
    if (spawn->is_shut_down) {
        error_push(L, "CancelError", "shutdown", 503, "the worker is leaving");
    } else {
        error_push(L, "CancelError", "cancelled", 499, "the task was cancelled");
    }
}

/* Adds the reason that was given for cancelling to the error on the top; the handle stands at index. */
static void add_reason(lua_State *L, int handle)
{
    if (lua_getiuservalue(L, handle, SPAWNED_REASON) != LUA_TNIL) {
        lua_setfield(L, -2, "reason");
    } else {
        lua_pop(L, 1);
    }
}

static void on_task_raise(const struct task *task, lua_State *L)
{
    const struct spawned *spawn = task->data;
    if (spawn->is_cancelled) { /* else it is a limit */
        lua_rawgetp(L, LUA_REGISTRYINDEX, spawn);
        lua_insert(L, -2);
        add_reason(L, lua_absindex(L, -2));
        lua_remove(L, -2);
    }
}

static bool is_cancel_error(lua_State *L, int index)
{
    const char *name = error_push_text(L, index, "name");
    bool is = name != NULL && strcmp(name, "CancelError") == 0;
    lua_pop(L, 1);
    return is;
}

/* The handle stands at index 1, the error on the top. */
static void keep_error(lua_State *L, struct spawned *spawn)
{
    error_wrap(L);
    bool was_cancelled = spawn->is_cancelled && is_cancel_error(L, -1);
    spawn->state = was_cancelled ? SPAWNED_CANCELLED : SPAWNED_FAILED;
    if (was_cancelled) {
        add_reason(L, 1);
    }
    lua_setiuservalue(L, 1, SPAWNED_RESULT);
}

/* The results stand behind the handle and the message handler. */
static void keep_results(lua_State *L, struct spawned *spawn)
{
    int count = lua_gettop(L) - 2;
    lua_createtable(L, count, 1);
    lua_insert(L, 3);
    for (int i = count; i > 0; i--) {
        lua_rawseti(L, 3, i);
    }
    lua_pushinteger(L, count);
    lua_setfield(L, 3, "n");
    lua_setiuservalue(L, 1, SPAWNED_RESULT);
    spawn->state = SPAWNED_DONE;
}

static int after_run(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    struct spawned *spawn = lua_touserdata(L, 1);
    if (status == LUA_OK || status == LUA_YIELD) {
        keep_results(L, spawn);
    } else {
        keep_error(L, spawn);
    }
    return 0;
}

/* The coroutine's main function: handle, function, arguments; or the handle alone when the task was cancelled before it began. */
static int run(lua_State *L)
{
    if (lua_gettop(L) == 1) {
        struct spawned *spawn = lua_touserdata(L, 1);
        push_cancel_error(L, spawn);
        keep_error(L, spawn);
        return 0;
    }
    lua_pushcfunction(L, error_traceback);
    lua_insert(L, 2);
    int status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 2, 0, after_run);
    return after_run(L, status, 0);
}

static void on_begin(struct loop_job *job)
{
    struct spawned *spawn = H2O_STRUCT_FROM_MEMBER(struct spawned, begin, job);
    struct task *task = spawn->task;
    int count = spawn->argument_count + 2;
    spawn->state = SPAWNED_LIVE;
    if (spawn->is_cancelled) {
        lua_settop(task->L, 2); /* run, and the handle */
        count = 1;
    }
    task_start(task, count);
}

/* Whoever asked to be told that it ends; the handle stands on the top.  true: there was somebody. */
static bool tell(lua_State *L)
{
    if (lua_getiuservalue(L, -1, SPAWNED_TOLD) == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i < count; i += 2) {
        lua_rawgeti(L, -1, i);
        lua_rawgeti(L, -2, i + 1);
        channel_put_always(L, -2);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_setiuservalue(L, -2, SPAWNED_TOLD);
    return count > 0;
}

/* The task was closed by force, or ended by an error that not even a protected call sees.  The handle stands on the top. */
static void keep_violent_end(lua_State *L, struct spawned *spawn, lua_State *from, int status)
{
    const char *why = "unknown error";
    if (status == TASK_CLOSED) {
        why = spawn->is_cancelled ? "it still waited 1 s after it was cancelled" : "it was closed";
    } else if (lua_type(from, -1) == LUA_TSTRING) {
        why = lua_tostring(from, -1);
    }
    lua_pushfstring(L, "the task was ended by force: %s", why);
    error_push(L, "Error", "killed", 500, lua_tostring(L, -1));
    lua_remove(L, -2);
    lua_setiuservalue(L, -2, SPAWNED_RESULT);
    spawn->state = SPAWNED_FAILED;
}

/* Runs in the loop, outside of any protected call: what may fail here is memory alone. */
static void on_task_done(struct task *task, int status)
{
    struct spawned *spawn = task->data;
    struct spawned_set *set = spawn->set;
    lua_State *L = task->runtime->L;
    lua_rawgetp(L, LUA_REGISTRYINDEX, spawn);
    if (status != LUA_OK) {
        keep_violent_end(L, spawn, task->L, status);
    }
    spawn->task = NULL;
    drop(set, spawn);
    bool has_told = tell(L);
    bool has_joiners = spawn->joiners.first != NULL;
    while (waiter_wake(&spawn->joiners) != NULL) {
    }
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, spawn);
    if (spawn->state == SPAWNED_FAILED && !has_told && !has_joiners) {
        spawned_report(L, spawn);
    }
    lua_pop(L, 1);
    if (set->live == 0 && set->on_empty != NULL) {
        set->on_empty(set);
    }
}

static void note_place(lua_State *L, struct spawned *spawn, int function)
{
    lua_Debug info;
    lua_pushvalue(L, function);
    (void)lua_getinfo(L, ">S", &info);
    if (info.linedefined > 0) {
        (void)snprintf(spawn->place, sizeof(spawn->place), "task %s:%d", info.short_src,
                       info.linedefined);
    } else { /* a function in C, or a whole chunk */
        (void)snprintf(spawn->place, sizeof(spawn->place), "task %s", info.short_src);
    }
}

/* Moves what stands on the top, function, arguments and handle, to the stack of a new task. */
static void hand_to_task(lua_State *L, struct spawned *spawn, int count)
{
    struct runtime *runtime = spawn->set->runtime;
    struct task *task = task_new(runtime, &owner, spawn);
    task->descent = runtime->tasks.running == NULL ? 0 : runtime->tasks.running->descent;
    if (!lua_checkstack(task->L, count + 3)) {
        abort(); /* out of memory */
    }
    spawn->task = task;
    lua_pushcfunction(task->L, run);
    lua_pushvalue(L, -1);
    lua_insert(L, -count - 3);
    lua_insert(L, -count - 2);
    lua_xmove(L, task->L, count + 2);
}

struct spawned *spawned_push(lua_State *L, struct spawned_set *set, int count)
{
    if (set->is_closed) {
        error_raise(L, "CancelError", "shutdown", 503,
                    "cannot spawn a task: the worker is leaving");
    }
    if (set->live >= SPAWNED_MAX) {
        error_raise(L, "LimitError", "task.limit", 503,
                    "cannot spawn a task: %d have not ended, and a worker can have no more",
                    (int)SPAWNED_MAX);
    }
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    struct spawned *spawn = lua_newuserdatauv(L, sizeof(*spawn), SPAWNED_VALUES);
    *spawn = (struct spawned){.set = set, .joiners = {.kind = &handle_join_kind}};
    spawn->argument_count = count;
    luaL_setmetatable(L, SPAWNED_METATABLE);
    note_place(L, spawn, -count - 2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, spawn);
    hand_to_task(L, spawn, count);
    add(set, spawn);
    loop_defer(&set->runtime->loop, &spawn->begin, on_begin);
    return spawn;
}

bool spawned_cancel(struct spawned *spawn)
{
    if (spawn->task == NULL) {
        return false;
    }
    spawn->is_cancelled = true;
    if (spawn->state == SPAWNED_LIVE) {
        task_cancel(spawn->task, spawn->is_shut_down ? TASK_CANCEL_SHUTDOWN : TASK_CANCEL_ASKED);
    }
    return true;
}

void spawned_set_close(struct spawned_set *set)
{
    set->is_closed = true;
    for (struct spawned *spawn = set->first; spawn != NULL; spawn = spawn->next) {
        spawn->is_shut_down = !spawn->is_cancelled;
        (void)spawned_cancel(spawn);
    }
}

struct spawned *spawned_running(lua_State *L)
{
    const struct task *task = runtime_of(L)->tasks.running;
    return task != NULL && task->owner == &owner ? task->data : NULL;
}
