/* renewal.c - actors that go on with the new code when it takes the place of theirs, and the end of those that do not.
 * Owns two marks on each of them, and a job.  COMMIT sends a system message to those that follow the code, so that one that is
 * idle hears it, too; what it then does is in lua/fsd/server.lua.  There may be a hundred thousand of them, so that may take
 * many turns.  Whoever has moved is no longer counted among those that run on replaced code.  When the time of the old code is
 * over, after OTP's rules: a code_change that still runs is cut, and its actor goes on as it was, like one whose code_change
 * has failed; what has no code_change is ended, as by a purge, with the reason "replaced".
 * Called by life_code.c at COMMIT and by core/generations.c behind it; the functions for Lua stand in mod_core.c.  Must not know
 * what a server is. */
#include "worker/actor/renewal.h"

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/code.h"
#include "worker/actor/exit.h"
#include "worker/actor/post.h"

enum {
    LOOKED_AT_MAX = 4096, /* in one turn: the requests of others come in between */
    TOLD_MAX = 64,
};

/* Sends {"$code_change", number of the code that it runs}. */
static void tell(struct actor *actor)
{
    const struct runtime *runtime = actor->actors->runtime;
    lua_State *L = runtime->L;
    lua_createtable(L, 2, 0);
    lua_pushliteral(L, "$code_change");
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, (lua_Integer)generations_of(runtime, actor->task));
    lua_rawseti(L, -2, 2);
    post_signal(actor, L);
}

int renewal_follow(lua_State *L)
{
    struct actor *actor = actor_check(L, "follow the code");
    const struct runtime *runtime = actor->actors->runtime;
    actor->follows_code = true;
    if (generations_of(runtime, actor->task) != generations_current(runtime)) {
        tell(actor); /* it was started by old code, or began behind the change */
    }
    return 0;
}

int renewal_done(lua_State *L)
{
    struct actor *actor = actor_check(L, "change the code");
    task_pardon(actor->task);
    actor->renewal = ACTOR_KEPT_CODE;
    generations_assign(actor->task, generations_current(actor->actors->runtime));
    return 0;
}

int renewal_begin(lua_State *L)
{
    actor_check(L, "change the code")->renewal = ACTOR_KEPT_CODE;
    return 0;
}

int renewal_refuse(lua_State *L)
{
    struct actor *actor = actor_check(L, "refuse the code");
    task_pardon(actor->task);
    actor->renewal = ACTOR_REFUSED_CODE;
    return 0;
}

int renewal_unfollow(lua_State *L)
{
    actor_check(L, "leave the code")->follows_code = false;
    return 0;
}

/* True: it was told. */
static bool renew(struct actor *actor)
{
    bool follows = actor->follows_code && !actor->is_exiting;
    if (follows) {
        actor->renewal = ACTOR_KEPT_CODE;
        tell(actor);
    }
    if (actor_is_library(actor->code->name)) {
        generations_assign(actor->task, generations_current(actor->actors->runtime));
    }
    return follows;
}

static void on_turn(struct loop_job *job)
{
    struct actors *actors = H2O_STRUCT_FROM_MEMBER(struct actors, renewal.job, job);
    struct renewal *renewal = &actors->renewal;
    uint32_t end = renewal->next + LOOKED_AT_MAX;
    for (unsigned told = 0; renewal->next < actors->slot_count; renewal->next++) {
        struct actor *actor = actors->slots[renewal->next].actor;
        if (renewal->next == end || told == TOLD_MAX) {
            loop_defer_share(&actors->runtime->loop, job, on_turn);
            return;
        }
        told += actor != NULL && renew(actor) ? 1 : 0;
    }
    renewal->next = 0;
}

void renewal_tell(struct actors *actors)
{
    if (actors == NULL) {
        return;
    }
    bool is_waiting = actors->renewal.next != 0; /* for its turn */
    actors->renewal.next = 1;
    if (!is_waiting) {
        on_turn(&actors->renewal.job);
    }
}

void renewal_end(struct task *task)
{
    struct actor *actor = task->data;
    lua_State *L = task->runtime->L;
    if (actor->is_exiting || actor->renewal == ACTOR_REFUSED_CODE) {
        return;
    }
    if (actor->follows_code) { /* its code_change, or what keeps it from that, takes too long */
        task_cancel(task, TASK_CANCEL_REPLACED);
        return;
    }
    struct pid from = actors_worker_pid(actor->actors);
    lua_pushstring(L, actor->renewal == ACTOR_TOLD_TO_END ? "kill" : "replaced");
    actor->renewal = ACTOR_TOLD_TO_END;
    exit_signal(actor, L, SIGNAL_EXIT, &from);
}
