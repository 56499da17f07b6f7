/* task_here.c - which task runs here, and what the code that asks may do.
 * Owns nothing.  C functions that Lua calls ask this first: whether they may wait, whether others may notice what they do, and whether
 * the application is just being declared.
 * Called by whatever waits or acts.  Must not know how a task goes on. */
#include <lauxlib.h>

#include "worker/core/runtime.h"
#include "worker/core/task.h"

struct task *task_of(lua_State *L)
{
    const struct runtime *runtime = runtime_of(L);
    return runtime->slice.current == L ? runtime->tasks.running : NULL;
}

struct task *task_acting(lua_State *L)
{
    struct task *task = runtime_of(L)->tasks.running;
    return task != NULL && task->trial == TASK_TRIAL_NONE ? task : NULL;
}

bool task_is_declaring(lua_State *L)
{
    const struct task *task = runtime_of(L)->tasks.running;
    return task == NULL || task->trial == TASK_TRIAL_LOADS;
}

void task_check_loaded(lua_State *L, const char *what)
{
    const struct runtime *runtime = runtime_of(L);
    const struct task *task = runtime->tasks.running;
    if (task != NULL ? task->trial != TASK_TRIAL_NONE : runtime->is_loading) {
        luaL_error(L,
                   "cannot %s here: only code that runs can, not code that is being loaded or "
                   "checked (use app:on)",
                   what);
    }
}

struct task *task_check(lua_State *L)
{
    struct task *task = task_of(L);
    bool is_loading = task_is_declaring(L);
    if (task != NULL && !is_loading && lua_isyieldable(L) && task->runtime->tasks.pins == 0) {
        return task;
    }
    if (!is_loading) {
        luaL_error(L, "cannot wait here: called from within a C function (a metamethod, "
                      "require ...)");
    }
    luaL_error(L, "cannot wait here: only requests and tasks can, not code that is being loaded, "
                  "collected or closed");
    __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
}
