#ifndef FSD_WORKER_ACTOR_INSPECT_H
#define FSD_WORKER_ACTOR_INSPECT_H

#include <lua.h>

/* info(pid or name) -> table, or nil when there is no such actor. */
int inspect_info(lua_State *L);
/* list([{module=}]) -> the pids of the actors of this worker. */
int inspect_list(lua_State *L);

#endif
