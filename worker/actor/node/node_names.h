#ifndef FSD_WORKER_ACTOR_NODE_NODE_NAMES_H
#define FSD_WORKER_ACTOR_NODE_NODE_NAMES_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/actor/pid.h"

/* Makes the table; once a lua_State. */
void node_names_init(lua_State *L);
/* The actor, of any worker, that has the name on the top of L, as far as this one has heard; the name stays.  False: nobody. */
bool node_names_find(lua_State *L, struct pid *ret_pid);
/* That actor has the name on the top of L, which is popped, whoever had it before. */
void node_names_set(lua_State *L, const struct pid *pid);
/* That actor has the name on the top of L, which is popped, no more; if it has. */
void node_names_remove(lua_State *L, const struct pid *pid);
/* A worker has ended, and has no names. */
void node_names_drop_worker(lua_State *L, uint64_t incarnation);
/* Replaces all by what the master's list says (NAMES in proto.h), but for those of this worker, which keep is asked about.  -EPROTO:
 * it is no such list. */
int node_names_read(lua_State *L, const void *data, size_t len,
                    bool (*keep)(lua_State *L, const struct pid *pid, const char *name));
/* Pushes a table of all names: name -> pid. */
void node_names_push_all(lua_State *L);

#endif
