/* inspect.c - looking at actors from outside: info(pid) and list().
 * Owns nothing and changes nothing.  Called by mod_actor.c. */
#include "worker/actor/inspect.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/bond.h"
#include "worker/actor/code.h"
#include "worker/actor/names.h"
#include "worker/actor/send.h"

static const char *state_word(const struct actor *actor)
{
    if (!actor->has_begun) {
        return "starting";
    }
    switch (actor->task->state) {
    case TASK_RUNNING:
        return "running";
    case TASK_WAITING:
        return "waiting";
    case TASK_FREE:
    case TASK_READY:
        break;
    }
    return "ready";
}

static const char *overflow_word(const struct actor *actor)
{
    switch (actor->overflow) {
    case ACTOR_OVERFLOW_SUSPEND:
        return "suspend";
    case ACTOR_OVERFLOW_DROP_NEW:
        return "drop_new";
    case ACTOR_OVERFLOW_DROP_OLD:
        return "drop_old";
    case ACTOR_OVERFLOW_RAISE:
        break;
    }
    return "raise";
}

static void set_integer(lua_State *L, const char *key, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, key);
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

/* A list of the pids of the other ends. */
static void set_bonds(lua_State *L, const char *key, const struct actor *actor, enum bond_kind kind)
{
    lua_Integer count = 0;
    lua_newtable(L);
    for (const struct bond *bond = actor->bonds; bond != NULL; bond = bond->next) {
        if (bond->kind == kind) {
            struct pid other = bond_other(bond);
            pid_push(L, &other);
            lua_rawseti(L, -2, ++count);
        }
    }
    lua_setfield(L, -2, key);
}

int inspect_info(lua_State *L)
{
    const struct actor *actor = send_find(L, 1).actor;
    if (actor == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_createtable(L, 0, 16);
    actor_push_pid(L, actor);
    lua_setfield(L, -2, "pid");
    set_text(L, "module", actor->code->name);
    set_text(L, "name", names_get(actor));
    set_text(L, "state", state_word(actor));
    set_text(L, "overflow", overflow_word(actor));
    set_integer(L, "messages", actor->mailbox.count);
    set_integer(L, "message_bytes", actor->mailbox.bytes);
    set_integer(L, "mailbox", actor->mailbox.max_count);
    set_integer(L, "mailbox_bytes", actor->mailbox.max_bytes);
    set_integer(L, "memory", task_memory(actor->task));
    set_integer(L, "memory_limit", task_memory_limit(actor->task));
    set_integer(L, "dropped", actor->dropped);
    set_bonds(L, "links", actor, BOND_LINK);
    set_bonds(L, "monitors", actor, BOND_WATCHES);
    set_bonds(L, "monitored_by", actor, BOND_WATCHED);
    lua_pushboolean(L, actor->traps);
    lua_setfield(L, -2, "trap_exit");
    return 1;
}

/* The filter at index 1: the name of a module, which stays on the stack; NULL: all. */
static const char *read_filter(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        return NULL;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, 1) != 0) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(key, "module") != 0) {
            luaL_error(L, "unknown option \"%s\"", luaL_tolstring(L, -2, NULL));
        }
        lua_pop(L, 1);
    }
    lua_getfield(L, 1, "module");
    return luaL_optstring(L, -1, NULL);
}

int inspect_list(lua_State *L)
{
    const char *module = read_filter(L);
    const struct actors *actors = actors_of(L);
    lua_Integer count = 0;
    lua_newtable(L);
    for (uint32_t i = 1; i < actors->slot_count; i++) {
        const struct actor *actor = actors->slots[i].actor;
        if (actor != NULL && !actor->is_exiting &&
            (module == NULL || strcmp(actor->code->name, module) == 0)) {
            actor_push_pid(L, actor);
            lua_rawseti(L, -2, ++count);
        }
    }
    return 1;
}
