#ifndef FSD_WORKER_LIB_HANDLE_H
#define FSD_WORKER_LIB_HANDLE_H

#include <lua.h>

#include "worker/lib/waiter.h"

/* Who joins a task. */
extern const struct waiter_kind handle_join_kind;

/* core.tell(handle, channel, value): the channel gets the value when the task has ended.  Its error counts as taken. */
int handle_tell(lua_State *L);
/* core.forget(handle, channel): no, it does not. */
int handle_forget(lua_State *L);
/* The class; once a state. */
void handle_register(lua_State *L);

#endif
