/* mod_process.c - require "fsd.process":
 *   process.run{"ls", "-l", stdin =, timeout =, ...} -> {ok, status, signal, stdout, stderr}
 *   process.shell(command [, options]) -> the same
 * Owns, for a lua_State, the set of programs that run, and a guard on the stack of each task that waits for one: whatever ends the task,
 * the guard leaves the program (process.c).  A program that could not be run, took too long or wrote too much raises a ProcessError; that
 * it failed does not, unless it was asked for. */
#include "worker/toolbox/mod_process.h"

#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/toolbox/environment.h"
#include "worker/toolbox/option.h"
#include "worker/toolbox/process.h"

#define GUARD_METATABLE "fsd.process.guard"

enum {
    OUTPUT_BYTES = 1024 * 1024,
    OUTPUT_BYTES_MAX = 64 * 1024 * 1024,
    PROCESSES_MAX = 100,
    STATUS_INTERNAL_ERROR = 500,
    STATUS_UNAVAILABLE = 503,
};

static const lua_Number patience_s = 5;
static const lua_Number limit_max_s = 366.0 * 24 * 60 * 60;

/* On the stack of the function that waits. */
struct guard {
    struct task_wait wait;
    struct task *task;       /* borrowed */
    struct process *process; /* owned; NULL: it was given back */
    bool is_checked;         /* a program that fails raises */
};

static void let_go(struct guard *guard)
{
    struct process *process = guard->process;
    guard->process = NULL;
    if (process != NULL) {
        process_leave(process);
    }
}

static int guard_gc(lua_State *L)
{
    let_go(lua_touserdata(L, 1));
    return 0;
}

static void on_end(struct process *process)
{
    struct guard *guard = process->data;
    task_wake(guard->task);
}

static void on_cancel(struct task_wait *wait)
{
    let_go(H2O_STRUCT_FROM_MEMBER(struct guard, wait, wait));
}

static void push_name(lua_State *L, const struct process *process)
{
    const char *name = sigabbrev_np(WTERMSIG(process->status));
    lua_pushstring(L, name != NULL ? name : "unknown");
}

static void push_result(lua_State *L, const struct process *process)
{
    lua_createtable(L, 0, 5);
    bool is_exit = WIFEXITED(process->status);
    lua_pushboolean(L, is_exit && WEXITSTATUS(process->status) == 0);
    lua_setfield(L, -2, "ok");
    if (is_exit) {
        lua_pushinteger(L, WEXITSTATUS(process->status));
        lua_setfield(L, -2, "status");
    } else {
        push_name(L, process);
        lua_setfield(L, -2, "signal");
    }
    lua_pushlstring(L, process->outputs[0].len > 0 ? process->outputs[0].bytes : "",
                    process->outputs[0].len);
    lua_setfield(L, -2, "stdout");
    lua_pushlstring(L, process->outputs[1].len > 0 ? process->outputs[1].bytes : "",
                    process->outputs[1].len);
    lua_setfield(L, -2, "stderr");
}

/* Raises an Error that has what the program has said in its fields; the result stands on the top. */
static int raise_failed(lua_State *L, const char *code, const char *message)
{
    error_push(L, "ProcessError", code, STATUS_INTERNAL_ERROR, message);
    static const char *const fields[] = {"stdout", "stderr", "signal"};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        lua_getfield(L, -2, fields[i]);
        lua_setfield(L, -2, fields[i]);
    }
    lua_getfield(L, -2, "status");
    lua_setfield(L, -2, "exit_status"); /* status is the one of HTTP */
    error_raise_traced(L);
}

/* What ended a program that the options at index 1 name; the result stands on the top. */
static int raise_of(lua_State *L, const char *code, const char *what)
{
    int result = lua_gettop(L);
    lua_rawgeti(L, 1, 1);
    const char *message = lua_pushfstring(L, "the program \"%s\" %s", lua_tostring(L, -1), what);
    lua_pushvalue(L, result);
    return raise_failed(L, code, message);
}

/* The same of a program that has failed by itself, with its status or signal. */
static int raise_unsuccessful(lua_State *L)
{
    bool is_exit = lua_getfield(L, -1, "status") != LUA_TNIL;
    lua_getfield(L, -2, "signal");
    const char *how =
        is_exit ? lua_pushfstring(L, "has failed with status %d", (int)lua_tointeger(L, -2))
                : lua_pushfstring(L, "was ended by the signal %s", lua_tostring(L, -1));
    lua_pushvalue(L, -4);
    return raise_of(L, "process.failed", how);
}

static int judge(lua_State *L, enum process_end end, bool is_checked)
{
    switch (end) {
    case PROCESS_LATE:
        return raise_of(L, "process.timeout", "took too long, and was ended");
    case PROCESS_FLOODED:
        return raise_of(L, "process.output", "wrote too much, and was ended");
    case PROCESS_RUNS:
    case PROCESS_LEFT:
    case PROCESS_ENDED:
        break;
    }
    lua_getfield(L, -1, "ok");
    bool is_ok = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (is_checked && !is_ok) {
        return raise_unsuccessful(L);
    }
    return 1;
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    struct guard *guard = H2O_STRUCT_FROM_MEMBER(struct guard, wait, wait);
    enum process_end end = guard->process->end;
    push_result(L, guard->process); /* may raise; the guard is collected then */
    let_go(guard);
    return judge(L, end, guard->is_checked);
}

/* Where a program without a slash in its name lies, on the top as a string. */
static const char *push_program(lua_State *L, const char *name, const char *path)
{
    if (strchr(name, '/') != NULL || path == NULL) {
        return lua_pushstring(L, name);
    }
    while (*path != '\0') {
        size_t len = strcspn(path, ":");
        lua_pushlstring(L, path, len);
        lua_pushfstring(L, "%s/%s", lua_tostring(L, -1), name);
        lua_remove(L, -2);
        if (len > 0 && access(lua_tostring(L, -1), X_OK) == 0) {
            return lua_tostring(L, -1);
        }
        lua_pop(L, 1);
        path += len + (path[len] == ':');
    }
    error_raise(L, "ProcessError", "process.start", STATUS_INTERNAL_ERROR,
                "cannot run \"%s\": it is in no folder of PATH", name);
}

static uint64_t read_seconds(lua_State *L, const char *name, lua_Number otherwise)
{
    return (uint64_t)ceil(fmin(option_seconds(L, 1, name, otherwise), limit_max_s) * 1000);
}

static enum process_stderr read_stderr(lua_State *L)
{
    static const char *const names[] = {"capture", "stdout", "log", NULL};
    lua_getfield(L, 1, "stderr");
    enum process_stderr errors = (enum process_stderr)luaL_checkoption(L, -1, "capture", names);
    lua_pop(L, 1);
    return errors;
}

/* What the plan points to stays on the stack. */
static void read_plan(lua_State *L, struct process_plan *plan, const char *function)
{
    size_t len;
    plan->output_max =
        (size_t)option_integer(L, 1, "max_output", 0, OUTPUT_BYTES_MAX, OUTPUT_BYTES);
    plan->limit_ms = read_seconds(L, "timeout", 0);
    plan->patience_ms = read_seconds(L, "kill_after", patience_s);
    plan->errors = read_stderr(L);
    plan->input = option_push_string(L, 1, "stdin", &plan->input_len);
    plan->spawn.folder = option_push_string(L, 1, "cwd", &len);
    plan->spawn.argv = environment_push_arguments(L, 1, function);
    lua_getfield(L, 1, "env");
    if (!lua_isnil(L, -1) && !lua_istable(L, -1)) {
        luaL_error(L, "%s: option \"env\" must be a table, got %s", function, luaL_typename(L, -1));
    }
    plan->spawn.envp =
        environment_push(L, lua_gettop(L), option_boolean(L, 1, "inherit_env", true), function);
    plan->spawn.program =
        push_program(L, plan->spawn.argv[0], environment_find(plan->spawn.envp, "PATH"));
}

/* Names of options are strings; 1, 2 ... are the program's arguments. */
static void check_names(lua_State *L, const char *function)
{
    static const char *const names[] = {"stdin",      "timeout", "kill_after",  "env",   "cwd",
                                        "max_output", "stderr",  "inherit_env", "check", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, -4);
        } else {
            lua_pop(L, 1);
        }
    }
    option_check(L, lua_gettop(L), function, names);
    lua_pop(L, 1);
}

static struct guard *push_guard(lua_State *L, struct task *task)
{
    struct guard *guard = lua_newuserdatauv(L, sizeof(*guard), 0);
    *guard = (struct guard){.wait = {on_cancel, on_resume}, .task = task};
    luaL_setmetatable(L, GUARD_METATABLE);
    return guard;
}

/* The table at index 1. */
static int run_plan(lua_State *L, const char *function)
{
    struct process_plan plan = {0};
    struct task *task = task_check(L);
    struct process_set *set = lua_touserdata(L, lua_upvalueindex(1));
    check_names(L, function);
    struct guard *guard = push_guard(L, task);
    guard->is_checked = option_boolean(L, 1, "check", false);
    read_plan(L, &plan, function);
    if (set->count >= PROCESSES_MAX) {
        error_raise(L, "ProcessError", "process.overload", STATUS_UNAVAILABLE,
                    "cannot run \"%s\": %d programs run already", plan.spawn.argv[0],
                    PROCESSES_MAX);
    }
    int error = process_start(task->runtime, set, &plan, &guard->process);
    if (error != 0) {
        error_raise(L, "ProcessError", "process.start", STATUS_INTERNAL_ERROR,
                    "cannot run \"%s\"%s%s%s: %s", plan.spawn.argv[0],
                    plan.spawn.folder != NULL ? " in \"" : "",
                    plan.spawn.folder != NULL ? plan.spawn.folder : "",
                    plan.spawn.folder != NULL ? "\"" : "", strerror(-error));
    }
    guard->process->data = guard;
    guard->process->on_end = on_end;
    return task_wait(L, &guard->wait);
}

static int run(lua_State *L)
{
    lua_settop(L, 1);
    return run_plan(L, "process.run");
}

static int shell(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 2);
    lua_newtable(L);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        lua_pushnil(L);
        while (lua_next(L, 2) != 0) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, 3);
        }
    }
    lua_pushliteral(L, "/bin/sh");
    lua_rawseti(L, 3, 1);
    lua_pushliteral(L, "-c");
    lua_rawseti(L, 3, 2);
    lua_pushvalue(L, 1);
    lua_rawseti(L, 3, 3);
    lua_replace(L, 1);
    lua_settop(L, 1);
    return run_plan(L, "process.shell");
}

static int set_gc(lua_State *L)
{
    process_set_fini(lua_touserdata(L, 1));
    return 0;
}

static const luaL_Reg functions[] = {{"run", run}, {"shell", shell}, {NULL, NULL}};

int luaopen_fsd_process(lua_State *L)
{
    luaL_newmetatable(L, GUARD_METATABLE);
    lua_pushcfunction(L, guard_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlibtable(L, functions);
    struct process_set *set = lua_newuserdatauv(L, sizeof(*set), 0);
    *set = (struct process_set){0};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, set_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    luaL_setfuncs(L, functions, 1);
    return 1;
}
