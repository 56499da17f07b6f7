/* json_decode.c - JSON text to a value on the Lua stack, in one pass.
 *
 * Owns nothing that Lua does not: anything here may be abandoned when Lua raises out of memory.
 * The first elements of an array or object wait on the Lua stack until their number is known, so that
 * a small table is made in its final size; sizes are never guessed from the input.
 * What is open stands in rows and not on the C stack, so that the reading of a long text can stop between two values and
 * go on later (json_turns.c).
 * Called by mod_json.c and by HTTP for request bodies: the text is hostile.
 * Must not run Lua code or yield. */
#include "worker/core/json/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

static int decode_null(struct json_decoder *decoder)
{
    bool keep_null =
        decoder->keep_null || (decoder->depth > 0 && !decoder->open[decoder->depth - 1].is_object);
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

/* Begins an array or object at its bracket: room, and a slot for the table below what will wait. */
static int open_table(struct json_decoder *decoder, bool is_object)
{
    if (decoder->depth >= decoder->max_depth) {
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
    decoder->open[decoder->depth++] =
        (struct json_open){.slot = lua_gettop(decoder->L), .is_object = is_object};
    return 0;
}

/* Makes the array of the elements that wait. */
static void make_array(const struct json_decoder *decoder, struct json_open *open)
{
    lua_State *L = decoder->L;
    lua_createtable(L, open->pending, 0);
    lua_pushvalue(L, decoder->mark_slot);
    lua_setmetatable(L, -2);
    lua_replace(L, open->slot);
    for (int i = open->pending; i >= 1; i--) {
        lua_rawseti(L, open->slot, i);
    }
    open->count = open->pending;
    open->is_made = true;
}

/* Moves the pairs that wait into the table, which is made if it is not. */
static void store_pairs(lua_State *L, struct json_open *open)
{
    int slot = open->slot;
    if (!open->is_made) {
        lua_createtable(L, 0, open->pending);
        lua_replace(L, slot);
        open->is_made = true;
    }
    for (int key = slot + 1; key < slot + 1 + 2 * open->pending; key += 2) { /* the last wins */
        lua_pushvalue(L, key);
        lua_pushvalue(L, key + 1);
        lua_rawset(L, slot);
    }
    lua_settop(L, slot);
    open->pending = 0;
}

/* The value on the top is complete, and the next one of its table. */
static inline void add_value(const struct json_decoder *decoder, struct json_open *open)
{
    if (open->is_object) {
        if (++open->pending == PENDING_PAIRS) {
            store_pairs(decoder->L, open);
        }
    } else if (open->is_made) {
        lua_rawseti(decoder->L, open->slot, ++open->count);
    } else if (++open->pending == PENDING_ELEMENTS) {
        make_array(decoder, open);
    }
}

/* Behind the closing bracket: leaves the table on the top. */
static inline void close_table(struct json_decoder *decoder)
{
    struct json_open *open = &decoder->open[--decoder->depth];
    if (open->is_object) {
        if (open->pending > 0 || !open->is_made) {
            store_pairs(decoder->L, open);
        }
    } else if (!open->is_made) {
        make_array(decoder, open);
    }
}

/* A key and its colon. */
static int decode_key(struct json_decoder *decoder)
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
    return 0;
}

/* What a value can be: at its end, or at the first value inside of it. */
enum value_end { VALUE_COMPLETE = 0, VALUE_INSIDE = 1 };

static int begin_table(struct json_decoder *decoder, bool is_object)
{
    int r = open_table(decoder, is_object);
    if (r < 0) {
        return r;
    }
    if (skip_space(decoder) == (is_object ? '}' : ']')) {
        decoder->at++;
        close_table(decoder);
        return VALUE_COMPLETE;
    }
    r = is_object ? decode_key(decoder) : 0;
    return r < 0 ? r : VALUE_INSIDE;
}

/* Pushes one value, or begins it; on failure anything may be left on the stack. */
static inline int begin_value(struct json_decoder *decoder)
{
    char first = skip_space(decoder);
    switch (first) {
    case '"':
        return json_string_decode(decoder);
    case '{':
    case '[':
        return begin_table(decoder, first == '{');
    case 't':
    case 'f':
        return decode_boolean(decoder, first == 't');
    case 'n':
        return decode_null(decoder);
    default:
        if (first == '-' || (first >= '0' && first <= '9')) {
            return decode_number(decoder);
        }
        return json_decoder_refuse(decoder);
    }
}

/* Behind a value: VALUE_INSIDE at the next one of the innermost table that goes on, VALUE_COMPLETE when all have ended. */
static inline int end_value(struct json_decoder *decoder)
{
    while (decoder->depth > 0) {
        struct json_open *open = &decoder->open[decoder->depth - 1];
        add_value(decoder, open);
        char next = skip_space(decoder);
        if (next == ',') {
            decoder->at++;
            int r = open->is_object ? decode_key(decoder) : 0;
            return r < 0 ? r : VALUE_INSIDE;
        }
        if (next != (open->is_object ? '}' : ']')) {
            return json_decoder_refuse(decoder);
        }
        decoder->at++;
        close_table(decoder);
    }
    return VALUE_COMPLETE;
}

static int finish(struct json_decoder *decoder)
{
    (void)skip_space(decoder);
    if (decoder->at < decoder->end) {
        return json_decoder_refuse(decoder);
    }
    lua_replace(decoder->L, decoder->mark_slot);
    lua_settop(decoder->L, decoder->mark_slot);
    return 0;
}

static int give_up(const struct json_decoder *decoder, int r)
{
    lua_settop(decoder->L, decoder->mark_slot - 1);
    return r;
}

int json_decoder_run(struct json_decoder *decoder, size_t budget)
{
    size_t left = (size_t)(decoder->end - decoder->at);
    const char *pause = decoder->at + (budget < left ? budget : left);
    for (;;) {
        int r = begin_value(decoder);
        if (r == VALUE_COMPLETE) {
            r = end_value(decoder);
        }
        if (r == VALUE_COMPLETE) {
            r = finish(decoder);
            return r < 0 ? give_up(decoder, r) : 0;
        }
        if (r < 0) {
            return give_up(decoder, r);
        }
        if (decoder->at >= pause && pause < decoder->end) {
            return -EAGAIN;
        }
    }
}

unsigned json_decoder_depth(const struct json_options *options)
{
    return options != NULL && options->max_depth > 0 ? options->max_depth : JSON_DEPTH_DEFAULT;
}

int json_decoder_init(struct json_decoder *decoder, lua_State *L, const char *text, size_t len,
                      const struct json_options *options)
{
    decoder->L = L;
    decoder->start = text;
    decoder->at = text;
    decoder->end = len > 0 ? text + len : text;
    decoder->mark_slot = lua_gettop(L) + 1;
    decoder->max_depth = json_decoder_depth(options);
    decoder->depth = 0;
    decoder->keep_null = options != NULL && options->keep_null;
    memset(decoder->keys, 0, sizeof(decoder->keys));
    if (!lua_checkstack(L, SLOTS + JSON_KEY_ROWS)) {
        return json_decoder_refuse_at(decoder, text, "no room on the Lua stack");
    }
    value_push_array_mark(L);
    lua_settop(L, decoder->mark_slot + JSON_KEY_ROWS);
    return 0;
}

int json_decode(lua_State *L, const char *text, size_t len, const struct json_options *options,
                struct fsd_err *err)
{
    struct json_open open[JSON_DEPTH_MAX];
    struct json_decoder decoder;
    decoder.open = open;
    decoder.err = err;
    int r = json_decoder_init(&decoder, L, text, len, options);
    return r < 0 ? r : json_decoder_run(&decoder, len);
}
