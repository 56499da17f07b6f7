/* remote_lost.c - the link to another worker is lost: who is told.
 * Owns nothing.  What OTP does when a node goes down: each link becomes an exit signal and each monitor a message, with the
 * reason "noconnection", each once.  Called by remote.c.  Must not know why the link is lost. */
#include "worker/actor/node/remote_lost.h"

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/bond.h"
#include "worker/actor/call.h"
#include "worker/actor/exit.h"
#include "worker/actor/node/remote.h"

static void tell(lua_State *L, const struct bond *bond)
{
    if (bond->owner->is_exiting) {
        return;
    }
    switch (bond->kind) {
    case BOND_LINK:
        lua_pushliteral(L, "noconnection");
        exit_signal(bond->owner, L, SIGNAL_LINK, &bond->far->other);
        return;
    case BOND_WATCHES:
        lua_rawgeti(L, LUA_REGISTRYINDEX, bond->ref_anchor);
        lua_pushliteral(L, "noconnection");
        exit_post_down(bond->owner, L, -2, bond->name, &bond->far->other);
        lua_pop(L, 1);
        return;
    case BOND_WATCHED:
        return;
    }
}

void remote_lost(struct remote *remote)
{
    lua_State *L = remote->remotes->actors->runtime->L;
    struct bond *bond = NULL;
    while ((bond = bond_table_first(&remote->bonds)) != NULL) {
        tell(L, bond);
        bond_remove(L, bond);
    }
    bond_table_fini(&remote->bonds);
    while (remote->calls != NULL) {
        call_lose(remote->calls);
    }
    asked_clear(&remote->asked);
    window_clear(&remote->window);
    sender_turn_away(&remote->senders);
}
