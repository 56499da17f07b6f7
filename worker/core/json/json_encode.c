/* json_encode.c - a value on the Lua stack to JSON text, in one pass.
 *
 * Owns nothing; appends to the caller's buffer and cuts it back when it refuses.  Tables are walked
 * raw with lua_next; an array is written while its keys come as 1, 2, 3, and only when they come in
 * another order it is looked at twice.  What is open stands in rows and not on the C stack, so that the writing of a
 * large value can stop between two of its parts and go on later (json_turns.c); the rows are made into words only for an error.
 * Called by mod_json.c, and by HTTP to write an answer straight into its own buffer.
 * Must not call anything of Lua that can raise, allocate, yield or run Lua code. */
#include "worker/core/json/json.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>

#include "common/err.h"
#include "worker/core/json/json_encoder.h"
#include "worker/core/json/json_write.h"
#include "worker/core/value.h"
#include "worker/core/value_path.h"

enum {
    SLOTS = 4, /* key, value, a metatable, one to spare */
};

/* The words of a level's place, made only for an error. */
static void format_place(const struct json_encoder *encoder, unsigned depth,
                         char path[VALUE_PATH_MAX])
{
    struct value_place places[JSON_DEPTH_DEFAULT];
    for (unsigned i = 0; i < depth; i++) {
        places[i] = (struct value_place){
            .outer = i > 0 ? &places[i - 1] : NULL,
            .key_slot =
                encoder->levels[i].kind == JSON_LEVEL_OBJECT ? encoder->levels[i].key_slot : 0,
            .number = encoder->levels[i].number,
        };
    }
    value_path_format(encoder->L, depth > 0 ? &places[depth - 1] : NULL, path);
}

/* depth: how many levels the place has that is complained about. */
static __attribute__((cold, noinline)) int refuse_at(const struct json_encoder *encoder,
                                                     unsigned depth, const char *what)
{
    char path[VALUE_PATH_MAX];
    format_place(encoder, depth, path);
    return fsd_err_set(encoder->err, EINVAL, "cannot encode %s%s", what, path);
}

static __attribute__((cold, noinline)) int refuse(const struct json_encoder *encoder,
                                                  const char *what)
{
    return refuse_at(encoder, encoder->depth, what);
}

static int encode_string(const struct json_encoder *encoder, int slot)
{
    size_t len = 0;
    const char *text = lua_tolstring(encoder->L, slot, &len);
    if (!json_write_string(encoder->buf, text, len)) {
        return refuse(encoder, "a string that is not valid UTF-8");
    }
    return 0;
}

static int encode_number(const struct json_encoder *encoder, int slot)
{
    if (lua_isinteger(encoder->L, slot)) {
        json_write_integer(encoder->buf, lua_tointeger(encoder->L, slot));
        return 0;
    }
    double value = lua_tonumber(encoder->L, slot);
    if (!isfinite(value)) {
        return refuse(encoder, isnan(value) ? "NaN" : "an infinite number");
    }
    json_write_float(encoder->buf, value);
    return 0;
}

static const char *name_key(lua_State *L, int slot)
{
    switch (lua_type(L, slot)) {
    case LUA_TNUMBER:
        return "a key that is a float";
    case LUA_TBOOLEAN:
        return "a key that is a boolean";
    default:
        return "a key that is no string or integer";
    }
}

/* Says what is wrong with the key at its level's slot in a table whose other keys are integers (or strings). */
static __attribute__((cold, noinline)) int
refuse_key(struct json_encoder *encoder, struct json_level *level, bool others_are_integers)
{
    lua_State *L = encoder->L;
    bool is_integer = lua_isinteger(L, level->key_slot) != 0;
    if (!is_integer && lua_type(L, level->key_slot) != LUA_TSTRING) {
        return refuse_at(encoder, encoder->depth - 1, name_key(L, level->key_slot));
    }
    level->kind = JSON_LEVEL_OBJECT; /* the key is the place */
    return refuse(encoder, is_integer && others_are_integers
                               ? "an array with a key outside 1 to n"
                               : "a table with both integer and string keys");
}

/* Checks that the keys are exactly 1..count, in whatever order they stand in the table. */
static int check_list(struct json_encoder *encoder, struct json_level *level)
{
    lua_State *L = encoder->L;
    lua_Integer found = 0;
    lua_pushnil(L);
    while (lua_next(L, level->slot)) {
        lua_settop(L, level->key_slot);
        lua_Integer key = lua_isinteger(L, level->key_slot) ? lua_tointeger(L, level->key_slot) : 0;
        if (key < 1 || key > level->count) {
            return refuse_key(encoder, level, true);
        }
        found++;
    }
    if (found == level->count) {
        return 0;
    }
    level->number = 1;
    while (lua_rawgeti(L, level->slot, level->number) != LUA_TNIL) {
        lua_settop(L, level->key_slot - 1);
        level->number++;
    }
    return refuse(encoder, "an array with a hole");
}

/* The value is at key_slot. */
static int next_element(struct json_encoder *encoder, struct json_level *level)
{
    lua_State *L = encoder->L;
    lua_settop(L, level->key_slot - 1);
    if (level->number >= level->count) {
        json_write_char(encoder->buf, ']');
        return 0;
    }
    if (level->number++ > 0) {
        json_write_char(encoder->buf, ',');
    }
    lua_rawgeti(L, level->slot, level->number);
    encoder->slot = level->key_slot;
    return 1;
}

/* A table that turned out not to be walked in order is looked at twice. */
static int become_elements(struct json_encoder *encoder, struct json_level *level)
{
    lua_Integer number = level->number;
    lua_settop(encoder->L, level->key_slot - 1);
    level->count = (lua_Integer)lua_rawlen(encoder->L, level->slot);
    int r = check_list(encoder, level);
    if (r < 0) {
        return r;
    }
    if (number == 0) {
        json_write_char(encoder->buf, '[');
    }
    level->kind = JSON_LEVEL_ELEMENTS;
    level->number = number;
    return next_element(encoder, level);
}

/* While keys come as 1, 2, 3: the key at key_slot, the value behind it. */
static int next_item(struct json_encoder *encoder, struct json_level *level)
{
    lua_State *L = encoder->L;
    lua_settop(L, level->key_slot);
    if (!lua_next(L, level->slot)) {
        json_write_char(encoder->buf, ']');
        return 0;
    }
    if (!lua_isinteger(L, level->key_slot) ||
        lua_tointeger(L, level->key_slot) != level->number + 1) {
        return become_elements(encoder, level);
    }
    json_write_char(encoder->buf, level->number == 0 ? '[' : ',');
    level->number++;
    encoder->slot = level->key_slot + 1;
    return 1;
}

/* Writes the key and a colon. */
static int encode_key(const struct json_encoder *encoder, int slot, bool is_integer)
{
    lua_State *L = encoder->L;
    if (is_integer) {
        json_write_char(encoder->buf, '"');
        json_write_integer(encoder->buf, lua_tointeger(L, slot));
        json_write_bytes(encoder->buf, "\":", 2);
        return 0;
    }
    size_t len = 0;
    const char *text = lua_tolstring(L, slot, &len);
    if (!json_write_string(encoder->buf, text, len)) {
        return refuse_at(encoder, encoder->depth - 1, "a key that is not valid UTF-8");
    }
    json_write_char(encoder->buf, ':');
    return 0;
}

/* The key at key_slot, the value behind it. */
static int next_pair(struct json_encoder *encoder, struct json_level *level)
{
    lua_State *L = encoder->L;
    int key_slot = level->key_slot;
    lua_settop(L, key_slot);
    bool is_first = level->number == 0;
    if (!lua_next(L, level->slot)) {
        json_write_bytes(encoder->buf, is_first ? "{}" : "}", is_first ? 2 : 1);
        return 0;
    }
    bool is_string = lua_type(L, key_slot) == LUA_TSTRING;
    bool is_integer = !is_string && lua_isinteger(L, key_slot);
    if (is_first) {
        level->keys_are_integers = is_integer;
        level->number = 1;
    }
    if (is_integer != level->keys_are_integers || is_integer == is_string) {
        return refuse_key(encoder, level, level->keys_are_integers);
    }
    json_write_char(encoder->buf, is_first ? '{' : ',');
    int r = encode_key(encoder, key_slot, is_integer);
    encoder->slot = key_slot + 1;
    return r < 0 ? r : 1;
}

static int begin_table(struct json_encoder *encoder, int slot)
{
    lua_State *L = encoder->L;
    if (encoder->depth == JSON_DEPTH_DEFAULT) {
        return refuse(encoder, "more than 128 levels of nesting (a cycle?)");
    }
    if (!lua_checkstack(L, SLOTS)) {
        return refuse(encoder, "a table that the Lua stack has no room for");
    }
    struct json_level *level = &encoder->levels[encoder->depth++];
    level->slot = slot;
    level->key_slot = lua_gettop(L) + 1;
    level->number = 0;
    if (lua_getmetatable(L, slot)) {
        if (encoder->array_mark == NULL) { /* most values have no table with a metatable */
            encoder->array_mark = value_array_mark(L);
        }
        bool is_marked = lua_topointer(L, -1) == encoder->array_mark;
        lua_pop(L, 1);
        if (is_marked) {
            level->kind = JSON_LEVEL_ELEMENTS;
            level->count = (lua_Integer)lua_rawlen(L, slot);
            json_write_char(encoder->buf, '[');
            return 0;
        }
    }
    level->kind = lua_rawlen(L, slot) > 0 ? JSON_LEVEL_LIST : JSON_LEVEL_OBJECT;
    lua_pushnil(L);
    return 0;
}

/* Writes the value at slot, or begins it; on failure anything may be left on the stack and in the buffer. */
static int begin_value(struct json_encoder *encoder, int slot)
{
    lua_State *L = encoder->L;
    switch (lua_type(L, slot)) {
    case LUA_TSTRING:
        return encode_string(encoder, slot);
    case LUA_TNUMBER:
        return encode_number(encoder, slot);
    case LUA_TTABLE:
        return begin_table(encoder, slot);
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, slot)) {
            json_write_bytes(encoder->buf, "true", 4);
        } else {
            json_write_bytes(encoder->buf, "false", 5);
        }
        return 0;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, slot) != NULL) {
            return refuse(encoder, "a userdata");
        }
        json_write_bytes(encoder->buf, "null", 4);
        return 0;
    case LUA_TNIL:
        json_write_bytes(encoder->buf, "null", 4);
        return 0;
    case LUA_TFUNCTION:
        return refuse(encoder, "a function");
    case LUA_TTHREAD:
        return refuse(encoder, "a coroutine");
    default:
        return refuse(encoder, "a userdata");
    }
}

/* Behind a value: 1 with encoder->slot at the next one of the innermost table that goes on, 0 when all have ended. */
static int end_value(struct json_encoder *encoder)
{
    while (encoder->depth > 0) {
        struct json_level *level = &encoder->levels[encoder->depth - 1];
        int r = 0;
        switch (level->kind) {
        case JSON_LEVEL_ELEMENTS:
            r = next_element(encoder, level);
            break;
        case JSON_LEVEL_LIST:
            r = next_item(encoder, level);
            break;
        case JSON_LEVEL_OBJECT:
            r = next_pair(encoder, level);
            break;
        }
        if (r != 0) {
            return r;
        }
        encoder->depth--;
    }
    return 0;
}

int json_encoder_init(struct json_encoder *encoder, lua_State *L, int index, struct json_buf *buf,
                      struct fsd_err *err)
{
    encoder->L = L;
    encoder->buf = buf;
    encoder->err = err;
    encoder->depth = 0;
    encoder->slot = lua_absindex(L, index);
    encoder->top = lua_gettop(L);
    encoder->len_before = buf->len;
    encoder->array_mark = NULL;
    if (!lua_checkstack(L, SLOTS)) {
        return refuse(encoder, "a value that the Lua stack has no room for");
    }
    return 0;
}

int json_encoder_run(struct json_encoder *encoder, size_t budget)
{
    size_t before = encoder->buf->len;
    for (;;) {
        int r = begin_value(encoder, encoder->slot);
        if (r == 0) {
            r = end_value(encoder);
        }
        if (r < 0) {
            encoder->buf->len = encoder->len_before;
        }
        if (r <= 0) {
            lua_settop(encoder->L, encoder->top);
            return r;
        }
        if (encoder->buf->len - before >= budget) {
            return -EAGAIN;
        }
    }
}

int json_encode(lua_State *L, int index, struct json_buf *buf, struct fsd_err *err)
{
    struct json_encoder encoder;
    int r = json_encoder_init(&encoder, L, index, buf, err);
    return r < 0 ? r : json_encoder_run(&encoder, SIZE_MAX);
}
