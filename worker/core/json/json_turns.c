/* json_turns.c - long JSON texts without holding the loop.
 * Owns, in userdata on Lua's stack, where the reading or writing of a long text stands, and the buffer that it is written into;
 * so an error, or the end of the coroutine, frees both.  Each turn reads or writes a piece, and takes a breath in
 * which the coroutine may be preempted.  What fits one piece never gets that far and costs as much as json_decode and
 * json_encode.
 * Lua's collector, when it runs beside the making of a large table, looks at all that has come into it at once, in the step that
 * ends its marking: 40 ms for 10 MB of text.  So what turns allocate is on credit (core/collector.h).
 * Called by mod_json.c and by HTTP for bodies.  Must not know JSON (json_decode.c, json_encode.c). */
#include "worker/core/json/json_turns.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/collector.h"
#include "worker/core/holding.h"
#include "worker/core/json/json_decoder.h"
#include "worker/core/json/json_encoder.h"
#include "worker/core/stdlib/breath.h"

enum {
    SLOTS = 8,        /* the state, its metatable, a breath */
    CREDIT_KB = 4096, /* more than a turn allocates */
};

static const char writing_metatable[] = "fsd.json.writing";

struct reading {
    const struct json_turns_calls *calls; /* borrowed: lives for ever */
    size_t owed_kb;                       /* to the collector */
    int result;                           /* -EAGAIN until it is over */
    struct fsd_err err;
    struct json_decoder decoder;
    struct json_open open[];
};

struct writing {
    json_turns_encoded_fn on_done;
    struct json_buf buf; /* owned */
    struct holding holding;
    struct json_encoder encoder;
};

static int read_piece(lua_State *L, struct reading *reading)
{
    int before_kb = collector_begin_credit(L, CREDIT_KB);
    int r = json_decoder_run(&reading->decoder, JSON_TURNS_PIECE);
    reading->owed_kb += collector_end_credit(L, CREDIT_KB, before_kb);
    return r;
}

/* The context is where the state stands on the stack. */
static int read_on(lua_State *L, int status, lua_KContext context)
{
    struct reading *reading = lua_touserdata(L, (int)context);
    if (status == LUA_YIELD && reading->calls->check != NULL) {
        reading->calls->check(L);
    }
    while (reading->result == -EAGAIN && (reading->result = read_piece(L, reading)) == -EAGAIN) {
        luaL_checkstack(L, SLOTS, "JSON");
        breath_take(L, context, read_on);
    }
    while (reading->result < 0 && collector_pay(L, &reading->owed_kb)) { /* before it raises */
        breath_take(L, context, read_on);
    }
    size_t owed_kb = reading->owed_kb;
    return collector_settle(L, owed_kb, reading->calls->on_done(L, reading->result, &reading->err));
}

static int read_long(lua_State *L, const char *text, size_t len, const struct json_options *options,
                     const struct json_turns_calls *calls)
{
    luaL_checkstack(L, SLOTS, "JSON");
    struct reading *reading = lua_newuserdatauv(
        L, sizeof(*reading) + json_decoder_depth(options) * sizeof(reading->open[0]), 0);
    int place = lua_gettop(L);
    reading->calls = calls;
    reading->decoder.open = reading->open;
    reading->owed_kb = 0;
    reading->result = -EAGAIN;
    reading->decoder.err = &reading->err;
    int r = json_decoder_init(&reading->decoder, L, text, len, options);
    return r < 0 ? calls->on_done(L, r, &reading->err) : read_on(L, LUA_OK, place);
}

int json_turns_decode(lua_State *L, const char *text, size_t len,
                      const struct json_options *options, const struct json_turns_calls *calls)
{
    if (len > JSON_TURNS_PIECE) {
        return read_long(L, text, len, options, calls);
    }
    struct fsd_err err;
    int r = json_decode(L, text, len, options, &err);
    return calls->on_done(L, r, &err);
}

static int finish_writing(lua_State *L, struct writing *writing, int result,
                          const struct fsd_err *err)
{
    holding_clear(L, &writing->holding); /* whose it is now sees to that */
    int count = writing->on_done(L, result, &writing->buf, err);
    json_buf_fini(&writing->buf); /* now, and not when it is collected */
    return count;
}

static int write_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct writing *writing = lua_touserdata(L, (int)context);
    struct fsd_err err;
    int r;
    writing->encoder.err = &err;
    while ((r = json_encoder_run(&writing->encoder, JSON_TURNS_PIECE)) == -EAGAIN) {
        luaL_checkstack(L, SLOTS, "JSON");
        holding_set(L, &writing->holding, writing->buf.len);
        breath_take(L, context, write_on);
    }
    return finish_writing(L, writing, r, &err);
}

static int writing_gc(lua_State *L)
{
    struct writing *writing = lua_touserdata(L, 1);
    json_buf_fini(&writing->buf);
    holding_clear(L, &writing->holding);
    return 0;
}

/* Goes on with what did not fit one turn, in memory that a yield does not take. */
static int write_long(lua_State *L, int place, const struct json_encoder *encoder,
                      json_turns_encoded_fn on_done)
{
    luaL_checkstack(L, SLOTS, "JSON");
    struct writing *writing = lua_newuserdatauv(L, sizeof(*writing), 0);
    writing->on_done = on_done;
    json_buf_init(&writing->buf);
    writing->holding = (struct holding){0};
    if (luaL_newmetatable(L, writing_metatable)) {
        lua_pushcfunction(L, writing_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_replace(L, place);
    writing->encoder = *encoder;
    writing->buf = *encoder->buf; /* nothing raises from here on: it has one owner */
    json_buf_init(encoder->buf);
    writing->encoder.buf = &writing->buf;
    breath_take(L, place, write_on);
    return write_on(L, LUA_OK, place);
}

int json_turns_encode(lua_State *L, int index, struct json_buf *buf, json_turns_encoded_fn on_done)
{
    struct fsd_err err;
    struct json_encoder encoder;
    index = lua_absindex(L, index);
    luaL_checkstack(L, SLOTS, "JSON");
    lua_pushnil(L);
    int place = lua_gettop(L);
    int r = json_encoder_init(&encoder, L, index, buf, &err);
    if (r == 0) {
        r = json_encoder_run(&encoder, JSON_TURNS_PIECE);
    }
    return r == -EAGAIN ? write_long(L, place, &encoder, on_done) : on_done(L, r, buf, &err);
}
