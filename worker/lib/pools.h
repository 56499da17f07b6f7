#ifndef FSD_WORKER_LIB_POOLS_H
#define FSD_WORKER_LIB_POOLS_H

#include <lua.h>

struct runtime;
struct wire_message;

/* For fsd.worker, see mod_worker.c. */
int pools_start(lua_State *L);
int pools_stop(lua_State *L);
int pools_list(lua_State *L);

/* ANSWER or POOLS has come from the master; takes the descriptor. */
void pools_on_answer(struct runtime *runtime, struct wire_message *message);

#endif
