/* codec.c - messages for other workers: the value on the Lua stack, written as MessagePack without a copy in between.
 * Owns nothing.  MessagePack says first whether a table's keys are 1..n, and how many pairs it has, so most tables are walked
 * twice.  One that has a length is written as a list at once; where that turns out to be wrong it is taken back.  What MessagePack
 * has no word for (pids, refs, json.null, marked tables) is an ext value.
 * Called for everything that goes to another worker; codec_read.c is the way back.  Must refuse exactly what copy.c refuses,
 * so that an actor need not know where the other one lives; must not run Lua code: raw access only. */
#include "worker/actor/node/codec.h"

#include <errno.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/msgpack.h"
#include "worker/actor/pid.h"
#include "worker/actor/ref.h"
#include "worker/core/value_path.h"

enum { SLOTS = 4 }; /* a key, a value, and a metatable */

/* What all levels of one value share. */
struct encoder {
    lua_State *L;
    const struct copy_marks *marks; /* borrowed from the caller */
    struct msgpack_writer *writer;  /* borrowed from the caller */
    struct fsd_err *err;            /* borrowed from the caller */
    size_t bytes;
    size_t unread; /* of them: counted in a copy, and not where the value is read */
};

static int refuse(const struct encoder *encoder, const char *what, const struct value_place *place)
{
    char path[VALUE_PATH_MAX];
    value_path_format(encoder->L, place, path);
    return fsd_err_set(encoder->err, EINVAL, "cannot send %s%s", what, path);
}

static int add_bytes(struct encoder *encoder, size_t bytes, const struct value_place *place)
{
    encoder->bytes += bytes;
    return encoder->bytes <= COPY_BYTES_MAX
               ? 0
               : refuse(encoder, "more than 1 MiB in one message", place);
}

static unsigned char *put_bytes(unsigned char *at, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++) {
        at[i] = (unsigned char)(value >> (8 * (width - 1 - i)));
    }
    return at + width;
}

static void write_pid(struct msgpack_writer *writer, const struct pid *pid)
{
    unsigned char data[CODEC_PID_BYTES];
    unsigned char *at = put_bytes(data, pid->node, 4);
    at = put_bytes(at, pid->incarnation, 8);
    at = put_bytes(at, pid->index, 4);
    (void)put_bytes(at, pid->serial, 8);
    msgpack_write_ext(writer, CODEC_PID, data, sizeof(data));
}

static void write_ref(struct msgpack_writer *writer, const struct ref *ref)
{
    unsigned char data[CODEC_REF_BYTES];
    unsigned char *at = put_bytes(data, ref->node, 4);
    at = put_bytes(at, ref->incarnation, 8);
    (void)put_bytes(at, ref->number, 8);
    msgpack_write_ext(writer, CODEC_REF, data, sizeof(data));
}

static int write_userdata(struct encoder *encoder, int slot, const struct value_place *place)
{
    lua_State *L = encoder->L;
    const struct pid *pid = pid_test(L, slot);
    if (pid != NULL) {
        write_pid(encoder->writer, pid);
        return add_bytes(encoder, COPY_ID_BYTES, place);
    }
    const struct ref_value *value = ref_test(L, slot, encoder->marks->ref);
    if (value != NULL) {
        write_ref(encoder->writer, &value->ref);
        return add_bytes(encoder, COPY_ID_BYTES, place);
    }
    return refuse(encoder, "a userdata", place);
}

static int write_string(struct encoder *encoder, int slot, const struct value_place *place)
{
    size_t len = 0;
    const char *text = lua_tolstring(encoder->L, slot, &len);
    int r = add_bytes(encoder, COPY_HEAD_BYTES + len, place);
    if (r == 0) {
        msgpack_write_str(encoder->writer, text, len);
    }
    return r;
}

static int write_null(struct encoder *encoder, int slot, const struct value_place *place)
{
    if (lua_touserdata(encoder->L, slot) != NULL) {
        return refuse(encoder, "a userdata", place);
    }
    msgpack_write_ext(encoder->writer, CODEC_NULL, "", 1);
    return add_bytes(encoder, COPY_SCALAR_BYTES, place);
}

static void write_number(const struct encoder *encoder, int slot)
{
    if (lua_isinteger(encoder->L, slot)) {
        msgpack_write_int(encoder->writer, lua_tointeger(encoder->L, slot));
    } else {
        msgpack_write_float(encoder->writer, lua_tonumber(encoder->L, slot));
    }
}

/* Everything but a table. */
static int write_plain(struct encoder *encoder, int slot, int type, const struct value_place *place)
{
    switch (type) {
    case LUA_TNIL:
        msgpack_write_nil(encoder->writer);
        return add_bytes(encoder, COPY_SCALAR_BYTES, place);
    case LUA_TBOOLEAN:
        msgpack_write_bool(encoder->writer, lua_toboolean(encoder->L, slot));
        return add_bytes(encoder, COPY_SCALAR_BYTES, place);
    case LUA_TNUMBER:
        write_number(encoder, slot);
        return add_bytes(encoder, COPY_SCALAR_BYTES, place);
    case LUA_TSTRING:
        return write_string(encoder, slot, place);
    case LUA_TUSERDATA:
        return write_userdata(encoder, slot, place);
    case LUA_TLIGHTUSERDATA:
        return write_null(encoder, slot, place);
    case LUA_TFUNCTION:
        return refuse(encoder, "a function", place);
    default:
        return refuse(encoder, "a coroutine", place);
    }
}

static int write_table(struct encoder *encoder, int slot, const struct value_place *outer,
                       unsigned depth);

/* depth is that of a table that may stand at slot, an absolute index. */
static int write_value(struct encoder *encoder, int slot, const struct value_place *place,
                       unsigned depth)
{
    int type = lua_type(encoder->L, slot);
    return type == LUA_TTABLE ? write_table(encoder, slot, place, depth)
                              : write_plain(encoder, slot, type, place);
}

static int write_elements(struct encoder *encoder, int slot, uint32_t count,
                          const struct value_place *outer, unsigned depth)
{
    lua_State *L = encoder->L;
    struct value_place place = {.outer = outer};
    int value_slot = lua_gettop(L) + 1;
    int r = 0;
    msgpack_write_array(encoder->writer, count);
    for (lua_Integer i = 1; r == 0 && i <= (lua_Integer)count; i++) {
        place.number = i;
        lua_rawgeti(L, slot, i);
        r = write_value(encoder, value_slot, &place, depth);
        lua_settop(L, value_slot - 1);
    }
    return r;
}

/* The pair on the top, if it has the next number, and its value is no table. */
static bool is_next(lua_State *L, int key_slot, lua_Integer number, int type)
{
    return type != LUA_TTABLE && lua_isinteger(L, key_slot) && lua_tointeger(L, key_slot) == number;
}

/* Writes the pairs in the order in which Lua keeps them, for as long as they are the elements of a flat list.  Returns how many;
 * *ret_error is set where one is refused.  Tables inside are left to those who do this but once: it would be twice at each level. */
static lua_Unsigned write_flat(struct encoder *encoder, int slot, const struct value_place *outer,
                               int *ret_error)
{
    lua_State *L = encoder->L;
    struct value_place place = {.outer = outer, .number = 1};
    int key_slot = lua_gettop(L) + 1;
    bool is_list = true;
    lua_pushnil(L);
    while (is_list && *ret_error == 0 && lua_next(L, slot) != 0) {
        int type = lua_type(L, key_slot + 1);
        is_list = is_next(L, key_slot, place.number, type);
        if (is_list) {
            *ret_error = write_plain(encoder, key_slot + 1, type, &place);
            place.number++;
        }
        lua_settop(L, key_slot);
    }
    lua_settop(L, key_slot - 1);
    return is_list ? (lua_Unsigned)place.number - 1 : 0;
}

/* False: it is no flat list, and nothing is written. */
static bool write_list(struct encoder *encoder, int slot, lua_Unsigned length,
                       const struct value_place *outer, int *ret_error)
{
    size_t start = encoder->writer->len;
    size_t bytes = encoder->bytes;
    msgpack_write_array(encoder->writer, (uint32_t)length);
    if (write_flat(encoder, slot, outer, ret_error) == length || *ret_error != 0) {
        return true;
    }
    encoder->writer->len = start;
    encoder->bytes = bytes;
    return false;
}

/* An integer as a key is not counted, as in a list. */
static int write_key(struct encoder *encoder, int slot, const struct value_place *place)
{
    lua_State *L = encoder->L;
    if (lua_isinteger(L, slot)) {
        msgpack_write_int(encoder->writer, lua_tointeger(L, slot));
        return 0;
    }
    int type = lua_type(L, slot);
    return type == LUA_TTABLE ? refuse(encoder, "a table as a key", place->outer)
                              : write_plain(encoder, slot, type, place);
}

/* A key counts after its value, as in a copy. */
static int write_pair(struct encoder *encoder, const struct value_place *place, unsigned depth)
{
    size_t before = encoder->bytes;
    int r = write_key(encoder, place->key_slot, place);
    size_t key_bytes = encoder->bytes - before;
    encoder->bytes = before;
    if (r == 0) {
        r = write_value(encoder, place->key_slot + 1, place, depth);
    }
    return r == 0 ? add_bytes(encoder, key_bytes, place) : r;
}

static int write_pairs(struct encoder *encoder, int slot, uint32_t count,
                       const struct value_place *outer, unsigned depth)
{
    lua_State *L = encoder->L;
    struct value_place place = {.outer = outer, .key_slot = lua_gettop(L) + 1};
    int r = 0;
    msgpack_write_map(encoder->writer, count);
    lua_pushnil(L);
    while (r == 0 && lua_next(L, slot) != 0) {
        r = write_pair(encoder, &place, depth);
        lua_settop(L, place.key_slot);
    }
    lua_settop(L, place.key_slot - 1);
    return r;
}

/* How many pairs the table has, and whether their keys are 1..length.  Tables with too many are refused when they are walked,
 * because each pair counts for some bytes. */
static uint32_t count_pairs(lua_State *L, int slot, lua_Unsigned length, bool *ret_is_list)
{
    uint32_t count = 0;
    bool is_list = true;
    lua_pushnil(L);
    while (lua_next(L, slot) != 0) {
        lua_pop(L, 1);
        is_list =
            is_list && lua_isinteger(L, -1) && (lua_Unsigned)lua_tointeger(L, -1) - 1 < length;
        if (++count > COPY_BYTES_MAX) {
            lua_pop(L, 1);
            break;
        }
    }
    *ret_is_list = is_list && count == length;
    return count;
}

/* *ret_ext: what the table's metatable makes of it; 0: a plain one. */
static int find_mark(const struct encoder *encoder, int slot, const struct value_place *outer,
                     unsigned *ret_ext)
{
    if (!lua_getmetatable(encoder->L, slot)) {
        *ret_ext = 0;
        return 0;
    }
    const void *metatable = lua_topointer(encoder->L, -1);
    lua_pop(encoder->L, 1);
    if (metatable == encoder->marks->array) {
        *ret_ext = CODEC_ARRAY;
    } else if (metatable == encoder->marks->error) {
        *ret_ext = CODEC_ERROR;
    } else {
        return refuse(encoder, "a table with a metatable", outer);
    }
    return 0;
}

/* The elements or pairs of a table; length is not 0 where it may be a list. */
static int write_content(struct encoder *encoder, int slot, lua_Unsigned length,
                         const struct value_place *outer, unsigned depth)
{
    int error = 0;
    if (length > 0 && write_list(encoder, slot, length, outer, &error)) {
        return error;
    }
    bool is_list = false;
    uint32_t count = count_pairs(encoder->L, slot, length, &is_list);
    encoder->unread += is_list ? 0 : (size_t)length; /* a map does not say what its table had */
    return is_list ? write_elements(encoder, slot, count, outer, depth)
                   : write_pairs(encoder, slot, count, outer, depth);
}

static int write_table(struct encoder *encoder, int slot, const struct value_place *outer,
                       unsigned depth)
{
    lua_State *L = encoder->L;
    if (depth == COPY_DEPTH_MAX) {
        return refuse(encoder, "more than 100 levels of tables (a cycle?)", outer);
    }
    if (!lua_checkstack(L, SLOTS)) {
        return refuse(encoder, "a table that the Lua stack has no room for", outer);
    }
    lua_Unsigned length = lua_rawlen(L, slot);
    unsigned ext = 0;
    int r = add_bytes(encoder, COPY_HEAD_BYTES + (size_t)length, outer);
    if (r == 0) {
        r = find_mark(encoder, slot, outer, &ext);
    }
    if (r != 0) {
        return r;
    }
    size_t position = ext != 0 ? msgpack_begin_ext(encoder->writer, ext) : 0;
    r = write_content(encoder, slot, length, outer, depth + 1);
    if (r == 0 && ext != 0) {
        msgpack_end_ext(encoder->writer, position);
    }
    return r;
}

int codec_write(lua_State *L, int index, const struct copy_marks *marks,
                struct msgpack_writer *writer, size_t *ret_bytes, struct fsd_err *err)
{
    struct encoder encoder = {.L = L, .marks = marks, .writer = writer, .err = err};
    size_t before = writer->len;
    int r = write_value(&encoder, lua_absindex(L, index), NULL, 0);
    if (r != 0) {
        writer->len = before;
        return r;
    }
    *ret_bytes = encoder.bytes - encoder.unread;
    return 0;
}
