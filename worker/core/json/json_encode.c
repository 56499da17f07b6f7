/* json_encode.c - a value on the Lua stack to JSON text, in one pass.
 *
 * Owns nothing; appends to the caller's buffer and cuts it back when it refuses.  Tables are walked
 * raw with lua_next; an array is written while its keys come as 1, 2, 3, and only when they come in
 * another order it is looked at twice.  Place in the value is kept as links on the C stack and
 * made into words only for an error.
 * Called by mod_json.c, and by HTTP to write an answer straight into its own buffer.
 * Must not call anything of Lua that can raise, allocate, yield or run Lua code. */
#include "worker/core/json/json.h"

#include <errno.h>
#include <math.h>

#include "common/err.h"
#include "worker/core/json/json_write.h"
#include "worker/core/value.h"
#include "worker/core/value_path.h"

enum {
    SLOTS = 4, /* key, value, a metatable, one to spare */
};

struct encoder {
    lua_State *L;
    struct json_buf *buf; /* borrowed from the caller, like err */
    struct fsd_err *err;
    const void *array_mark;
};

static __attribute__((cold, noinline)) int refuse(const struct encoder *encoder, const char *what,
                                                  const struct value_place *place)
{
    char path[VALUE_PATH_MAX];
    value_path_format(encoder->L, place, path);
    return fsd_err_set(encoder->err, EINVAL, "cannot encode %s%s", what, path);
}

static int encode_string(const struct encoder *encoder, int slot, const struct value_place *place)
{
    size_t len = 0;
    const char *text = lua_tolstring(encoder->L, slot, &len);
    if (!json_write_string(encoder->buf, text, len)) {
        return refuse(encoder, "a string that is not valid UTF-8", place);
    }
    return 0;
}

static int encode_number(const struct encoder *encoder, int slot, const struct value_place *place)
{
    if (lua_isinteger(encoder->L, slot)) {
        json_write_integer(encoder->buf, lua_tointeger(encoder->L, slot));
        return 0;
    }
    double value = lua_tonumber(encoder->L, slot);
    if (!isfinite(value)) {
        return refuse(encoder, isnan(value) ? "NaN" : "an infinite number", place);
    }
    json_write_float(encoder->buf, value);
    return 0;
}

static int encode_value(const struct encoder *encoder, int slot, const struct value_place *place,
                        unsigned depth);

/* Writes elements first..count and the closing bracket; the opening one, or elements, stand before. */
static int encode_elements(const struct encoder *encoder, int slot, lua_Integer first,
                           lua_Integer count, struct value_place *place, unsigned depth)
{
    lua_State *L = encoder->L;
    int value_slot = lua_gettop(L) + 1;
    for (lua_Integer i = first; i <= count; i++) {
        if (i > 1) {
            json_write_char(encoder->buf, ',');
        }
        lua_rawgeti(L, slot, i);
        place->number = i;
        int r = encode_value(encoder, value_slot, place, depth);
        if (r < 0) {
            return r;
        }
        lua_settop(L, value_slot - 1);
    }
    json_write_char(encoder->buf, ']');
    return 0;
}

static int encode_marked(const struct encoder *encoder, int slot, const struct value_place *outer,
                         unsigned depth)
{
    struct value_place place = {.outer = outer};
    json_write_char(encoder->buf, '[');
    return encode_elements(encoder, slot, 1, (lua_Integer)lua_rawlen(encoder->L, slot), &place,
                           depth);
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

/* Says what is wrong with the key at slot in a table whose other keys are integers (or strings). */
static __attribute__((cold, noinline)) int refuse_key(const struct encoder *encoder, int slot,
                                                      bool others_are_integers,
                                                      const struct value_place *outer)
{
    lua_State *L = encoder->L;
    bool is_integer = lua_isinteger(L, slot) != 0;
    if (!is_integer && lua_type(L, slot) != LUA_TSTRING) {
        return refuse(encoder, name_key(L, slot), outer);
    }
    struct value_place place = {.outer = outer, .key_slot = slot};
    return refuse(encoder,
                  is_integer && others_are_integers ? "an array with a key outside 1 to n"
                                                    : "a table with both integer and string keys",
                  &place);
}

/* Checks that the keys are exactly 1..count, in whatever order they stand in the table. */
static int check_list(const struct encoder *encoder, int slot, lua_Integer count,
                      const struct value_place *outer)
{
    lua_State *L = encoder->L;
    int key_slot = lua_gettop(L) + 1;
    lua_Integer found = 0;
    lua_pushnil(L);
    while (lua_next(L, slot)) {
        lua_settop(L, key_slot);
        lua_Integer key = lua_isinteger(L, key_slot) ? lua_tointeger(L, key_slot) : 0;
        if (key < 1 || key > count) {
            return refuse_key(encoder, key_slot, true, outer);
        }
        found++;
    }
    struct value_place place = {.outer = outer, .number = 1};
    if (found == count) {
        return 0;
    }
    while (lua_rawgeti(L, slot, place.number) != LUA_TNIL) {
        lua_settop(L, key_slot - 1);
        place.number++;
    }
    return refuse(encoder, "an array with a hole", &place);
}

static int encode_list(const struct encoder *encoder, int slot, const struct value_place *outer,
                       unsigned depth)
{
    lua_State *L = encoder->L;
    int key_slot = lua_gettop(L) + 1;
    struct value_place place = {.outer = outer};
    char separator = '[';
    lua_pushnil(L);
    while (lua_next(L, slot)) {
        if (!lua_isinteger(L, key_slot) || lua_tointeger(L, key_slot) != place.number + 1) {
            lua_Integer count = (lua_Integer)lua_rawlen(L, slot);
            lua_settop(L, key_slot - 1);
            int r = check_list(encoder, slot, count, outer);
            if (r < 0) {
                return r;
            }
            if (separator == '[') {
                json_write_char(encoder->buf, '[');
            }
            return encode_elements(encoder, slot, place.number + 1, count, &place, depth);
        }
        place.number++;
        json_write_char(encoder->buf, separator);
        separator = ',';
        int r = encode_value(encoder, key_slot + 1, &place, depth);
        if (r < 0) {
            return r;
        }
        lua_settop(L, key_slot);
    }
    json_write_char(encoder->buf, ']');
    return 0;
}

/* Writes the key and a colon. */
static int encode_key(const struct encoder *encoder, int slot, bool is_integer,
                      const struct value_place *outer)
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
        return refuse(encoder, "a key that is not valid UTF-8", outer);
    }
    json_write_char(encoder->buf, ':');
    return 0;
}

static int encode_object(const struct encoder *encoder, int slot, const struct value_place *outer,
                         unsigned depth)
{
    lua_State *L = encoder->L;
    struct value_place place = {.outer = outer, .key_slot = lua_gettop(L) + 1};
    bool keys_are_integers = false;
    char separator = '{';
    lua_pushnil(L);
    while (lua_next(L, slot)) {
        bool is_string = lua_type(L, place.key_slot) == LUA_TSTRING;
        bool is_integer = !is_string && lua_isinteger(L, place.key_slot);
        if (separator == '{') {
            keys_are_integers = is_integer;
        }
        if (is_integer != keys_are_integers || is_integer == is_string) {
            return refuse_key(encoder, place.key_slot, keys_are_integers, outer);
        }
        json_write_char(encoder->buf, separator);
        separator = ',';
        int r = encode_key(encoder, place.key_slot, is_integer, outer);
        if (r == 0) {
            r = encode_value(encoder, place.key_slot + 1, &place, depth);
        }
        if (r < 0) {
            return r;
        }
        lua_settop(L, place.key_slot);
    }
    if (separator == '{') {
        json_write_char(encoder->buf, '{');
    }
    json_write_char(encoder->buf, '}');
    return 0;
}

static int encode_table(const struct encoder *encoder, int slot, const struct value_place *place,
                        unsigned depth)
{
    lua_State *L = encoder->L;
    if (depth == JSON_DEPTH_DEFAULT) {
        return refuse(encoder, "more than 128 levels of nesting (a cycle?)", place);
    }
    if (!lua_checkstack(L, SLOTS)) {
        return refuse(encoder, "a table that the Lua stack has no room for", place);
    }
    if (lua_getmetatable(L, slot)) {
        bool is_marked = lua_topointer(L, -1) == encoder->array_mark;
        lua_pop(L, 1);
        if (is_marked) {
            return encode_marked(encoder, slot, place, depth + 1);
        }
    }
    return lua_rawlen(L, slot) > 0 ? encode_list(encoder, slot, place, depth + 1)
                                   : encode_object(encoder, slot, place, depth + 1);
}

/* slot is an absolute index; on failure anything may be left on the stack and in the buffer. */
static int encode_value(const struct encoder *encoder, int slot, const struct value_place *place,
                        unsigned depth)
{
    lua_State *L = encoder->L;
    switch (lua_type(L, slot)) {
    case LUA_TSTRING:
        return encode_string(encoder, slot, place);
    case LUA_TNUMBER:
        return encode_number(encoder, slot, place);
    case LUA_TTABLE:
        return encode_table(encoder, slot, place, depth);
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, slot)) {
            json_write_bytes(encoder->buf, "true", 4);
        } else {
            json_write_bytes(encoder->buf, "false", 5);
        }
        return 0;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, slot) != NULL) {
            return refuse(encoder, "a userdata", place);
        }
        json_write_bytes(encoder->buf, "null", 4);
        return 0;
    case LUA_TNIL:
        json_write_bytes(encoder->buf, "null", 4);
        return 0;
    case LUA_TFUNCTION:
        return refuse(encoder, "a function", place);
    case LUA_TTHREAD:
        return refuse(encoder, "a coroutine", place);
    default:
        return refuse(encoder, "a userdata", place);
    }
}

int json_encode(lua_State *L, int index, struct json_buf *buf, struct fsd_err *err)
{
    int slot = lua_absindex(L, index);
    int top = lua_gettop(L);
    size_t len_before = buf->len;
    struct encoder encoder = {.L = L, .buf = buf, .err = err};
    if (!lua_checkstack(L, SLOTS)) {
        return refuse(&encoder, "a value that the Lua stack has no room for", NULL);
    }
    encoder.array_mark = value_array_mark(L);
    int r = encode_value(&encoder, slot, NULL, 0);
    if (r < 0) {
        lua_settop(L, top);
        buf->len = len_before;
    }
    return r;
}
