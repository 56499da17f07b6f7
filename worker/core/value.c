/* value.c - Lua values from and to MessagePack, straight on the Lua stack.
 *
 * Owns the array mark, a metatable in the registry that JSON shares.  Writing looks at a table twice:
 * once to learn whether it is an array and how many pairs it has, because MessagePack says so first.
 * Reading builds tables as it goes, sized by the count only up to a bound, because nested heads could
 * each promise all the bytes that are left.
 * Called for configuration, messages and calls on the control channel.
 * Must not run Lua code (raw access only), yield, or know what the messages mean. */
#include "worker/core/value.h"

#include <errno.h>

#include "common/err.h"
#include "common/msgpack.h"
#include "worker/core/value_path.h"

enum {
    PRESIZE_MAX = 256,
    WRITE_SLOTS = 3, /* key, value, and a metatable or a copy of one of them */
    READ_SLOTS = 4,  /* table, key, value, mark */
};

static const char array_mark_key = 0; /* its address is the key in the registry */

void value_push_array_mark(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &array_mark_key) == LUA_TTABLE) {
        return;
    }
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "fsd.array");
    lua_setfield(L, -2, "__name");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &array_mark_key);
}

const void *value_array_mark(lua_State *L)
{
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &array_mark_key); /* nil has the address NULL */
    const void *mark = lua_topointer(L, -1);
    lua_pop(L, 1);
    return mark;
}

void value_move_pairs(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -5);
    }
    lua_pop(L, 1);
}

bool value_is_array(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) {
        return false;
    }
    const void *metatable = lua_topointer(L, -1);
    lua_pop(L, 1);
    return metatable == value_array_mark(L);
}

static int push_value(lua_State *L, struct msgpack_reader *reader, unsigned depth);

static int push_array(lua_State *L, struct msgpack_reader *reader, uint32_t count, unsigned depth)
{
    lua_createtable(L, count < PRESIZE_MAX ? (int)count : PRESIZE_MAX, 0);
    value_push_array_mark(L);
    lua_setmetatable(L, -2);
    for (uint32_t i = 1; i <= count; i++) {
        int r = push_value(L, reader, depth);
        if (r < 0) {
            return r;
        }
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_pushlightuserdata(L, NULL);
        }
        lua_rawseti(L, -2, i);
    }
    return 0;
}

static int push_key(lua_State *L, struct msgpack_reader *reader)
{
    struct msgpack_value key;
    int r = msgpack_read(reader, &key);
    if (r < 0) {
        return r;
    }
    if (key.kind == MSGPACK_STR) {
        lua_pushlstring(L, key.bytes, key.len);
        return 0;
    }
    if (key.kind == MSGPACK_INT) {
        lua_pushinteger(L, key.integer);
        return 0;
    }
    return -EPROTO;
}

static int push_map(lua_State *L, struct msgpack_reader *reader, uint32_t count, unsigned depth)
{
    lua_createtable(L, 0, count < PRESIZE_MAX ? (int)count : PRESIZE_MAX);
    for (uint32_t i = 0; i < count; i++) {
        int r = push_key(L, reader);
        if (r < 0) {
            return r;
        }
        r = push_value(L, reader, depth);
        if (r < 0) {
            return r;
        }
        lua_rawset(L, -3);
    }
    return 0;
}

static int push_value(lua_State *L, struct msgpack_reader *reader, unsigned depth)
{
    struct msgpack_value value;
    int r = msgpack_read(reader, &value);
    if (r < 0) {
        return r;
    }
    switch (value.kind) {
    case MSGPACK_NIL:
        lua_pushnil(L);
        return 0;
    case MSGPACK_BOOL:
        lua_pushboolean(L, value.boolean);
        return 0;
    case MSGPACK_INT:
        lua_pushinteger(L, value.integer);
        return 0;
    case MSGPACK_FLOAT:
        lua_pushnumber(L, value.number);
        return 0;
    case MSGPACK_STR:
    case MSGPACK_BIN:
        lua_pushlstring(L, value.bytes, value.len);
        return 0;
    case MSGPACK_ARRAY:
    case MSGPACK_MAP:
        break;
    }
    if (depth == VALUE_DEPTH_MAX || !lua_checkstack(L, READ_SLOTS)) {
        return -EPROTO;
    }
    return value.kind == MSGPACK_ARRAY ? push_array(L, reader, value.count, depth + 1)
                                       : push_map(L, reader, value.count, depth + 1);
}

int value_push(lua_State *L, struct msgpack_reader *reader)
{
    int top = lua_gettop(L);
    struct msgpack_reader ahead = *reader;
    if (!lua_checkstack(L, READ_SLOTS)) {
        return -EPROTO;
    }
    int r = push_value(L, &ahead, 0);
    if (r < 0) {
        lua_settop(L, top);
        return r;
    }
    *reader = ahead;
    return 0;
}

/* What all levels of one value_write share. */
struct encoder {
    lua_State *L;
    struct msgpack_writer *writer; /* borrowed from the caller */
    struct fsd_err *err;           /* borrowed from the caller */
    const void *array_mark;
};

static int refuse(const struct encoder *encoder, const char *what, const struct value_place *place)
{
    char path[VALUE_PATH_MAX];
    value_path_format(encoder->L, place, path);
    return fsd_err_set(encoder->err, EINVAL, "cannot send %s%s", what, path);
}

static int write_value(const struct encoder *encoder, int slot, const struct value_place *place,
                       unsigned depth);

/* How many pairs the table has, and whether their keys are 1..n. */
static void count_pairs(lua_State *L, int slot, size_t *ret_count, bool *ret_is_list)
{
    size_t count = 0;
    lua_Integer highest = 0;
    bool is_list = true;
    lua_pushnil(L);
    while (lua_next(L, slot)) {
        count++;
        lua_pop(L, 1);
        if (is_list && lua_isinteger(L, -1) && lua_tointeger(L, -1) > 0) {
            lua_Integer key = lua_tointeger(L, -1);
            highest = key > highest ? key : highest;
        } else {
            is_list = false;
        }
    }
    *ret_count = count;
    *ret_is_list = is_list && count > 0 && (lua_Unsigned)highest == count;
}

static int write_elements(const struct encoder *encoder, int slot, size_t count,
                          const struct value_place *outer, unsigned depth)
{
    lua_State *L = encoder->L;
    struct value_place place = {.outer = outer};
    if (count > UINT32_MAX) {
        return refuse(encoder, "more than 4294967295 elements", outer);
    }
    msgpack_write_array(encoder->writer, (uint32_t)count);
    for (size_t i = 1; i <= count; i++) {
        place.number = (lua_Integer)i;
        lua_rawgeti(L, slot, place.number);
        int r = write_value(encoder, lua_gettop(L), &place, depth);
        lua_pop(L, 1);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int write_key(const struct encoder *encoder, int slot, const struct value_place *outer)
{
    lua_State *L = encoder->L;
    if (lua_type(L, slot) == LUA_TSTRING) {
        size_t len = 0;
        const char *text = lua_tolstring(L, slot, &len);
        msgpack_write_str(encoder->writer, text, len);
        return 0;
    }
    if (lua_isinteger(L, slot)) {
        msgpack_write_int(encoder->writer, lua_tointeger(L, slot));
        return 0;
    }
    const char *what = lua_type(L, slot) == LUA_TNUMBER    ? "a key that is a float"
                       : lua_type(L, slot) == LUA_TBOOLEAN ? "a key that is a boolean"
                                                           : "a key that is no string or integer";
    return refuse(encoder, what, outer);
}

static int write_pairs(const struct encoder *encoder, int slot, size_t count,
                       const struct value_place *outer, unsigned depth)
{
    lua_State *L = encoder->L;
    struct value_place place = {.outer = outer, .key_slot = lua_gettop(L) + 1};
    int r = 0;
    if (count > UINT32_MAX) {
        return refuse(encoder, "more than 4294967295 pairs", outer);
    }
    msgpack_write_map(encoder->writer, (uint32_t)count);
    lua_pushnil(L);
    while (r == 0 && lua_next(L, slot)) {
        r = write_key(encoder, place.key_slot, outer);
        if (r == 0) {
            r = write_value(encoder, place.key_slot + 1, &place, depth);
        }
        lua_settop(L, place.key_slot);
    }
    lua_settop(L, place.key_slot - 1);
    return r;
}

static int write_table(const struct encoder *encoder, int slot, const struct value_place *place,
                       unsigned depth)
{
    lua_State *L = encoder->L;
    if (depth == VALUE_DEPTH_MAX) {
        return refuse(encoder, "more than 64 levels of tables (a cycle?)", place);
    }
    if (!lua_checkstack(L, WRITE_SLOTS)) {
        return refuse(encoder, "a table that the Lua stack has no room for", place);
    }
    bool is_marked = false;
    if (lua_getmetatable(L, slot)) {
        is_marked = lua_topointer(L, -1) == encoder->array_mark;
        lua_pop(L, 1);
    }
    size_t count = 0;
    bool is_list = true;
    if (is_marked) {
        count = (size_t)lua_rawlen(L, slot);
    } else {
        count_pairs(L, slot, &count, &is_list);
    }
    return is_list ? write_elements(encoder, slot, count, place, depth + 1)
                   : write_pairs(encoder, slot, count, place, depth + 1);
}

/* slot is an absolute index. */
static int write_value(const struct encoder *encoder, int slot, const struct value_place *place,
                       unsigned depth)
{
    lua_State *L = encoder->L;
    struct msgpack_writer *writer = encoder->writer;
    size_t len = 0;
    const char *text = NULL;
    switch (lua_type(L, slot)) {
    case LUA_TNIL:
        msgpack_write_nil(writer);
        return 0;
    case LUA_TBOOLEAN:
        msgpack_write_bool(writer, lua_toboolean(L, slot));
        return 0;
    case LUA_TNUMBER:
        if (lua_isinteger(L, slot)) {
            msgpack_write_int(writer, lua_tointeger(L, slot));
        } else {
            msgpack_write_float(writer, lua_tonumber(L, slot));
        }
        return 0;
    case LUA_TSTRING:
        text = lua_tolstring(L, slot, &len);
        msgpack_write_str(writer, text, len);
        return 0;
    case LUA_TTABLE:
        return write_table(encoder, slot, place, depth);
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, slot) != NULL) {
            return refuse(encoder, "a userdata", place);
        }
        msgpack_write_nil(writer);
        return 0;
    case LUA_TFUNCTION:
        return refuse(encoder, "a function", place);
    case LUA_TTHREAD:
        return refuse(encoder, "a coroutine", place);
    default:
        return refuse(encoder, "a userdata", place);
    }
}

int value_write(lua_State *L, int index, struct msgpack_writer *writer, struct fsd_err *err)
{
    int slot = lua_absindex(L, index);
    struct encoder encoder = {.L = L, .writer = writer, .err = err};
    if (!lua_checkstack(L, WRITE_SLOTS)) {
        return refuse(&encoder, "a value that the Lua stack has no room for", NULL);
    }
    encoder.array_mark = value_array_mark(L);
    return write_value(&encoder, slot, NULL, 0);
}
