/* shared_value.c - Lua values from and to the kinds that a shard knows.
 * Owns nothing.  Scalars and strings are their bytes; a table is MessagePack (core/value.c), written before the lock is taken
 * and read after it is given back.  What comes out is a copy: changing it changes nothing for others.
 * Called by mod_shared.c.  Must not know keys or locks. */
#include "worker/shared/shared_value.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/value.h"

enum { WRITER_KEEP = 64 * 1024 /* bytes that stay for the next table */ };

static void set_scalar(struct shared_value *ret, enum shard_kind kind, const void *bytes,
                       size_t len)
{
    memcpy(ret->scalar, bytes, len);
    ret->value = (struct shard_value){kind, ret->scalar, len};
}

static void read_table(struct shared_call *call, int index, struct shared_value *ret_value)
{
    struct msgpack_writer *writer = &call->runtime->shared->writer;
    struct fsd_err err = {""};
    if (writer->capacity > WRITER_KEEP || writer->error != 0) {
        msgpack_writer_fini(writer);
        msgpack_writer_init(writer, SHARD_VALUE_MAX);
    }
    writer->len = 0;
    if (value_write(call->L, index, writer, &err) < 0) {
        lua_pushstring(call->L, err.text);
        luaL_argerror(call->L, index, lua_tostring(call->L, -1));
    }
    if (writer->error == -EMSGSIZE) {
        shared_call_check(call, -E2BIG);
    }
    if (writer->error != 0) {
        luaL_error(call->L, "not enough memory");
    }
    ret_value->value = (struct shard_value){SHARD_TABLE, writer->data, writer->len};
}

void shared_value_read(struct shared_call *call, int index, struct shared_value *ret_value)
{
    lua_State *L = call->L;
    int type = lua_type(L, index);
    if (type == LUA_TBOOLEAN) {
        unsigned char boolean = (unsigned char)lua_toboolean(L, index);
        set_scalar(ret_value, SHARD_BOOLEAN, &boolean, sizeof(boolean));
    } else if (lua_isinteger(L, index)) {
        lua_Integer integer = lua_tointeger(L, index);
        set_scalar(ret_value, SHARD_INTEGER, &integer, sizeof(integer));
    } else if (type == LUA_TNUMBER) {
        lua_Number number = lua_tonumber(L, index);
        set_scalar(ret_value, SHARD_FLOAT, &number, sizeof(number));
    } else if (type == LUA_TSTRING) {
        size_t len = 0;
        const char *bytes = lua_tolstring(L, index, &len);
        if (len > SHARD_VALUE_MAX) {
            shared_call_check(call, -E2BIG);
        }
        ret_value->value = (struct shard_value){SHARD_STRING, bytes, len};
    } else if (type == LUA_TTABLE) {
        read_table(call, index, ret_value);
    } else {
        lua_pushfstring(L, "cannot store a %s", luaL_typename(L, index));
        luaL_argerror(L, index, lua_tostring(L, -1));
    }
}

static bool push_table(lua_State *L, const struct shard_value *value)
{
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, value->bytes, value->len);
    if (value_push(L, &reader) != 0) {
        return false;
    }
    if (reader.at != reader.end || !lua_istable(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    return true;
}

bool shared_value_push(lua_State *L, const struct shard_value *value)
{
    lua_Integer integer;
    lua_Number number;
    switch (value->kind) {
    case SHARD_BOOLEAN:
        lua_pushboolean(L, *(const unsigned char *)value->bytes);
        break;
    case SHARD_INTEGER:
        memcpy(&integer, value->bytes, sizeof(integer));
        lua_pushinteger(L, integer);
        break;
    case SHARD_FLOAT:
        memcpy(&number, value->bytes, sizeof(number));
        lua_pushnumber(L, number);
        break;
    case SHARD_STRING:
        lua_pushlstring(L, value->bytes, value->len);
        break;
    case SHARD_TABLE:
        return push_table(L, value);
    }
    return true;
}
