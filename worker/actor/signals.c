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
#include "worker/actor/node/remote.h"
#include "worker/actor/node/remote_say.h"
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

/* The reason is on the top, and is popped. */
static void say_exit(lua_State *L, const struct address *address, const struct pid *from)
{
    struct frame frame = {
        .kind = FRAME_EXIT, .to = remote_place(&address->to), .from = remote_place(from)};
    remote_say_value(L, address->remote, &frame);
}

/* A frame from this actor that has no payload. */
static void say(const struct actor *self, const struct address *address, enum frame_kind kind,
                uint64_t number)
{
    struct pid from = actor_pid(self);
    struct frame frame = {
        .kind = kind, .to = remote_place(&address->to), .from = remote_place(&from), .ref = number};
    remote_say(address->remote, &frame);
}

static int signal_exit(lua_State *L)
{
    task_check_loaded(L, "end an actor");
    struct address address = send_find(L, 1);
    struct actor *self = actor_running(L);
    (void)send_copy(L, 2);
    struct pid from = self != NULL ? actor_pid(self) : actors_worker_pid(actors_of(L));
    if (address.remote != NULL) {
        say_exit(L, &address, &from);
        return 0;
    }
    if (address.actor == NULL) {
        return 0;
    }
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

/* index: of what address was read from. */
static int link_with(lua_State *L, struct actor *actor, const struct address *address, int index)
{
    if (address->actor != NULL) {
        bond_link(actor, address->actor);
        return 0;
    }
    if (address->remote != NULL) {
        luaL_argcheck(L, address->to.index != 0, index, "a worker has no links: monitor it");
        struct remote *remote = address->remote;
        /* Said twice, it could make one end anew after the other one was taken away. */
        if (bond_link_far(actor, &remote->bonds, &address->to, remote->links_said + 1)) {
            remote->links_said++;
            say(actor, address, FRAME_LINK, 0);
        }
        return 0;
    }
    if (!actor->traps) {
        error_raise(L, "ActorError", address->absence, 503, "cannot link: the actor has ended");
    }
    lua_pushstring(L, address->absence);
    exit_signal(actor, L, SIGNAL_LINK, address->pid);
    return 0;
}

int signals_link(lua_State *L)
{
    struct actor *self = actor_check(L, "link");
    struct address address = send_find(L, 1);
    send_check_name(L, &address);
    return link_with(L, self, &address, 1);
}

int signals_link_both(lua_State *L)
{
    struct address own = send_find(L, 1);
    struct address other = send_find(L, 2);
    return own.actor != NULL ? link_with(L, own.actor, &other, 2) : 0;
}

/* The link with one of another worker, which may have ended and be heard to the end yet. */
static struct bond *find_far_link(const struct actor *self, const struct pid *to)
{
    const struct remote *remote = remotes_find(&self->actors->remotes, to->incarnation);
    return remote == NULL ? NULL : bond_table_find_link(&remote->bonds, self, to);
}

int signals_unlink(lua_State *L)
{
    struct actor *self = actor_check(L, "unlink");
    struct address address = send_find(L, 1);
    struct bond *bond = address.actor != NULL ? bond_find_link(self, address.actor)
                                              : find_far_link(self, &address.to);
    if (bond == NULL) {
        return 0;
    }
    bond_remove(L, bond);
    if (address.remote != NULL) {
        say(self, &address, FRAME_UNLINK, address.remote->links_heard);
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
    if (address.remote != NULL) {
        bond_monitor_far(L, self, &address.remote->bonds, &address.to, address.name);
        say(self, &address, FRAME_MONITOR, ref_test(L, -1, actors_of(L)->marks.ref)->ref.number);
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

static void say_demonitor(const struct bond *bond)
{
    if (bond->far != NULL) {
        struct pid to = bond->far->other;
        struct address address = {
            .remote = remotes_find(&bond->owner->actors->remotes, to.incarnation), .to = to};
        say(bond->owner, &address, FRAME_DEMONITOR, bond->far->number);
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
        say_demonitor(ref->bond);
        bond_remove(L, ref->bond);
    } else if (flush) {
        flush_down(L, self);
    }
    return 0;
}
