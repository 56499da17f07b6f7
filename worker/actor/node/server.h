#ifndef FSD_WORKER_ACTOR_NODE_SERVER_H
#define FSD_WORKER_ACTOR_NODE_SERVER_H

#include <lua.h>
#include <stdbool.h>

struct actor;
struct actors;
struct remote;
struct runtime;

/* Starts this worker's server, if it serves a slot and has actors, and does not have one yet. */
void server_start(struct runtime *runtime);
/* The actor takes what is sent to the worker itself, and hears of the other workers, until it ends. */
void server_set(struct actors *actors, struct actor *actor);
/* Pushes a list of the other workers that serve a slot: { pid, incarnation, slot, pool } each. */
void server_push_members(lua_State *L, const struct actors *actors);
/* Posts {"$member", "up" or "down", pid, slot, pool} of a worker that serves a slot to the server, if there is one. */
void server_tell(const struct remote *remote, bool is_up);

#endif
