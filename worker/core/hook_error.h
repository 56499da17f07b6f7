#ifndef FSD_WORKER_CORE_HOOK_ERROR_H
#define FSD_WORKER_CORE_HOOK_ERROR_H

#include <lua.h>
#include <stdbool.h>

/* In the hook: raises the Error on the top, with a traceback, in the coroutine that is hooked. */
_Noreturn void hook_error_raise(lua_State *L);
/* Whether such an error has been raised in a thread: unless something in it has caught that, Lua runs no hooks in it any more. */
bool hook_error_had(lua_State *L);

#endif
