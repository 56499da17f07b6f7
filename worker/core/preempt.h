#ifndef FSD_WORKER_CORE_PREEMPT_H
#define FSD_WORKER_CORE_PREEMPT_H

#include <lua.h>

/* The hook that slice.c arms when a slice is used up. */
void preempt_hook(lua_State *L, lua_Debug *activation);

#endif
