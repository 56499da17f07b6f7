#ifndef FSD_WORKER_ACTOR_SIGNALS_H
#define FSD_WORKER_ACTOR_SIGNALS_H

#include <lua.h>

/* The functions of fsd.actor with these names; signals.c says what they take. */
int signals_exit(lua_State *L);
int signals_link(lua_State *L);
int signals_unlink(lua_State *L);
int signals_trap_exit(lua_State *L);
int signals_monitor(lua_State *L);
int signals_demonitor(lua_State *L);
/* core.link(pid, other): links an actor of this worker, which may not have begun, with another one. */
int signals_link_both(lua_State *L);

#endif
