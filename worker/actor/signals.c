/* signals.c - the functions in Lua that end, link and monitor actors.
 *   exit([[dest, ]reason])   link(dest)   unlink(dest)   trap_exit(on) -> before
 *   monitor(dest) -> ref     demonitor(ref[, {flush=}])
 * Owns nothing.  What happens is decided in signal.c, done in exit.c and kept in bond.c; here the arguments are read, and it is
 * said what becomes of an actor that is not there.  Entered into the module by mod_actor.c. */
#include "worker/actor/signals.h"

#include <lauxlib.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/bond.h"
#include "worker/actor/exit.h"
#include "worker/actor/send.h"
#include "worker/core/error.h"

static void on_wait_cancel(struct task_wait *wait)
{
    (void)wait;
}

/* The actor ends itself by a signal: it never gets beyond this line. */
static int stay(lua_State *L, struct actor *self)
{
    (void)task_check(L);
    self->wait = (struct task_wait){on_wait_cancel, NULL};
    return task_wait(L, &self->wait);
}

static int signal_exit(lua_State *L)
{
    struct address address = send_find(L, 1);
    struct actor *self = actor_running(L);
    (void)send_copy(L, 2);
    if (address.actor == NULL) {
        return 0;
    }
    struct pid from = self != NULL ? actor_pid(self) : actors_worker_pid(actors_of(L));
    exit_signal(address.actor, L, address.actor == self ? SIGNAL_SELF : SIGNAL_EXIT, &from);
    return self != NULL && self->is_exiting ? stay(L, self) : 0;
}

int signals_exit(lua_State *L)
{
    if (lua_gettop(L) >= 2) {
        return signal_exit(L);
    }
    (void)actor_check(L, "exit");
    if (lua_isnoneornil(L, 1)) {
        lua_pushliteral(L, "normal");
    } else {
        (void)send_copy(L, 1);
    }
    exit_raise(L);
}

int signals_link(lua_State *L)
{
    struct actor *self = actor_check(L, "link");
    struct address address = send_find(L, 1);
    send_check_name(L, &address);
    if (address.actor != NULL) {
        bond_link(self, address.actor);
        return 0;
    }
    if (!self->traps) {
        error_raise(L, "ActorError", address.absence, 503, "cannot link: the actor has ended");
    }
    lua_pushstring(L, address.absence);
    exit_signal(self, L, SIGNAL_LINK, address.pid);
    return 0;
}

int signals_unlink(lua_State *L)
{
    struct actor *self = actor_check(L, "unlink");
    struct address address = send_find(L, 1);
    struct bond *bond = address.actor != NULL ? bond_find_link(self, address.actor) : NULL;
    if (bond != NULL) {
        bond_remove(L, bond);
    }
    return 0;
}

int signals_trap_exit(lua_State *L)
{
    struct actor *self = actor_check(L, "trap exits");
    luaL_checktype(L, 1, LUA_TBOOLEAN);
    lua_pushboolean(L, self->traps);
    self->traps = lua_toboolean(L, 1);
    return 1;
}

int signals_monitor(lua_State *L)
{
    struct actor *self = actor_check(L, "monitor");
    struct address address = send_find(L, 1);
    if (address.actor != NULL) {
        bond_monitor(L, self, address.actor, address.name);
        return 1;
    }
    struct actors *actors = self->actors;
    struct ref ref = {.incarnation = actors->runtime->incarnation,
                      .number = actors_next_monitor(actors)};
    (void)ref_push(L, &ref);
    lua_pushstring(L, address.absence);
    exit_post_down(self, L, -2, address.name, address.pid);
    return 1;
}

/* Takes the message of a monitor, whose ref is at index 1, out of the mailbox. */
static void flush_down(lua_State *L, struct actor *self)
{
    for (uint32_t i = 0; i < self->mailbox.count; i++) {
        if (mailbox_letter(&self->mailbox, i)->kind != LETTER_SYSTEM) {
            continue;
        }
        mailbox_peek(&self->mailbox, L, i);
        lua_rawgeti(L, -1, 2);
        bool is_this = lua_compare(L, -1, 1, LUA_OPEQ);
        lua_pop(L, 2);
        if (is_this) {
            mailbox_remove(&self->mailbox, L, i);
            return;
        }
    }
}

int signals_demonitor(lua_State *L)
{
    struct actor *self = actor_check(L, "demonitor");
    struct ref_value *ref = ref_test(L, 1, actors_of(L)->marks.ref);
    luaL_argexpected(L, ref != NULL, 1, "ref");
    bool flush = false;
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        lua_getfield(L, 2, "flush");
        flush = lua_toboolean(L, -1);
    }
    if (ref->bond != NULL) {
        luaL_argcheck(L, ref->bond->owner == self, 1, "another actor's monitor");
        bond_remove(L, ref->bond);
    } else if (flush) {
        flush_down(L, self);
    }
    return 0;
}
