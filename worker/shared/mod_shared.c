/* mod_shared.c - fsd.shared: dictionaries that all workers of the daemon share.
 *   shared.open(name) -> dictionary         also shared(name)
 *   dictionary:get(key) -> value or nil
 *   dictionary:set(key, value[, ttl]) -> true, evicted      a nil value deletes
 *   dictionary:add(key, value[, ttl]), replace -> stored, evicted
 *   dictionary:incr(key, by[, initial[, ttl]]) -> sum or nil, evicted
 *   dictionary:cas(key, old, new[, ttl]) -> swapped, evicted          nil is "not there"
 *   dictionary:delete(key), expire(key[, ttl]) -> was there
 *   dictionary:ttl(key) -> seconds, math.huge, or nil
 *   dictionary:keys([max]) -> array     flush_all()     info() -> table     try_lock(name[, options]) -> lease or nil
 * Owns nothing: the handle points to the worker's dictionary (shared.c), so it goes on when that is replaced.
 * Each function checks, locks, does one operation of shard.h, unlocks, and pushes.  Must not know how memory is laid out. */
#include "worker/shared/mod_shared.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "worker/core/error.h"
#include "worker/core/value.h"
#include "worker/shared/shared_call.h"
#include "worker/shared/shared_lease.h"
#include "worker/shared/shared_value.h"

enum { STATUS_INTERNAL_ERROR = 500, KEYS_DEFAULT = 1024 };

static const char dictionary_metatable[] = "fsd.shared.Dictionary";

static struct dictionary *check_dictionary(lua_State *L)
{
    struct dictionary *dictionary =
        *(struct dictionary **)luaL_checkudata(L, 1, dictionary_metatable);
    if (dictionary == NULL) {
        error_raise(L, "SharedError", "shared.gone", STATUS_INTERNAL_ERROR,
                    "shared dictionaries hold nothing while an application is only looked at");
    }
    return dictionary;
}

/* The dictionary and the key of a call. */
static void begin(struct shared_call *call, lua_State *L)
{
    shared_call_init(call, L, check_dictionary(L));
    shared_call_set_key(call, 2, SHARD_VALUES);
}

/* The value at an index of the stack and the seconds behind it. */
static struct shard_record read_record(struct shared_call *call, int index,
                                       struct shared_value *value)
{
    shared_value_read(call, index, value);
    return (struct shard_record){value->value, shared_call_get_expiry(call, index + 1)};
}

static int push_outcome(const struct shared_call *call, int result)
{
    lua_pushboolean(call->L, result > 0);
    lua_pushboolean(call->L, call->turn.evicted > 0);
    return 2;
}

static int dictionary_get(lua_State *L)
{
    struct shared_call call;
    struct shard_value value;
    int result;
    begin(&call, L);
    shared_call_enter(&call);
    do {
        result = shard_get(call.visit.shard, &call.turn, &call.key, &value);
    } while (shared_call_again(&call, result));
    if (result == 0) {
        lua_pushnil(L);
    } else if (!shared_value_push(L, &value)) {
        shared_call_condemn(&call);
        lua_pushnil(L);
    }
    return 1;
}

static int remove_key(struct shared_call *call)
{
    int result;
    shared_call_enter(call);
    do {
        result = shard_remove(call->visit.shard, &call->turn, &call->key);
    } while (shared_call_again(call, result));
    return result;
}

static int put(lua_State *L, enum shard_when when)
{
    struct shared_call call;
    struct shared_value value;
    int result;
    begin(&call, L);
    luaL_checkany(L, 3);
    if (when == SHARD_ALWAYS && lua_isnil(L, 3)) {
        (void)remove_key(&call);
        return push_outcome(&call, 1);
    }
    const struct shard_record record = read_record(&call, 3, &value);
    shared_call_enter(&call);
    do {
        result = shard_put(call.visit.shard, &call.turn, &call.key, &record, when);
    } while (shared_call_again(&call, result));
    return push_outcome(&call, result);
}

static int dictionary_set(lua_State *L)
{
    return put(L, SHARD_ALWAYS);
}

static int dictionary_add(lua_State *L)
{
    return put(L, SHARD_IF_ABSENT);
}

static int dictionary_replace(lua_State *L)
{
    return put(L, SHARD_IF_PRESENT);
}

static int dictionary_incr(lua_State *L)
{
    struct shared_call call;
    struct shared_value addend;
    struct shared_value start;
    struct shard_record initial;
    bool has_initial = !lua_isnoneornil(L, 4);
    int result;
    begin(&call, L);
    luaL_checktype(L, 3, LUA_TNUMBER);
    shared_value_read(&call, 3, &addend);
    if (has_initial) {
        luaL_checktype(L, 4, LUA_TNUMBER);
        initial = read_record(&call, 4, &start);
    }
    struct shard_value sum;
    shared_call_enter(&call);
    do {
        result = shard_sum(call.visit.shard, &call.turn, &call.key, &addend.value,
                           has_initial ? &initial : NULL, &sum);
    } while (shared_call_again(&call, result));
    if (result == 0) {
        lua_pushnil(L);
        return 1;
    }
    (void)shared_value_push(L, &sum); /* a number always is one */
    lua_pushboolean(L, call.turn.evicted > 0);
    return 2;
}

static int dictionary_cas(lua_State *L)
{
    struct shared_call call;
    struct shared_value old;
    struct shared_value value;
    struct shard_record record;
    int result;
    begin(&call, L);
    luaL_checkany(L, 4);
    luaL_argcheck(L, !lua_istable(L, 3), 3, "a table cannot be compared");
    bool has_old = !lua_isnil(L, 3);
    bool has_new = !lua_isnil(L, 4);
    if (has_old) {
        shared_value_read(&call, 3, &old);
    }
    if (has_new) {
        record = read_record(&call, 4, &value);
    }
    shared_call_enter(&call);
    do {
        result = shard_swap(call.visit.shard, &call.turn, &call.key, has_old ? &old.value : NULL,
                            has_new ? &record : NULL);
    } while (shared_call_again(&call, result));
    return push_outcome(&call, result);
}

static int dictionary_delete(lua_State *L)
{
    struct shared_call call;
    begin(&call, L);
    lua_pushboolean(L, remove_key(&call) > 0);
    return 1;
}

static int dictionary_expire(lua_State *L)
{
    struct shared_call call;
    int result;
    begin(&call, L);
    uint64_t expires_ms = shared_call_get_expiry(&call, 3);
    shared_call_enter(&call);
    do {
        result = shard_expire(call.visit.shard, &call.turn, &call.key, expires_ms);
    } while (shared_call_again(&call, result));
    lua_pushboolean(L, result > 0);
    return 1;
}

static int dictionary_ttl(lua_State *L)
{
    struct shared_call call;
    uint64_t expires_ms = 0;
    int result;
    begin(&call, L);
    shared_call_enter(&call);
    do {
        result = shard_get_expiry(call.visit.shard, &call.turn, &call.key, &expires_ms);
    } while (shared_call_again(&call, result));
    if (result == 0) {
        lua_pushnil(L);
    } else if (expires_ms == 0) {
        lua_pushnumber(L, HUGE_VAL);
    } else {
        lua_pushnumber(L, (lua_Number)(expires_ms - call.turn.now_ms) / 1000);
    }
    return 1;
}

/* Appends what shard_list has copied to the table on the top; the new count. */
static lua_Integer append_keys(lua_State *L, const unsigned char *at, int len, lua_Integer count,
                               lua_Integer max)
{
    const unsigned char *end = at + len;
    while (at < end && count < max) {
        uint16_t key_len;
        memcpy(&key_len, at, sizeof(key_len));
        at += sizeof(key_len);
        lua_pushlstring(L, (const char *)at, key_len);
        lua_rawseti(L, -2, ++count);
        at += key_len;
    }
    return count;
}

static int dictionary_keys(lua_State *L)
{
    struct shared_call call;
    shared_call_init(&call, L, check_dictionary(L));
    lua_Integer max = luaL_optinteger(L, 2, KEYS_DEFAULT);
    luaL_argcheck(L, max >= 1, 2, "at least one key");
    lua_Integer count = 0;
    lua_newtable(L);
    value_push_array_mark(L);
    lua_setmetatable(L, -2);
    for (unsigned i = 0; i < call.dictionary->shard_count && count < max; i++) {
        uint32_t cursor = 0;
        call.number = i;
        while (count < max && cursor < call.dictionary->shards[i].bucket_count) {
            int result;
            shared_call_enter(&call);
            do {
                result = shard_list(call.visit.shard, &call.turn, &cursor);
            } while (shared_call_again(&call, result));
            count = append_keys(L, call.turn.buf, result, count, max);
        }
    }
    return 1;
}

static int dictionary_flush_all(lua_State *L)
{
    struct shared_call call;
    shared_call_init(&call, L, check_dictionary(L));
    for (unsigned i = 0; i < call.dictionary->shard_count; i++) {
        int result = 0;
        call.number = i;
        shared_call_enter(&call);
        do {
            shard_flush(call.visit.shard);
        } while (shared_call_again(&call, result));
    }
    return 0;
}

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static int dictionary_info(lua_State *L)
{
    struct shared_call call;
    struct shard_numbers all = {0};
    shared_call_init(&call, L, check_dictionary(L));
    for (unsigned i = 0; i < call.dictionary->shard_count; i++) {
        struct shard_numbers one;
        int result = 0;
        call.number = i;
        shared_call_enter(&call);
        do {
            shard_count(call.visit.shard, &one);
        } while (shared_call_again(&call, result));
        all.size_bytes += one.size_bytes;
        all.used_bytes += one.used_bytes;
        all.entries += one.entries;
        all.evicted += one.evicted;
        all.wiped += one.wiped;
    }
    lua_createtable(L, 0, 6);
    lua_pushstring(L, call.dictionary->name);
    lua_setfield(L, -2, "name");
    set_number(L, "capacity", all.size_bytes);
    set_number(L, "used", all.used_bytes);
    set_number(L, "entries", all.entries);
    set_number(L, "evictions", all.evicted);
    set_number(L, "resets", all.wiped);
    return 1;
}

static int dictionary_try_lock(lua_State *L)
{
    lua_settop(L, 3);
    return shared_lease_take(L, check_dictionary(L));
}

static int dictionary_tostring(lua_State *L)
{
    lua_pushfstring(L, "fsd.shared dictionary \"%s\"", check_dictionary(L)->name);
    return 1;
}

static int mod_open(lua_State *L)
{
    size_t len = 0;
    const char *name = luaL_checklstring(L, 1, &len);
    const struct shared *shared = runtime_of(L)->shared; /* NULL in tools: any name will do */
    struct dictionary *dictionary = shared == NULL ? NULL : shared_find(shared, name, len);
    if (shared != NULL && dictionary == NULL) {
        error_raise(L, "SharedError", "shared.unknown", STATUS_INTERNAL_ERROR,
                    "there is no shared dictionary \"%s\": name it in the section \"shared\" of "
                    "the configuration, or with fsd run --shared %s",
                    name, name);
    }
    struct dictionary **handle = lua_newuserdatauv(L, sizeof(struct dictionary *), 0);
    *handle = dictionary;
    luaL_setmetatable(L, dictionary_metatable);
    return 1;
}

/* shared(name) */
static int mod_call(lua_State *L)
{
    lua_remove(L, 1);
    return mod_open(L);
}

static const luaL_Reg methods[] = {
    {"add", dictionary_add},
    {"cas", dictionary_cas},
    {"delete", dictionary_delete},
    {"expire", dictionary_expire},
    {"flush_all", dictionary_flush_all},
    {"get", dictionary_get},
    {"incr", dictionary_incr},
    {"info", dictionary_info},
    {"keys", dictionary_keys},
    {"replace", dictionary_replace},
    {"set", dictionary_set},
    {"try_lock", dictionary_try_lock},
    {"ttl", dictionary_ttl},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"open", mod_open},
    {NULL, NULL},
};

int luaopen_fsd_shared(lua_State *L)
{
    shared_lease_init(L);
    luaL_newmetatable(L, dictionary_metatable);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, dictionary_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, mod_call);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
    return 1;
}
