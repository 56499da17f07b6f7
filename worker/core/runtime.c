/* runtime.c - creates the one Lua state of a worker and the parts that need nothing from the master.
 * Owns struct runtime.  The state's allocator is heap.c's; running out of memory outside of a task ends the worker, and the
 * master starts another one.  Called by main.c, and by tests that want a whole runtime without a master.
 * Must not know which modules exist (modules.c) or what an area does. */
#include "worker/core/runtime.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

#include "common/page.h"
#include "worker/core/coroutine.h"
#include "worker/core/error.h"
#include "worker/core/preempt.h"
#include "worker/core/relief.h"
#include "worker/core/stdlib/stdlib.h"
#include "worker/core/withhold.h"
#include "worker/core/xpcall.h"

/* Lua calls this for an error outside of any protected call: a fault of ours. */
static int on_panic(lua_State *L)
{
    const char *message = lua_tostring(L, -1);
    logger_write(&runtime_of(L)->logger, LOG_LEVEL_ERROR, "unprotected error in Lua: %s",
                 message != NULL ? message : "(not a string)");
    abort();
}

void runtime_init(struct runtime *runtime)
{
    *runtime = (struct runtime){.slot = -1};
    logger_init(&runtime->logger);
    runtime->logger.recorder = &runtime->recorder;
    config_init(&runtime->config);
    heap_init(&runtime->heap, relief_note);
    runtime->L = lua_newstate(heap_allocate, &runtime->heap);
    if (runtime->L == NULL || loop_init(&runtime->loop) != 0) {
        abort();
    }
    *(uintptr_t *)lua_getextraspace(runtime->L) = (uintptr_t)runtime;
    lua_atpanic(runtime->L, on_panic);
    luaL_openlibs(runtime->L);
    coroutine_replace(runtime->L);
    xpcall_replace(runtime->L);
    stdlib_replace(runtime->L);
    withhold_install(runtime->L);
    error_init(runtime->L);
    if (slice_open(&runtime->slice, preempt_hook) != 0) {
        abort(); /* too many timers of this user: RLIMIT_SIGPENDING */
    }
}

void runtime_fini(struct runtime *runtime)
{
    slice_close(&runtime->slice);
    lua_close(runtime->L);
    task_pool_fini(&runtime->tasks);
    heap_fini(&runtime->heap);
    config_fini(&runtime->config);
    logger_fini(&runtime->logger);
    loop_fini(&runtime->loop);
    page_unmap(runtime->page);
    recorder_close(&runtime->recorder);
}
