/* codec_read.c - messages from other workers: MessagePack onto the Lua stack, behind the same header as the writing side.
 * Owns nothing.  Builds tables as it goes, with room for what a head promises only within the bounds of a message, so that a
 * hostile one costs no more memory than a message may.  A marked table is an ext value with the table inside.
 * Called for every message that comes from another worker.  Must not believe what it reads, nor run Lua code. */
#include "worker/actor/node/codec.h"

#include <errno.h>
#include <lauxlib.h>

#include "common/msgpack.h"
#include "worker/actor/pid.h"
#include "worker/actor/ref.h"
#include "worker/core/error.h"
#include "worker/core/value.h"

enum {
    SLOTS = 8, /* a table, a key, a value, and what pushing a pid takes */
    PRESIZE_MAX = 1024,
};

/* What all levels of one value share. */
struct decoder {
    lua_State *L;
    struct msgpack_reader reader;
    size_t bytes;
};

static int add_bytes(struct decoder *decoder, size_t bytes)
{
    decoder->bytes += bytes;
    return decoder->bytes <= COPY_BYTES_MAX ? 0 : -EPROTO;
}

static uint64_t get_bytes(const unsigned char **at, unsigned width)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++) {
        value = value << 8 | *(*at)++;
    }
    return value;
}

static int push_pid(struct decoder *decoder, const struct msgpack_ext *ext)
{
    const unsigned char *at = ext->data;
    struct pid pid;
    if (ext->len != CODEC_PID_BYTES) {
        return -EPROTO;
    }
    pid.node = (uint32_t)get_bytes(&at, 4);
    pid.incarnation = get_bytes(&at, 8);
    pid.index = (uint32_t)get_bytes(&at, 4);
    pid.serial = get_bytes(&at, 8);
    pid_push(decoder->L, &pid);
    return add_bytes(decoder, COPY_ID_BYTES);
}

static int push_ref(struct decoder *decoder, const struct msgpack_ext *ext)
{
    const unsigned char *at = ext->data;
    struct ref ref;
    if (ext->len != CODEC_REF_BYTES) {
        return -EPROTO;
    }
    ref.node = (uint32_t)get_bytes(&at, 4);
    ref.incarnation = get_bytes(&at, 8);
    ref.number = get_bytes(&at, 8);
    (void)ref_push(decoder->L, &ref);
    return add_bytes(decoder, COPY_ID_BYTES);
}

static int push_value(struct decoder *decoder, unsigned depth);
static int push_container(struct decoder *decoder, const struct msgpack_value *head,
                          unsigned depth);

/* The ext holds exactly one array or map. */
static int push_marked(struct decoder *decoder, const struct msgpack_ext *ext, unsigned depth)
{
    lua_State *L = decoder->L;
    struct msgpack_reader outer = decoder->reader;
    struct msgpack_value head;
    msgpack_reader_init(&decoder->reader, ext->data, ext->len);
    int r = msgpack_read(&decoder->reader, &head);
    if (r == 0) {
        r = head.kind == MSGPACK_ARRAY || head.kind == MSGPACK_MAP
                ? push_container(decoder, &head, depth)
                : -EPROTO;
    }
    if (r == 0 && decoder->reader.at != decoder->reader.end) {
        r = -EPROTO;
    }
    decoder->reader = outer;
    if (r != 0) {
        return r;
    }
    if (ext->type == CODEC_ARRAY) {
        value_push_array_mark(L);
    } else {
        luaL_getmetatable(L, ERROR_METATABLE);
    }
    lua_setmetatable(L, -2);
    return 0;
}

static int push_ext(struct decoder *decoder, unsigned depth)
{
    struct msgpack_ext ext;
    int r = msgpack_read_ext(&decoder->reader, &ext);
    if (r != 0) {
        return r;
    }
    switch (ext.type) {
    case CODEC_PID:
        return push_pid(decoder, &ext);
    case CODEC_REF:
        return push_ref(decoder, &ext);
    case CODEC_NULL:
        lua_pushlightuserdata(decoder->L, NULL);
        return ext.len == 1 && *ext.data == 0 ? add_bytes(decoder, COPY_SCALAR_BYTES) : -EPROTO;
    case CODEC_ARRAY:
    case CODEC_ERROR:
        return push_marked(decoder, &ext, depth);
    default:
        return -EPROTO;
    }
}

/* What is there but not nil; only a whole message can be. */
static int push_inner(struct decoder *decoder, unsigned depth)
{
    int r = push_value(decoder, depth);
    return r == 0 && lua_isnil(decoder->L, -1) ? -EPROTO : r;
}

static int push_array(struct decoder *decoder, uint32_t count, unsigned depth)
{
    lua_State *L = decoder->L;
    int r = add_bytes(decoder, COPY_HEAD_BYTES + (size_t)count);
    if (r != 0) {
        return r;
    }
    lua_createtable(L, (int)count, 0);
    for (uint32_t i = 1; i <= count; i++) {
        r = push_inner(decoder, depth);
        if (r != 0) {
            return r;
        }
        lua_rawseti(L, -2, i);
    }
    return 0;
}

static int push_key(struct decoder *decoder)
{
    lua_State *L = decoder->L;
    size_t before = decoder->bytes;
    decoder->bytes = 0;
    int r = push_inner(decoder, COPY_DEPTH_MAX);
    if (r != 0) {
        return r;
    }
    if (lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) != lua_tonumber(L, -1)) {
        return -EPROTO; /* no number, so no key */
    }
    return add_bytes(decoder, lua_isinteger(L, -1) ? before - decoder->bytes : before);
}

static int push_map(struct decoder *decoder, uint32_t count, unsigned depth)
{
    lua_State *L = decoder->L;
    int r = add_bytes(decoder, COPY_HEAD_BYTES);
    if (r != 0) {
        return r;
    }
    lua_createtable(L, 0, count < PRESIZE_MAX ? (int)count : PRESIZE_MAX);
    for (uint32_t i = 0; i < count; i++) {
        r = push_key(decoder);
        if (r == 0) {
            r = push_inner(decoder, depth);
        }
        if (r != 0) {
            return r;
        }
        lua_rawset(L, -3);
    }
    return 0;
}

/* depth is how many tables are open around it. */
static int push_container(struct decoder *decoder, const struct msgpack_value *head, unsigned depth)
{
    if (depth == COPY_DEPTH_MAX || !lua_checkstack(decoder->L, SLOTS)) {
        return -EPROTO;
    }
    return head->kind == MSGPACK_ARRAY ? push_array(decoder, head->count, depth + 1)
                                       : push_map(decoder, head->count, depth + 1);
}

static int push_value(struct decoder *decoder, unsigned depth)
{
    lua_State *L = decoder->L;
    struct msgpack_value value;
    if (msgpack_is_ext(&decoder->reader)) {
        return push_ext(decoder, depth);
    }
    int r = msgpack_read(&decoder->reader, &value);
    if (r != 0) {
        return r;
    }
    switch (value.kind) {
    case MSGPACK_NIL:
        lua_pushnil(L);
        break;
    case MSGPACK_BOOL:
        lua_pushboolean(L, value.boolean);
        break;
    case MSGPACK_INT:
        lua_pushinteger(L, value.integer);
        break;
    case MSGPACK_FLOAT:
        lua_pushnumber(L, value.number);
        break;
    case MSGPACK_STR:
        lua_pushlstring(L, value.bytes, value.len);
        return add_bytes(decoder, COPY_HEAD_BYTES + value.len);
    case MSGPACK_BIN:
        return -EPROTO;
    case MSGPACK_ARRAY:
    case MSGPACK_MAP:
        return push_container(decoder, &value, depth);
    }
    return add_bytes(decoder, COPY_SCALAR_BYTES);
}

int codec_push(lua_State *L, struct msgpack_reader *reader, size_t *ret_bytes)
{
    struct decoder decoder = {.L = L, .reader = *reader};
    int top = lua_gettop(L);
    int r = lua_checkstack(L, SLOTS) ? push_value(&decoder, 0) : -EPROTO;
    if (r != 0) {
        lua_settop(L, top);
        return r;
    }
    *reader = decoder.reader;
    *ret_bytes = decoder.bytes;
    return 0;
}
