/* shared_lease.c - the right to do something alone for a while: dictionary:try_lock(name).
 *   lease:unlock() -> boolean          given back; false: it was not ours any more
 *   lease:extend(seconds) -> boolean   from now on; false: the same
 * Owns the userdata of a lease: the name and a token.  In the dictionary a lease is an entry of its own space with the token as its
 * value, so nobody else can give it back, and it ends with its time, should the worker that has it die.  Nothing waits here:
 * a dictionary can't wake another process.
 * Called by mod_shared.c.  Must not know what is guarded. */
#include "worker/shared/shared_lease.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/shared/shared_call.h"

static const char lease_metatable[] = "fsd.shared.Lease";
static const double default_ttl_s = 30;

enum { TTL_SLOT = 3, NAME_SLOT = 1 };

struct token {
    uint64_t
        incarnation; /* never repeats in the life of a daemon, nor number in that of a worker */
    uint64_t number;
};

struct lease {
    struct dictionary *dictionary; /* borrowed; it lives as long as the worker */
    struct token token;
};

/* The name is the lease's user value. */
static void begin(struct shared_call *call, lua_State *L, struct lease **ret_lease)
{
    struct lease *lease = luaL_checkudata(L, 1, lease_metatable);
    shared_call_init(call, L, lease->dictionary);
    (void)lua_getiuservalue(L, 1, NAME_SLOT);
    shared_call_set_key(call, lua_gettop(L), SHARD_LEASES);
    *ret_lease = lease;
}

static int lease_unlock(lua_State *L)
{
    struct shared_call call;
    struct lease *lease;
    int result;
    begin(&call, L, &lease);
    const struct shard_value token = {SHARD_STRING, &lease->token, sizeof(lease->token)};
    shared_call_enter(&call);
    do {
        result = shard_swap(call.visit.shard, &call.turn, &call.key, &token, NULL);
    } while (shared_call_again(&call, result));
    lua_pushboolean(L, result > 0);
    return 1;
}

static int lease_extend(lua_State *L)
{
    struct shared_call call;
    struct lease *lease;
    int result;
    luaL_checknumber(L, 2);
    lua_settop(L, 2);
    begin(&call, L, &lease);
    const struct shard_record record = {{SHARD_STRING, &lease->token, sizeof(lease->token)},
                                        shared_call_get_expiry(&call, 2)};
    shared_call_enter(&call);
    do {
        result = shard_swap(call.visit.shard, &call.turn, &call.key, &record.value, &record);
    } while (shared_call_again(&call, result));
    lua_pushboolean(L, result > 0);
    return 1;
}

/* At the end of a block, whatever ended it: a dictionary that has gone, or is busy, is no error then. */
static int lease_close(lua_State *L)
{
    struct lease *lease = luaL_checkudata(L, 1, lease_metatable);
    lua_settop(L, 1);
    if (lease->dictionary->memory == NULL) {
        return 0;
    }
    lua_pushcfunction(L, lease_unlock);
    lua_pushvalue(L, 1);
    (void)lua_pcall(L, 1, 0, 0); /* then it ends with its time */
    return 0;
}

/* Pushes the option, or its default. */
static void push_ttl(lua_State *L)
{
    if (!lua_isnoneornil(L, TTL_SLOT)) {
        luaL_checktype(L, TTL_SLOT, LUA_TTABLE);
        if (lua_getfield(L, TTL_SLOT, "ttl") != LUA_TNIL) {
            return;
        }
    }
    lua_pushnumber(L, default_ttl_s);
}

int shared_lease_take(lua_State *L, struct dictionary *dictionary)
{
    struct shared_call call;
    int result;
    shared_call_init(&call, L, dictionary);
    shared_call_set_key(&call, 2, SHARD_LEASES);
    push_ttl(L);
    struct shard_record record = {.expires_ms = shared_call_get_expiry(&call, lua_gettop(L))};
    struct lease *lease = lua_newuserdatauv(L, sizeof(*lease), 1);
    *lease =
        (struct lease){dictionary, {call.runtime->incarnation, ++call.runtime->shared->leases}};
    lua_pushvalue(L, 2);
    (void)lua_setiuservalue(L, -2, NAME_SLOT);
    luaL_setmetatable(L, lease_metatable);
    record.value = (struct shard_value){SHARD_STRING, &lease->token, sizeof(lease->token)};
    shared_call_enter(&call);
    do {
        result = shard_put(call.visit.shard, &call.turn, &call.key, &record, SHARD_IF_ABSENT);
    } while (shared_call_again(&call, result));
    if (result == 0) {
        lua_pushnil(L);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"extend", lease_extend},
    {"unlock", lease_unlock},
    {NULL, NULL},
};

void shared_lease_init(lua_State *L)
{
    if (luaL_newmetatable(L, lease_metatable)) {
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, lease_close);
        lua_setfield(L, -2, "__close");
    }
    lua_pop(L, 1);
}
