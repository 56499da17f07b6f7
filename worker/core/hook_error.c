/* hook_error.c - errors that the hook raises when a limit is reached.
 * Owns a mark of the thread.  Lua 5.4.4 keeps hooks off in a coroutine from the moment at which its hook raises an error until a
 * protected call in it has caught that; so nothing of the application's may run in between.  A message handler is put off
 * until then (xpcall.c); the <close> variables of a coroutine that dies of it run elsewhere (closing.c), for which it is
 * marked; and a task's coroutine is not used again.
 * Called by preempt.c and task.c, in the hook.  Must not know which limit it is. */
#include "worker/core/hook_error.h"

#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/core/xpcall.h"

bool hook_error_had(lua_State *L)
{
    return runtime_has_mark(L, RUNTIME_THREAD_UNHOOKED);
}

void hook_error_raise(lua_State *L)
{
    struct runtime *runtime = runtime_of(L);
    struct task *task = runtime->tasks.running;
    if (task != NULL && task->L == L) {
        task->is_spoiled = true;
    }
    if (L != runtime->L) { /* each new thread begins with the flags of that one */
        runtime_mark(L, RUNTIME_THREAD_UNHOOKED);
    }
    xpcall_put_off(L);
    error_raise_traced(L);
}
