/* renewal.c - actors that go on with the new code when it takes the place of theirs.
 * Owns a mark on each of them.  COMMIT sends them a system message, so that one that is idle hears it, too; what it then does is in
 * lua/fsd/server.lua.  Whoever has moved is no longer counted among those that run on replaced code.
 * Called by life_code.c at COMMIT; the functions for Lua stand in mod_core.c.  Must not know what a server is. */
#include "worker/actor/renewal.h"

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/post.h"
#include "worker/core/generation.h"

int renewal_follow(lua_State *L)
{
    actor_check(L, "follow the code")->follows_code = true;
    return 0;
}

int renewal_done(lua_State *L)
{
    const struct generation *current = runtime_of(L)->generation;
    if (current != NULL) {
        generations_assign(actor_check(L, "change the code")->task, current->number);
    }
    return 0;
}

void renewal_tell(struct actors *actors, uint64_t old)
{
    for (uint32_t i = 1; actors != NULL && i < actors->slot_count; i++) {
        struct actor *actor = actors->slots[i].actor;
        if (actor == NULL || !actor->follows_code || actor->is_exiting) {
            continue;
        }
        lua_State *L = actors->runtime->L;
        lua_createtable(L, 2, 0);
        lua_pushliteral(L, "$code_change");
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, (lua_Integer)old);
        lua_rawseti(L, -2, 2);
        post_signal(actor, L);
    }
}
