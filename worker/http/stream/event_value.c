/* event_value.c - an event as handlers give it: data alone, or a table of fields.
 * Owns nothing; the texts of a table stand on the Lua stack until they are written, into the buffer that all exchanges of a worker share.
 * Data that is neither a string nor a number becomes JSON.  A field that no event has is the programmer's mistake, and raises.
 * Called by events.c, before anything is sent.  Must not know streams, nor how events are written (event_text.c). */
#include "worker/http/stream/event_value.h"

#include <lauxlib.h>
#include <string.h>

#include "common/err.h"
#include "worker/core/error.h"
#include "worker/core/json/json.h"
#include "worker/http/exchange.h"
#include "worker/http/service.h"
#include "worker/http/stream/event_text.h"

enum { BUFFER_KEEP_BYTES = 256 * 1024 };

struct json_buf *event_value_buffer(struct exchange *exchange)
{
    struct json_buf *buf = &exchange->service->json;
    json_buf_reset(buf, BUFFER_KEEP_BYTES);
    return buf;
}

uint32_t event_value_seconds(lua_State *L, int index, const char *name, lua_Number min, int max)
{
    lua_Number seconds = lua_tonumber(L, index);
    if (lua_type(L, index) != LUA_TNUMBER || !(seconds >= min && seconds <= max)) {
        luaL_error(L, "%s must be a number of seconds from %f to %d", name, min, max);
    }
    return (uint32_t)(seconds * 1000);
}

/* The value on the top as bytes: strings and numbers as they are, anything else as JSON.  They stand on the stack. */
static const char *push_data(lua_State *L, struct exchange *exchange, size_t *ret_len)
{
    if (lua_type(L, -1) == LUA_TSTRING || lua_type(L, -1) == LUA_TNUMBER) {
        lua_pushvalue(L, -1);
        return lua_tolstring(L, -1, ret_len);
    }
    struct json_buf *buf = event_value_buffer(exchange);
    struct fsd_err err;
    if (json_encode(L, lua_gettop(L), buf, &err) != 0) {
        error_raise(L, "JsonError", "json.encode", 500, "%s", err.text);
    }
    const char *data = lua_pushlstring(L, buf->data, buf->len);
    *ret_len = buf->len;
    return data;
}

static const char *check_text(lua_State *L, const char *name, size_t *ret_len)
{
    if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER) {
        luaL_error(L, "%s of an event must be a string, got %s", name, luaL_typename(L, -1));
    }
    lua_pushvalue(L, -1);
    return lua_tolstring(L, -1, ret_len);
}

/* Reads the field whose name is on the stack below its value; what it points to stays on the stack. */
static void read_field(lua_State *L, struct exchange *exchange, const char *name,
                       struct event_text *text)
{
    if (strcmp(name, "data") == 0) {
        text->data = push_data(L, exchange, &text->data_len);
    } else if (strcmp(name, "event") == 0) {
        text->event = check_text(L, name, &text->event_len);
    } else if (strcmp(name, "id") == 0) {
        text->id = check_text(L, name, &text->id_len);
    } else {
        text->retry_ms = event_value_seconds(L, -1, name, 0, EVENT_VALUE_RETRY_MAX_S);
    }
}

static void check_names(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, 2) != 0) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(name, "data") != 0 && strcmp(name, "event") != 0 && strcmp(name, "id") != 0 &&
            strcmp(name, "retry") != 0) {
            luaL_argerror(L, 2, "an event has the fields data, event, id and retry, and no other");
        }
        lua_pop(L, 1);
    }
}

const struct json_buf *event_value_format(lua_State *L, struct exchange *exchange)
{
    static const char *const names[] = {"data", "event", "id", "retry"};
    struct event_text text = {.retry_ms = EVENT_TEXT_NO_RETRY};
    lua_settop(L, 2);
    lua_pushnil(L);
    if (lua_type(L, 2) == LUA_TTABLE) {
        check_names(L);
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (lua_getfield(L, 2, names[i]) != LUA_TNIL) {
                read_field(L, exchange, names[i], &text);
            }
        }
    } else {
        luaL_argcheck(L, lua_isstring(L, 2), 2, "expected a string or a table of an event");
        lua_pushvalue(L, 2);
        text.data = push_data(L, exchange, &text.data_len);
    }
    const char *wrong = event_text_check(&text);
    if (wrong != NULL) {
        luaL_error(L, "cannot send the event: %s", wrong);
    }
    struct json_buf *buf = event_value_buffer(exchange);
    event_text_write(&text, buf);
    if (text.id != NULL) {
        lua_pushlstring(L, text.id, text.id_len);
    } else {
        lua_pushnil(L);
    }
    lua_replace(L, 3);
    lua_settop(L, 3);
    return buf;
}
