/* channel.c - values from task to task, in order, with a limit on how many may lie in between.
 *   channel:put(value [, limit])   waits while it is full      channel:try_put(value) -> whether it had room
 *   channel:get([limit]) -> value  waits while it is empty     channel:try_get() -> value or nil
 *   channel:close()  #channel      for value in channel:values() do
 * Owns the order; the values lie in a table, the channel's user value: those nobody has asked for under integers, from head on,
 * and those that belong to one who waits under the address of its waiter - what it wants to put, or what it was given
 * and has not taken yet.  A value goes straight to the first that waits, and back to the front if that one is cancelled then.
 * Called through mod_task.c's functions, and by spawned.c.  Must not know what is sent. */
#include "worker/lib/channel.h"

#include <lauxlib.h>
#include <limits.h>

#include "worker/core/error.h"
#include "worker/lib/waiter.h"

#define CHANNEL_METATABLE "fsd.Channel"

struct channel {
    lua_Integer capacity;
    lua_Integer head; /* key of the first value */
    lua_Integer count;
    bool is_closed;
    struct waiter_queue getters; /* only while it is empty */
    struct waiter_queue putters; /* only while it is full */
};

static struct channel *check_channel(lua_State *L)
{
    return luaL_checkudata(L, 1, CHANNEL_METATABLE);
}

/* The value that stands on the top goes behind the others; it is popped.  The channel is at index. */
static void append(lua_State *L, struct channel *channel, int index)
{
    lua_getiuservalue(L, index, 1);
    lua_insert(L, -2);
    lua_rawseti(L, -2, channel->head + channel->count);
    lua_pop(L, 1);
    channel->count++;
}

/* Pushes what was kept for a waiter, nil when there is nothing, and forgets it. */
static void take_kept(lua_State *L, int index, const struct waiter *waiter)
{
    lua_getiuservalue(L, index, 1);
    lua_rawgetp(L, -1, waiter);
    lua_pushnil(L);
    lua_rawsetp(L, -3, waiter);
    lua_remove(L, -2);
}

/* Keeps the value on the top for a waiter, and pops it. */
static void keep(lua_State *L, int index, const struct waiter *waiter)
{
    lua_getiuservalue(L, index, 1);
    lua_insert(L, -2);
    lua_rawsetp(L, -2, waiter);
    lua_pop(L, 1);
}

/* Gives the value on the top to one who waits, and pops it; false: nobody does. */
static bool hand_over(lua_State *L, struct channel *channel, int index)
{
    const struct waiter *waiter = waiter_wake(&channel->getters);
    if (waiter != NULL) {
        keep(L, index, waiter);
    }
    return waiter != NULL;
}

/* Pushes the first value, and lets one who waits put the next; false: there is none. */
static bool take(lua_State *L, struct channel *channel)
{
    bool has = channel->count > 0;
    if (has) {
        lua_getiuservalue(L, 1, 1);
        lua_rawgeti(L, -1, channel->head);
        lua_pushnil(L);
        lua_rawseti(L, -3, channel->head);
        lua_remove(L, -2);
        channel->count--;
        channel->head = channel->count == 0 ? 1 : channel->head + 1;
    }
    const struct waiter *putter =
        channel->count < channel->capacity || !has ? waiter_wake(&channel->putters) : NULL;
    if (putter != NULL) {
        take_kept(L, 1, putter);
        if (!has) { /* without capacity: from hand to hand */
            return true;
        }
        append(L, channel, 1);
    }
    return has;
}

static int on_get_resume(struct waiter *waiter, lua_State *L)
{
    take_kept(L, 1, waiter); /* nil: the channel was closed */
    return 1;
}

/* What was given to a getter that did not take it goes to another one, or back to where it came from. */
static void on_get_lost(struct waiter *waiter, lua_State *L, bool was_woken)
{
    int index = lua_gettop(L);
    struct channel *channel = lua_touserdata(L, index);
    if (!was_woken) {
        return;
    }
    take_kept(L, index, waiter);
    if (lua_isnil(L, -1) || hand_over(L, channel, index)) {
        return;
    }
    channel->head--;
    lua_getiuservalue(L, index, 1);
    lua_insert(L, -2);
    lua_rawseti(L, -2, channel->head);
    channel->count++;
}

static _Noreturn void raise_closed(lua_State *L)
{
    error_raise(L, "ChannelError", "channel.closed", 500, "the channel is closed");
}

static int on_put_resume(struct waiter *waiter, lua_State *L)
{
    take_kept(L, 1, waiter);
    if (!lua_isnil(L, -1)) { /* nobody has taken it: the channel was closed */
        raise_closed(L);
    }
    return 0;
}

/* Its value was taken when it was woken, and stays where it went. */
static void on_put_lost(struct waiter *waiter, lua_State *L, bool was_woken)
{
    (void)was_woken;
    take_kept(L, lua_gettop(L), waiter);
}

static const struct waiter_kind get_kind = {on_get_resume, on_get_lost, "channel:get"};
static const struct waiter_kind put_kind = {on_put_resume, on_put_lost, "channel:put"};

int channel_new(lua_State *L)
{
    lua_Integer capacity = luaL_optinteger(L, 1, 0);
    luaL_argcheck(L, capacity >= 0 && capacity <= INT_MAX, 1, "must be from 0 to 2147483647");
    struct channel *channel = lua_newuserdatauv(L, sizeof(*channel), 1);
    *channel = (struct channel){.capacity = capacity,
                                .head = 1,
                                .getters = {.kind = &get_kind},
                                .putters = {.kind = &put_kind}};
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, CHANNEL_METATABLE);
    return 1;
}

/* Puts the value at index 2 without waiting; false: there is no room. */
static bool put_now(lua_State *L, struct channel *channel)
{
    lua_pushvalue(L, 2);
    if (hand_over(L, channel, 1)) {
        return true;
    }
    if (channel->count < channel->capacity) {
        append(L, channel, 1);
        return true;
    }
    lua_pop(L, 1);
    return false;
}

static struct channel *check_put(lua_State *L)
{
    struct channel *channel = check_channel(L);
    luaL_argcheck(L, !lua_isnoneornil(L, 2), 2, "must not be nil: get returns that for the end");
    if (channel->is_closed) {
        raise_closed(L);
    }
    return channel;
}

static int channel_put(lua_State *L)
{
    struct channel *channel = check_put(L);
    lua_Number limit_s = waiter_check_limit(L, 3);
    lua_settop(L, 2);
    if (put_now(L, channel)) {
        return 0;
    }
    struct waiter *waiter = waiter_push(L, &channel->putters);
    lua_pushvalue(L, 2);
    keep(L, 1, waiter);
    return waiter_wait(L, waiter, limit_s);
}

static int channel_try_put(lua_State *L)
{
    struct channel *channel = check_put(L);
    lua_settop(L, 2);
    lua_pushboolean(L, put_now(L, channel));
    return 1;
}

static int get(lua_State *L, lua_Number limit_s)
{
    struct channel *channel = check_channel(L);
    lua_settop(L, 1);
    if (take(L, channel)) {
        return 1;
    }
    if (channel->is_closed) {
        lua_pushnil(L);
        return 1;
    }
    struct waiter *waiter = waiter_push(L, &channel->getters);
    task_mark_idle(waiter->task);
    return waiter_wait(L, waiter, limit_s);
}

static int channel_get(lua_State *L)
{
    return get(L, waiter_check_limit(L, 2));
}

/* The iterator of values; its second argument is the value before. */
static int channel_next(lua_State *L)
{
    return get(L, -1);
}

static int channel_try_get(lua_State *L)
{
    struct channel *channel = check_channel(L);
    lua_settop(L, 1);
    if (!take(L, channel)) {
        lua_pushnil(L);
    }
    return 1;
}

static int channel_values(lua_State *L)
{
    (void)check_channel(L);
    lua_pushcfunction(L, channel_next);
    lua_pushvalue(L, 1);
    return 2;
}

/* What lies in it can still be got; those who wait are told. */
static int channel_close(lua_State *L)
{
    struct channel *channel = check_channel(L);
    channel->is_closed = true;
    while (waiter_wake(&channel->getters) != NULL || waiter_wake(&channel->putters) != NULL) {
    }
    return 0;
}

static int channel_len(lua_State *L)
{
    lua_pushinteger(L, check_channel(L)->count);
    return 1;
}

void channel_put_always(lua_State *L, int index)
{
    struct channel *channel = luaL_checkudata(L, index, CHANNEL_METATABLE);
    index = lua_absindex(L, index);
    if (channel->is_closed) {
        lua_pop(L, 1);
    } else if (!hand_over(L, channel, index)) {
        append(L, channel, index);
    }
}

static const luaL_Reg methods[] = {
    {"put", channel_put},
    {"get", channel_get},
    {"try_put", channel_try_put},
    {"try_get", channel_try_get},
    {"values", channel_values},
    {"close", channel_close},
    {NULL, NULL},
};

void channel_register(lua_State *L)
{
    luaL_newmetatable(L, CHANNEL_METATABLE);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, channel_len);
    lua_setfield(L, -2, "__len");
    lua_pushliteral(L, "fsd.Channel");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
