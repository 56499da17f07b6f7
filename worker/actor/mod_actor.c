/* mod_actor.c - fsd.actor: actors, messages, links, monitors, names.
 *   actor.spawn(module[, args[, options]]) -> pid[, ref]      spawn_link, spawn_monitor: the same
 *   actor.self() -> pid            actor.send(dest, msg[, timeout])   actor.try_send(dest, msg) -> true | false, why
 *   actor.call(dest, msg[, timeout]) -> answer    actor.cast(dest, msg[, timeout])    actor.reply(from, value) -> bool
 *   actor.receive([match][, timeout]) -> msg, from, kind
 *   actor.exit([[dest, ]reason])   actor.link(dest)   actor.unlink(dest)   actor.trap_exit(bool) -> bool
 *   actor.monitor(dest) -> ref     actor.demonitor(ref[, {flush=}])
 *   actor.register(name[, pid][, {scope=}])   actor.unregister(name)   actor.whereis(name) -> pid | nil
 *   actor.registered([{scope=}]) -> table
 *   actor.alive(pid) -> bool       actor.info(dest) -> table | nil    actor.list([{module=}]) -> pids
 * Owns nothing; dest is a pid or a name.  What makes a file of its own stands in spawn.c, register.c, receive.c,
 * signals.c and inspect.c. */
#include "worker/actor/mod_actor.h"

#include <lauxlib.h>
#include <math.h>

#include "worker/actor/actor.h"
#include "worker/actor/actors.h"
#include "worker/actor/call.h"
#include "worker/actor/inspect.h"
#include "worker/actor/node/remote_say.h"
#include "worker/actor/node/server.h"
#include "worker/actor/post.h"
#include "worker/actor/receive.h"
#include "worker/actor/register.h"
#include "worker/actor/send.h"
#include "worker/actor/signals.h"
#include "worker/actor/spawn.h"
#include "worker/core/error.h"

enum {
    TIMEOUT_S = 5,                      /* of a call, and of a send that waits for room */
    TIMEOUT_MAX_S = 366 * 24 * 60 * 60, /* keeps the conversion to milliseconds exact */
};

static double check_timeout(lua_State *L, int index)
{
    double seconds = luaL_optnumber(L, index, TIMEOUT_S);
    luaL_argcheck(L, seconds >= 0 && !isnan(seconds), index, "must not be negative");
    return fmin(seconds, TIMEOUT_MAX_S);
}

static int mod_spawn(lua_State *L)
{
    return spawn_lua(L, false, false);
}

static int mod_spawn_link(lua_State *L)
{
    return spawn_lua(L, true, false);
}

static int mod_spawn_monitor(lua_State *L)
{
    return spawn_lua(L, false, true);
}

static int mod_self(lua_State *L)
{
    actor_push_pid(L, actor_check(L, "ask for self"));
    return 1;
}

static int send_as(lua_State *L, enum letter_kind kind)
{
    double seconds = TIMEOUT_S;
    task_check_loaded(L, "send");
    if (lua_gettop(L) != 2) {
        luaL_checkany(L, 2);
        seconds = check_timeout(L, 3);
    }
    struct address address = send_find(L, 1);
    send_check_name(L, &address);
    if (address.remote != NULL) {
        return send_wait_far(L, &address, kind, seconds);
    }
    struct letter letter = {.kind = (uint8_t)kind,
                            .bytes = (uint32_t)send_copy_to(L, 2, address.actor, seconds > 0)};
    return address.actor == NULL ? 0 : send_wait(L, address.actor, &letter, seconds);
}

static int mod_send(lua_State *L)
{
    return send_as(L, LETTER_MESSAGE);
}

static int mod_cast(lua_State *L)
{
    return send_as(L, LETTER_CAST);
}

static int refuse(lua_State *L, const char *why)
{
    lua_pushboolean(L, 0);
    lua_pushstring(L, why);
    return 2;
}

static int try_send_far(lua_State *L, const struct address *address)
{
    if (!remote_takes(address->remote, &address->to)) {
        (void)send_copy(L, 2); /* what cannot be sent raises in any case */
        return refuse(L, "busy");
    }
    send_far(L, 2, address, LETTER_MESSAGE);
    lua_pushboolean(L, 1);
    return 1;
}

static int mod_try_send(lua_State *L)
{
    luaL_checkany(L, 2);
    task_check_loaded(L, "send");
    struct address address = send_find(L, 1);
    if (address.remote != NULL) {
        return try_send_far(L, &address);
    }
    struct letter letter = {.kind = LETTER_MESSAGE,
                            .bytes = (uint32_t)send_copy_to(L, 2, address.actor, false)};
    if (address.actor == NULL) {
        return refuse(L, address.absence);
    }
    switch (post_letter(address.actor, L, &letter)) {
    case POST_DONE:
        break;
    case POST_DROPPED:
        return refuse(L, "dropped");
    case POST_FULL:
        return refuse(L, "busy");
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int mod_call(lua_State *L)
{
    luaL_checkany(L, 2);
    double seconds = check_timeout(L, 3);
    struct address address = send_find(L, 1);
    (void)task_check(L);
    if (address.remote != NULL) {
        return call_wait_far(L, address.remote, &address.to, seconds);
    }
    uint32_t bytes = (uint32_t)send_copy_to(L, 2, address.actor, true);
    if (address.actor == NULL) {
        call_refuse(L, address.absence);
    }
    if (address.actor == actor_running(L)) {
        call_refuse(L, "calling_self");
    }
    return call_wait(L, address.actor, bytes, seconds);
}

static int mod_reply(lua_State *L)
{
    const struct ref_value *from = ref_test(L, 1, actors_of(L)->marks.ref);
    luaL_argexpected(L, from != NULL, 1, "from");
    lua_settop(L, 2);
    (void)send_copy_for(L, 2, call_asker(L, &from->ref));
    lua_pushboolean(L, call_answer(L, &from->ref, NULL));
    return 1;
}

static int mod_alive(lua_State *L)
{
    struct address address = send_find(L, 1);
    luaL_argexpected(L, address.pid != NULL, 1, "pid");
    luaL_argcheck(L, address.remote == NULL, 1, "an actor of another worker: monitor it");
    lua_pushboolean(L, address.actor != NULL);
    return 1;
}

static const luaL_Reg functions[] = {
    {"alive", mod_alive},
    {"call", mod_call},
    {"cast", mod_cast},
    {"demonitor", signals_demonitor},
    {"exit", signals_exit},
    {"info", inspect_info},
    {"link", signals_link},
    {"list", inspect_list},
    {"monitor", signals_monitor},
    {"receive", receive_lua},
    {"register", register_add},
    {"registered", register_list},
    {"reply", mod_reply},
    {"self", mod_self},
    {"send", mod_send},
    {"spawn", mod_spawn},
    {"spawn_link", mod_spawn_link},
    {"spawn_monitor", mod_spawn_monitor},
    {"trap_exit", signals_trap_exit},
    {"try_send", mod_try_send},
    {"unlink", signals_unlink},
    {"unregister", register_remove},
    {"whereis", register_find},
    {NULL, NULL},
};

int luaopen_fsd_actor(lua_State *L)
{
    struct runtime *runtime = runtime_of(L);
    if (runtime->actors == NULL) {
        runtime->actors = actors_new(runtime);
        server_start(runtime);
    }
    luaL_newlib(L, functions);
    return 1;
}
