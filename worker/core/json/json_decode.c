/* json_decode.c - JSON text to a value on the Lua stack, in one pass.
 *
 * Owns nothing that Lua does not: anything here may be abandoned when Lua raises out of memory.
 * The first elements of an array or object wait on the Lua stack until their number is known, so that
 * a small table is made in its final size; sizes are never guessed from the input.
 * Called by mod_json.c and by HTTP for request bodies: the text is hostile.
 * Must not run Lua code or yield, and must not recurse deeper than the limit. */
#include "worker/core/json/json.h"

#include <errno.h>
#include <stdio.h>

#include "worker/core/json/json_decoder.h"
#include "worker/core/json/json_number.h"
#include "worker/core/json/json_string.h"
#include "worker/core/value.h"

enum {
    PENDING_ELEMENTS = 64, /* that wait on the stack */
    PENDING_PAIRS = 32,
    SLOTS = 2 * PENDING_PAIRS + 8, /* and the table, a copied pair, the scratch of a string */
};
_Static_assert((int)PENDING_ELEMENTS <= (int)(2 * PENDING_PAIRS), "SLOTS covers both");

/* The next byte that is no white space, NUL at the end (a NUL in the text is refused all the same). */
static inline char skip_space(struct json_decoder *decoder)
{
    const char *at = decoder->at;
    while (at < decoder->end && *at <= ' ' &&
           (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) {
        at++;
    }
    decoder->at = at;
    if (at == decoder->end) {
        return '\0';
    }
    return *at;
}

static int decode_number(struct json_decoder *decoder)
{
    const char *from = decoder->at;
    struct json_number number;
    int r = json_number_parse(&decoder->at, decoder->end, &number);
    if (r == -ERANGE) {
        return json_decoder_refuse_at(decoder, from, "number out of range");
    }
    if (r < 0) {
        return json_decoder_refuse(decoder);
    }
    if (number.is_integer) {
        lua_pushinteger(decoder->L, number.integer);
    } else {
        lua_pushnumber(decoder->L, number.number);
    }
    return 0;
}

static int decode_word(struct json_decoder *decoder, const char *word)
{
    while (*word != '\0') {
        if (decoder->at >= decoder->end || *decoder->at != *word) {
            return json_decoder_refuse(decoder);
        }
        decoder->at++;
        word++;
    }
    return 0;
}

static int decode_value(struct json_decoder *decoder, bool keep_null, unsigned depth);

/* Begins an array or object at its bracket: room, and a slot for the table below what will wait. */
static int open_table(struct json_decoder *decoder, unsigned depth, int *ret_slot)
{
    if (depth >= decoder->max_depth) {
        char reason[64];
        (void)snprintf(reason, sizeof(reason), "more than %u levels of nesting",
                       decoder->max_depth); /* fits */
        return json_decoder_refuse_at(decoder, decoder->at, reason);
    }
    if (!lua_checkstack(decoder->L, SLOTS)) {
        return json_decoder_refuse_at(decoder, decoder->at, "no room on the Lua stack");
    }
    decoder->at++;
    lua_pushnil(decoder->L);
    *ret_slot = lua_gettop(decoder->L);
    return 0;
}

/* Makes the array of the count elements that wait above slot. */
static void make_array(const struct json_decoder *decoder, int slot, int count)
{
    lua_State *L = decoder->L;
    lua_createtable(L, count, 0);
    lua_pushvalue(L, decoder->mark_slot);
    lua_setmetatable(L, -2);
    lua_replace(L, slot);
    for (int i = count; i >= 1; i--) {
        lua_rawseti(L, slot, i);
    }
}

static int decode_array(struct json_decoder *decoder, unsigned depth)
{
    lua_State *L = decoder->L;
    int slot = 0;
    int r = open_table(decoder, depth, &slot);
    if (r < 0) {
        return r;
    }
    lua_Integer count = 0;
    bool is_made = false;
    if (skip_space(decoder) == ']') {
        decoder->at++;
        make_array(decoder, slot, 0);
        return 0;
    }
    for (;;) {
        r = decode_value(decoder, true, depth + 1);
        if (r < 0) {
            return r;
        }
        count++;
        if (is_made) {
            lua_rawseti(L, slot, count);
        } else if (count == PENDING_ELEMENTS) {
            make_array(decoder, slot, (int)count);
            is_made = true;
        }
        char next = skip_space(decoder);
        if (next != ',' && next != ']') {
            return json_decoder_refuse(decoder);
        }
        decoder->at++;
        if (next == ']') {
            break;
        }
    }
    if (!is_made) {
        make_array(decoder, slot, (int)count);
    }
    return 0;
}

/* Moves the count pairs that wait above slot into the table there, which is made if it is not. */
static void store_pairs(lua_State *L, int slot, int count, bool is_made)
{
    if (!is_made) {
        lua_createtable(L, 0, count);
        lua_replace(L, slot);
    }
    for (int key = slot + 1; key < slot + 1 + 2 * count; key += 2) { /* in order: the last wins */
        lua_pushvalue(L, key);
        lua_pushvalue(L, key + 1);
        lua_rawset(L, slot);
    }
    lua_settop(L, slot);
}

static int decode_pair(struct json_decoder *decoder, unsigned depth)
{
    if (skip_space(decoder) != '"') {
        return json_decoder_refuse(decoder);
    }
    int r = json_string_decode_key(decoder);
    if (r < 0) {
        return r;
    }
    if (skip_space(decoder) != ':') {
        return json_decoder_refuse(decoder);
    }
    decoder->at++;
    return decode_value(decoder, decoder->keep_null, depth);
}

static int decode_object(struct json_decoder *decoder, unsigned depth)
{
    lua_State *L = decoder->L;
    int slot = 0;
    int r = open_table(decoder, depth, &slot);
    if (r < 0) {
        return r;
    }
    int pending = 0;
    bool is_made = false;
    if (skip_space(decoder) == '}') {
        decoder->at++;
        store_pairs(L, slot, 0, false);
        return 0;
    }
    for (;;) {
        r = decode_pair(decoder, depth + 1);
        if (r < 0) {
            return r;
        }
        if (++pending == PENDING_PAIRS) {
            store_pairs(L, slot, pending, is_made);
            is_made = true;
            pending = 0;
        }
        char next = skip_space(decoder);
        if (next != ',' && next != '}') {
            return json_decoder_refuse(decoder);
        }
        decoder->at++;
        if (next == '}') {
            break;
        }
    }
    if (pending > 0 || !is_made) {
        store_pairs(L, slot, pending, is_made);
    }
    return 0;
}

static int decode_null(struct json_decoder *decoder, bool keep_null)
{
    int r = decode_word(decoder, "null");
    if (r == 0 && keep_null) {
        lua_pushlightuserdata(decoder->L, NULL);
    } else if (r == 0) {
        lua_pushnil(decoder->L);
    }
    return r;
}

static int decode_boolean(struct json_decoder *decoder, bool value)
{
    int r = decode_word(decoder, value ? "true" : "false");
    if (r == 0) {
        lua_pushboolean(decoder->L, value);
    }
    return r;
}

/* Pushes one value; on failure anything may be left on the stack. */
static int decode_value(struct json_decoder *decoder, bool keep_null, unsigned depth)
{
    char first = skip_space(decoder);
    switch (first) {
    case '"':
        return json_string_decode(decoder);
    case '{':
        return decode_object(decoder, depth);
    case '[':
        return decode_array(decoder, depth);
    case 't':
    case 'f':
        return decode_boolean(decoder, first == 't');
    case 'n':
        return decode_null(decoder, keep_null);
    default:
        if (first == '-' || (first >= '0' && first <= '9')) {
            return decode_number(decoder);
        }
        return json_decoder_refuse(decoder);
    }
}

int json_decode(lua_State *L, const char *text, size_t len, const struct json_options *options,
                struct fsd_err *err)
{
    static const struct json_options defaults = {0};
    if (options == NULL) {
        options = &defaults;
    }
    int top = lua_gettop(L);
    struct json_decoder decoder = {
        .L = L,
        .start = text,
        .at = text,
        .end = len > 0 ? text + len : text,
        .err = err,
        .mark_slot = top + 1,
        .max_depth = options->max_depth > 0 ? options->max_depth : JSON_DEPTH_DEFAULT,
        .keep_null = options->keep_null,
    };
    if (!lua_checkstack(L, SLOTS + JSON_KEY_ROWS)) {
        return json_decoder_refuse_at(&decoder, text, "no room on the Lua stack");
    }
    value_push_array_mark(L);
    lua_settop(L, decoder.mark_slot + JSON_KEY_ROWS);
    int r = decode_value(&decoder, options->keep_null, 0);
    if (r == 0) {
        (void)skip_space(&decoder);
        r = decoder.at < decoder.end ? json_decoder_refuse(&decoder) : 0;
    }
    if (r < 0) {
        lua_settop(L, top);
        return r;
    }
    lua_replace(L, decoder.mark_slot);
    lua_settop(L, decoder.mark_slot);
    return 0;
}
