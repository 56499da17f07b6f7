/* mod_core.c - fsd.actor.core: what lua/fsd needs of actors, and applications do not.
 *   core.follow_code()                the actor that runs gets the system message {"$code_change", old} when code is replaced
 *   core.begin_code()                 it begins to change its code: from now on it may take as long as the time of the old code says
 *   core.has_new_code()               it runs on the current code from now on
 *   core.refuse_code()                its code_change has failed: it stays on the code that it has
 *   core.unfollow_code()              there is no new code for it
 *   core.loader() -> function         the require of the generation that is current
 *   core.generation() -> two numbers  of the code that is current, and of the code that calls it; 0 before there is any
 *   core.loaded() -> table            name -> module, of the generation whose code calls it; nil before there is one
 *   core.signal(pid, msg) -> bool     a system message, which no bound of the mailbox stops; false: the actor has ended
 *   core.atomic(f, ...) -> ...        calls f, and no other task runs before it has returned: for short functions that change what
 *                                     several actors use, and do not wait
 *   core.check_loaded(what)           raises "cannot WHAT here" in code that is being loaded or checked
 *   core.copy(value) -> value         as a message would arrive
 *   core.list(pid) -> bool            on_end will be told of it; false: the actor has ended, or is another worker's
 *   core.on_end(f)                    f(pid) runs when an actor that is listed ends
 *   core.started()                    the root of what the application declares says that all of it runs
 *   core.worker() -> pid              where the worker's own signals come from
 *   core.worker_pid([incarnation]) -> pid    what stands for a worker, this one without a number
 *   core.serve()                      the actor takes what is sent to that pid of this worker, and hears of the others:
 *                                     {"$member", "up" | "down", pid, slot, pool}
 *   core.members() -> list            the other workers that serve a slot: { pid, incarnation, slot, pool }
 *   core.claim(name)                  for the actor itself, and for all workers, now or when it is free: the signal {"$named", name}
 *                                     says that it has it now, {"$taken", name, why} that it cannot be waited for
 *   core.unclaim()                    gives that back, or waits no more
 *   core.link(pid, other)             links an actor of this worker, which may not have begun to run, with another one
 *   core.ref() -> ref                 a new one, of a monitor of the modules in Lua
 * Owns nothing. */
#include "worker/actor/mod_core.h"

#include <lauxlib.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/names.h"
#include "worker/actor/node/claim.h"
#include "worker/actor/node/server.h"
#include "worker/actor/post.h"
#include "worker/actor/ref.h"
#include "worker/actor/renewal.h"
#include "worker/actor/roster.h"
#include "worker/actor/send.h"
#include "worker/actor/signals.h"
#include "worker/core/generation.h"

static int core_loader(lua_State *L)
{
    generations_push_require(L, generations_current(runtime_of(L)));
    return 1;
}

static int core_loaded(lua_State *L)
{
    if (runtime_of(L)->generation == NULL) {
        lua_pushnil(L);
        return 1;
    }
    generations_push_require(L, generations_here(L));
    generation_to_loaded(L);
    return 1;
}

static int core_generation(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)generations_current(runtime_of(L)));
    lua_pushinteger(L, (lua_Integer)generations_here(L));
    return 2;
}

static int core_signal(lua_State *L)
{
    lua_settop(L, 2);
    struct address address = send_find(L, 1);
    if (address.actor != NULL) {
        (void)send_copy(L, 2);
        post_signal(address.actor, L);
    }
    lua_pushboolean(L, address.actor != NULL);
    return 1;
}

/* What is called without a continuation can't be preempted. */
static int core_atomic(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int core_copy(lua_State *L)
{
    luaL_checkany(L, 1);
    (void)send_copy(L, 1);
    return 1;
}

static int core_list(lua_State *L)
{
    struct address address = send_find(L, 1);
    if (address.actor != NULL) {
        roster_add(address.actor);
    }
    lua_pushboolean(L, address.actor != NULL);
    return 1;
}

static int core_on_end(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    roster_set_call(L);
    return 0;
}

static int core_worker(lua_State *L)
{
    struct pid pid = actors_worker_pid(actors_of(L));
    pid_push(L, &pid);
    return 1;
}

static int core_check_loaded(lua_State *L)
{
    task_check_loaded(L, luaL_checkstring(L, 1));
    return 0;
}

static int core_ref(lua_State *L)
{
    struct actors *actors = actors_of(L);
    struct ref ref = {.incarnation = actors->runtime->incarnation,
                      .number = actors_next_monitor(actors)};
    (void)ref_push(L, &ref);
    return 1;
}

static int core_worker_pid(lua_State *L)
{
    struct pid pid = actors_worker_pid(actors_of(L));
    pid.incarnation = (uint64_t)luaL_optinteger(L, 1, (lua_Integer)pid.incarnation);
    pid_push(L, &pid);
    return 1;
}

static int core_serve(lua_State *L)
{
    server_set(actors_of(L), actor_check(L, "serve"));
    return 0;
}

static int core_members(lua_State *L)
{
    server_push_members(L, actors_of(L));
    return 1;
}

static int core_claim(lua_State *L)
{
    struct actor *self = actor_check(L, "claim a name");
    names_check(L, 1);
    claim_check(L, self, true);
    claim_begin(self, lua_tostring(L, 1));
    return 0;
}

static int core_unclaim(lua_State *L)
{
    claim_drop(actor_check(L, "give a name back"));
    return 0;
}

static int core_started(lua_State *L)
{
    children_on_started(L);
    return 0;
}

static const luaL_Reg functions[] = {
    {"atomic", core_atomic},
    {"begin_code", renewal_begin},
    {"check_loaded", core_check_loaded},
    {"claim", core_claim},
    {"copy", core_copy},
    {"follow_code", renewal_follow},
    {"generation", core_generation},
    {"has_new_code", renewal_done},
    {"refuse_code", renewal_refuse},
    {"unfollow_code", renewal_unfollow},
    {"link", signals_link_both},
    {"list", core_list},
    {"loaded", core_loaded},
    {"loader", core_loader},
    {"members", core_members},
    {"on_end", core_on_end},
    {"ref", core_ref},
    {"serve", core_serve},
    {"signal", core_signal},
    {"started", core_started},
    {"unclaim", core_unclaim},
    {"worker", core_worker},
    {"worker_pid", core_worker_pid},
    {NULL, NULL},
};

int luaopen_fsd_actor_core(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
