/* names.c - the names that actors of this worker have: a Lua table in the registry, from the name to the pid.
 * Owns that table.  A name holds until its actor ends or gives it back; an actor has one at most.  Called by register.c and
 * spawn.c, and by exit.c when an actor ends.  Must not know who uses a name. */
#include "worker/actor/names.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/node/claim.h"
#include "worker/actor/node/node_names.h"
#include "worker/core/error.h"
#include "worker/core/value.h"

static const char table_key = 0; /* its address is the key in the registry */

void names_init(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &table_key);
    node_names_init(L);
}

struct actor *names_find(lua_State *L, int index)
{
    struct actor *actor = NULL;
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) == LUA_TUSERDATA) {
        actor = actors_find(actors_of(L), pid_test(L, -1));
    }
    lua_pop(L, 2);
    return actor;
}

bool names_find_pid(lua_State *L, int index, struct pid *ret_pid)
{
    const struct actor *actor = names_find(L, index);
    if (actor != NULL) {
        *ret_pid = actor_pid(actor);
        return true;
    }
    lua_pushvalue(L, index);
    bool is_there = node_names_find(L, ret_pid);
    lua_pop(L, 1);
    return is_there;
}

void names_check(lua_State *L, int index)
{
    size_t len = 0;
    const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : "";
    if (len == 0 || len > NAMES_LEN_MAX || strlen(name) != len) {
        luaL_error(L, "bad name: a string of 1 to %d bytes expected", NAMES_LEN_MAX);
    }
}

void names_check_free(lua_State *L, int index)
{
    if (names_find(L, index) != NULL) {
        error_raise(L, "ActorError", "exists", 409,
                    "cannot register \"%s\": another actor has the name", lua_tostring(L, index));
    }
}

void names_add(lua_State *L, int index, struct actor *actor)
{
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
    lua_pushvalue(L, index);
    actor_push_pid(L, actor);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    actor->name = strdup(lua_tostring(L, index));
    if (actor->name == NULL) {
        abort();
    }
}

void names_remove(lua_State *L, struct actor *actor)
{
    if (actor->name == NULL) {
        return;
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
    lua_pushstring(L, actor->name);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    free(actor->name);
    actor->name = NULL;
}

void names_leave(lua_State *L, struct actor *actor)
{
    names_remove(L, actor);
    claim_hide(actor);
}

const char *names_get(const struct actor *actor)
{
    bool is_held = actor->claim != NULL && actor->claim->is_held;
    return actor->name == NULL && is_held ? actor->claim->name : actor->name;
}

void names_push_all(lua_State *L)
{
    lua_newtable(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
    value_move_pairs(L);
}
