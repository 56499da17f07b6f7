/* roster.c - taking actors that end out of the lists that the modules in Lua keep: groups, registries, topics.
 * Owns nothing but a mark in the actor, which saves all others the call, and the function that is called, which hangs in
 * the registry.  It runs at the moment from which the actor is dead for everybody else, so that no list ever shows a dead one.
 * Called by exit.c, and through fsd.actor.core by lua/fsd/actor/roster.lua, which knows the lists.
 * Must not know what is listed. */
#include "worker/actor/roster.h"

#include <lauxlib.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"

#define CALL_KEY "fsd.actor.roster"

enum { SLOTS = 4 }; /* the function, its argument, and what making a pid takes */

void roster_set_call(lua_State *L)
{
    lua_setfield(L, LUA_REGISTRYINDEX, CALL_KEY);
}

void roster_add(struct actor *actor)
{
    actor->is_listed = true;
}

void roster_remove(struct actor *actor, lua_State *L)
{
    if (!actor->is_listed) {
        return;
    }
    actor->is_listed = false;
    luaL_checkstack(L, SLOTS, NULL);
    lua_getfield(L, LUA_REGISTRYINDEX, CALL_KEY);
    actor_push_pid(L, actor);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        const char *text = lua_tostring(L, -1);
        logger_write(&actor->actors->runtime->logger, LOG_LEVEL_ERROR,
                     "cannot take an actor that has ended out of its lists: %s",
                     text != NULL ? text : "(not a string)");
        lua_pop(L, 1);
    }
}
