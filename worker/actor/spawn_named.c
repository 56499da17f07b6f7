/* spawn_named.c - spawn with a name for all workers, which takes a while: the master is asked.
 * Owns nothing.  The actor is made first, because a name is given to a pid, and begins when it has the name, at the moment at which its
 * spawner gets the pid.  When it does not get the name, or nobody waits for it any more, it ends without ever having run.
 * Called by spawn.c. */
#include "worker/actor/spawn_named.h"

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/exit.h"
#include "worker/actor/node/claim.h"
#include "worker/actor/spawn.h"

/* Nobody has seen it: it ends before it begins. */
static void discard(struct actor *actor)
{
    lua_State *L = actor->actors->runtime->L;
    struct pid from = actors_worker_pid(actor->actors);
    if (!actor->is_exiting) {
        lua_pushliteral(L, "kill");
        exit_signal(actor, L, SIGNAL_EXIT, &from);
    }
    actors_start(actor->actors, actor);
}

static void on_lost(const struct claim_wait *wait)
{
    discard(wait->actor);
}

static int on_answer(lua_State *L, const struct claim_wait *wait)
{
    if (wait->outcome != CLAIM_HELD) {
        discard(wait->actor);
        claim_check_outcome(L, wait, "spawn");
    }
    actors_start(wait->actor->actors, wait->actor);
    return spawn_finish(L, wait->actor, wait->links, wait->monitors);
}

int spawn_named_await(lua_State *L, struct actor *actor, bool links, bool monitors)
{
    struct claim_wait seed = {
        .actor = actor,
        .name = lua_tostring(L, -1),
        .on_answer = on_answer,
        .on_lost = on_lost,
        .links = links,
        .monitors = monitors,
    };
    return claim_await(L, &seed);
}
