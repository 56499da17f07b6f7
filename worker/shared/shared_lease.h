#ifndef FSD_WORKER_SHARED_SHARED_LEASE_H
#define FSD_WORKER_SHARED_SHARED_LEASE_H

#include <lua.h>

struct dictionary;

/* Registers the class of leases; once a lua_State. */
void shared_lease_init(lua_State *L);
/* dictionary:try_lock(name[, {ttl = seconds}]): pushes a lease, or nil when somebody has it. */
int shared_lease_take(lua_State *L, struct dictionary *dictionary);

#endif
