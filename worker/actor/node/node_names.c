/* node_names.c - who has the names that one actor in all workers can have, as the master tells it.
 * Owns a Lua table in the registry, from the name to the pid.  The master tells every change to every worker, so looking a name up asks
 * nobody, and may be a moment late.  Called by claim.c for what the master says, by names.c to find one.
 * Must not know who wants a name, nor how it is got. */
#include "worker/actor/node/node_names.h"

#include <errno.h>

#include "common/msgpack.h"
#include "worker/core/runtime.h"
#include "worker/core/value.h"

enum { PARTS = 4 };

static const char table_key = 0; /* its address is the key in the registry */

void node_names_init(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &table_key);
}

bool node_names_find(lua_State *L, struct pid *ret_pid)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
    lua_pushvalue(L, -2);
    bool is_there = lua_rawget(L, -2) == LUA_TUSERDATA;
    if (is_there) {
        *ret_pid = *pid_test(L, -1);
    }
    lua_pop(L, 2);
    return is_there;
}

void node_names_set(lua_State *L, const struct pid *pid)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
    lua_insert(L, -2);
    pid_push(L, pid);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

void node_names_remove(lua_State *L, const struct pid *pid)
{
    struct pid holder;
    if (node_names_find(L, &holder) && pid_equal(&holder, pid)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
        lua_pushvalue(L, -2);
        lua_pushnil(L);
        lua_rawset(L, -3);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void node_names_drop_worker(lua_State *L, uint64_t incarnation)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        if (pid_test(L, -1)->incarnation == incarnation) {
            lua_pushvalue(L, -2);
            lua_pushnil(L);
            lua_rawset(L, -5); /* a field that is there may be cleared on the way */
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Reads one entry: pushes its name. */
static int read_entry(lua_State *L, struct msgpack_reader *reader, struct pid *ret_pid)
{
    struct msgpack_value parts[PARTS];
    static const enum msgpack_kind kinds[PARTS] = {MSGPACK_STR, MSGPACK_INT, MSGPACK_INT,
                                                   MSGPACK_INT};
    struct msgpack_value value;
    if (msgpack_expect(reader, MSGPACK_ARRAY, &value) != 0 || value.count != PARTS) {
        return -EPROTO;
    }
    for (int i = 0; i < PARTS; i++) {
        if (msgpack_expect(reader, kinds[i], &parts[i]) != 0) {
            return -EPROTO;
        }
    }
    lua_pushlstring(L, parts[0].bytes, parts[0].len);
    *ret_pid = (struct pid){.incarnation = (uint64_t)parts[1].integer,
                            .serial = (uint64_t)parts[2].integer,
                            .index = (uint32_t)parts[3].integer};
    return 0;
}

int node_names_read(lua_State *L, const void *data, size_t len,
                    bool (*keep)(lua_State *L, const struct pid *pid, const char *name))
{
    struct msgpack_reader reader;
    struct msgpack_value list;
    msgpack_reader_init(&reader, data, len);
    if (msgpack_expect(&reader, MSGPACK_ARRAY, &list) != 0) {
        return -EPROTO;
    }
    node_names_init(L);
    for (uint32_t i = 0; i < list.count; i++) {
        struct pid pid;
        if (read_entry(L, &reader, &pid) != 0) {
            return -EPROTO;
        }
        if (pid.incarnation != runtime_of(L)->incarnation || keep(L, &pid, lua_tostring(L, -1))) {
            node_names_set(L, &pid);
        } else {
            lua_pop(L, 1);
        }
    }
    return 0;
}

void node_names_push_all(lua_State *L)
{
    lua_newtable(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &table_key);
    value_move_pairs(L);
}
