/* register.c - the functions in Lua that give actors names, and find them.
 *   register(name[, pid][, {scope=}])   unregister(name)   whereis(name) -> pid | nil   registered([{scope=}]) -> table
 * Owns nothing.  A name of scope "worker" is known in this worker (names.c); one of scope "node" is known in all, and the
 * master is asked for it (claim.c).  Where both are there, this worker's own is meant.
 * Entered into the module by mod_actor.c. */
#include "worker/actor/register.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/names.h"
#include "worker/actor/node/claim.h"
#include "worker/actor/node/node_names.h"
#include "worker/actor/send.h"
#include "worker/core/error.h"

enum { NAME = 1, PID, OPTIONS }; /* stack slots of the arguments */

bool register_is_node(lua_State *L)
{
    const char *scope = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    bool is_node = strcmp(scope, "node") == 0;
    if (!is_node && strcmp(scope, "worker") != 0) {
        luaL_error(L, "bad option \"scope\": \"worker\" or \"node\" expected");
    }
    return is_node;
}

/* The options at index, which may be absent. */
static bool read_options(lua_State *L, int index)
{
    bool is_node = false;
    if (lua_isnoneornil(L, index)) {
        return false;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(key, "scope") != 0) {
            luaL_error(L, "unknown option \"%s\"", luaL_tolstring(L, -2, NULL));
        }
        is_node = register_is_node(L);
        lua_pop(L, 1);
    }
    return is_node;
}

static int on_answer(lua_State *L, const struct claim_wait *wait)
{
    claim_check_outcome(L, wait, "register");
    return 0;
}

static void on_lost(const struct claim_wait *wait)
{
    if (wait->claim != NULL) {
        claim_drop(wait->actor);
    }
}

static int add_to_node(lua_State *L, struct actor *actor)
{
    struct claim_wait seed = {
        .actor = actor, .name = lua_tostring(L, NAME), .on_answer = on_answer, .on_lost = on_lost};
    claim_check(L, actor, false);
    return claim_await(L, &seed);
}

static struct actor *check_actor(lua_State *L)
{
    if (lua_isnoneornil(L, PID)) {
        return actor_check(L, "register without a pid");
    }
    struct address address = send_find(L, PID);
    luaL_argexpected(L, address.pid != NULL, PID, "pid");
    if (address.remote != NULL) {
        error_raise(L, "ActorError", "elsewhere", 409,
                    "cannot register \"%s\": the actor is one of another worker",
                    lua_tostring(L, NAME));
    }
    return address.actor;
}

int register_add(lua_State *L)
{
    task_check_loaded(L, "register");
    names_check(L, NAME);
    lua_settop(L, OPTIONS);
    if (lua_istable(L, PID)) { /* options without a pid */
        lua_pushnil(L);
        lua_insert(L, PID);
        lua_settop(L, OPTIONS);
    }
    bool is_node = read_options(L, OPTIONS);
    struct actor *actor = check_actor(L);
    if (!is_node) {
        names_check_free(L, NAME);
    }
    if (actor == NULL) {
        error_raise(L, "ActorError", "noproc", 503, "cannot register \"%s\": the actor has ended",
                    lua_tostring(L, NAME));
    }
    if (is_node) {
        return add_to_node(L, actor);
    }
    if (actor->name != NULL) {
        return luaL_error(L, "cannot register \"%s\": the actor is \"%s\" already",
                          lua_tostring(L, NAME), actor->name);
    }
    names_add(L, NAME, actor);
    return 0;
}

int register_remove(lua_State *L)
{
    task_check_loaded(L, "unregister");
    names_check(L, NAME);
    lua_settop(L, NAME);
    struct actor *actor = names_find(L, NAME);
    struct pid pid;
    if (actor != NULL) {
        names_remove(L, actor);
    } else if (node_names_find(L, &pid)) {
        actor = actors_find(actors_of(L), &pid);
        if (actor != NULL) {
            claim_drop(actor);
            return 0;
        }
        error_raise(L, "ActorError", "elsewhere", 409,
                    "cannot unregister \"%s\": an actor of another worker has the name",
                    lua_tostring(L, NAME));
    }
    return 0;
}

int register_find(lua_State *L)
{
    struct pid pid;
    names_check(L, NAME);
    if (names_find_pid(L, NAME, &pid)) {
        pid_push(L, &pid);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

int register_list(lua_State *L)
{
    if (read_options(L, 1)) {
        node_names_push_all(L);
    } else {
        names_push_all(L);
    }
    return 1;
}
