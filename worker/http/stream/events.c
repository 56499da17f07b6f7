/* events.c - server-sent events as handlers send them: what res:sse() returns.
 *   res:sse([{ keepalive = 15, retry = seconds }]) -> events
 *   events:send(data | { event =, data =, id =, retry = })     waits while the client is slow
 *   events:try_send(the same) -> boolean                       false where send would wait
 *   events:comment(text)  events:close()                       also by <close>
 *   events.last_event_id  events.closed  events.state          the last one can be set, too
 * Owns the class "fsd.EventStream": a userdata that is the exchange's for as long as the stream is open, also when other code goes on
 * with it: res:sse() then gives the same one, whose last_event_id is that of the last event that was sent.  Events are read
 * by event_value.c and written by event_text.c; the rest of a stream's life is event_stream.c's and stream.c's.
 * Called by response.c.  Must not know libh2o's life cycle (exchange.c). */
#include "worker/http/stream/events.h"

#include <h2o.h>
#include <lauxlib.h>
#include <string.h>

#include "worker/core/json/json.h"
#include "worker/core/runtime.h"
#include "worker/http/exchange.h"
#include "worker/http/head.h"
#include "worker/http/hooks.h"
#include "worker/http/response/response.h"
#include "worker/http/service.h"
#include "worker/http/stream/event_stream.h"
#include "worker/http/stream/event_text.h"
#include "worker/http/stream/event_value.h"
#include "worker/http/stream/response_stream.h"
#include "worker/http/stream/stream.h"

#define EVENTS_METATABLE "fsd.EventStream"

enum {
    KEEPALIVE_DEFAULT_S = 15,
    KEEPALIVE_MAX_S = 3600,
};

enum {
    VALUE_STATE = 1,
    VALUE_LAST_ID,
    VALUE_SENT_ID,
    VALUE_COUNT = VALUE_SENT_ID
}; /* user values */

enum field { FIELD_CLOSED = 1, FIELD_LAST_EVENT_ID, FIELD_STATE };

struct events {
    struct exchange *exchange; /* borrowed; NULL: the request is over */
};

static struct events *check_events(lua_State *L)
{
    return luaL_checkudata(L, 1, EVENTS_METATABLE);
}

static struct exchange *check_exchange(lua_State *L)
{
    struct exchange *exchange = check_events(L)->exchange;
    if (exchange == NULL) {
        luaL_error(L, "this request is over: its events ended when the handler ended");
    }
    return exchange;
}

static bool is_closed(const struct events *events)
{
    const struct exchange *exchange = events->exchange;
    return exchange == NULL || exchange->stream == NULL ||
           (exchange->state != EXCHANGE_STREAMING && exchange->state != EXCHANGE_OPEN);
}

static struct event_stream_options check_options(lua_State *L, int index)
{
    struct event_stream_options options = {.keepalive_ms = KEEPALIVE_DEFAULT_S * 1000};
    if (lua_isnoneornil(L, index)) {
        return options;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(name, "keepalive") == 0) {
            bool is_off = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
            options.keepalive_ms =
                is_off ? 0 : event_value_seconds(L, -1, "keepalive", 0.01, KEEPALIVE_MAX_S);
        } else if (strcmp(name, "retry") == 0) {
            options.retry_ms = event_value_seconds(L, -1, "retry", 0, EVENT_VALUE_RETRY_MAX_S);
            options.has_retry = true;
        } else {
            luaL_argerror(L, index, "unknown option: res:sse takes keepalive and retry");
        }
        lua_pop(L, 1);
    }
    return options;
}

static void push_new(lua_State *L, struct exchange *exchange)
{
    struct events *events = lua_newuserdatauv(L, sizeof(*events), VALUE_COUNT);
    events->exchange = NULL;
    luaL_setmetatable(L, EVENTS_METATABLE);
    char scratch[VIEW_SCRATCH_MAX];
    h2o_iovec_t id = view_header(&exchange->view, H2O_STRLIT("last-event-id"), scratch);
    if (id.base != NULL) {
        lua_pushlstring(L, id.base, id.len);
        lua_setiuservalue(L, -2, VALUE_LAST_ID);
    }
    lua_pushvalue(L, -1);
    exchange->events_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    exchange->events = events;
    events->exchange = exchange;
}

/* Pushes the stream that is open: what was sent is what the client has got. */
static void push_open(lua_State *L, const struct exchange *exchange)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, exchange->events_ref);
    if (lua_getiuservalue(L, -1, VALUE_SENT_ID) == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    if (lua_rawlen(L, -1) == 0) { /* an empty id makes clients forget the last one */
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    lua_setiuservalue(L, -2, VALUE_LAST_ID);
}

int events_open(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    struct event_stream_options options = check_options(L, 2);
    response_stream_check(L, exchange);
    (void)response_is_open(L, exchange);
    if (exchange->status != 200) {
        return luaL_error(L, "cannot send events with status %d: clients take only 200",
                          exchange->status);
    }
    if (exchange->stream != NULL) {
        push_open(L, exchange);
        event_stream_resume(exchange, &options);
    } else {
        hooks_before_stream(L, exchange);
        (void)response_is_open(L, exchange);
        head_run(L, exchange);
        push_new(L, exchange);
        event_stream_begin(exchange, &options);
    }
    return 1;
}

void events_close_all(struct exchange *exchange)
{
    if (exchange->events != NULL) {
        exchange->events->exchange = NULL;
        exchange->events = NULL;
        luaL_unref(exchange->service->runtime->L, LUA_REGISTRYINDEX, exchange->events_ref);
    }
}

/* The event whose id is at index 3 is on its way: nothing is lost any more. */
static void note_id(lua_State *L)
{
    if (!lua_isnil(L, 3)) {
        lua_pushvalue(L, 3);
        lua_setiuservalue(L, 1, VALUE_SENT_ID);
    }
}

static int events_send(lua_State *L)
{
    struct exchange *exchange = check_exchange(L);
    const struct json_buf *buf = event_value_format(L, exchange);
    response_stream_check(L, exchange);
    return response_stream_put(L, exchange, buf->data, buf->len, note_id);
}

static int events_try_send(lua_State *L)
{
    struct exchange *exchange = check_exchange(L);
    const struct json_buf *buf = event_value_format(L, exchange);
    response_stream_check(L, exchange);
    bool has_room = exchange->drops_body || stream_has_room(exchange->stream, buf->len);
    if (has_room && !exchange->drops_body) {
        (void)response_stream_put(L, exchange, buf->data, buf->len, note_id);
    }
    lua_pushboolean(L, has_room);
    return 1;
}

static int events_comment(lua_State *L)
{
    struct exchange *exchange = check_exchange(L);
    size_t len;
    const char *comment = luaL_checklstring(L, 2, &len);
    response_stream_check(L, exchange);
    struct json_buf *buf = event_value_buffer(exchange);
    event_text_write_comment(comment, len, buf);
    return response_stream_put(L, exchange, buf->data, buf->len, NULL);
}

/* A second time, and after the end, there is nothing to do. */
static int events_close(lua_State *L)
{
    const struct events *events = check_events(L);
    struct exchange *exchange = events->exchange;
    if (!is_closed(events)) {
        exchange_end_stream(exchange);
        stream_flush_soon(exchange->stream);
    } else if (exchange != NULL) {
        exchange->drops_body = false;
    }
    return 0;
}

/* __close: events, error.  An error that leaves the scope cuts the answer, as it does in a handler without one; the stream of one
 * that makes room for other code goes on. */
static int events_leave(lua_State *L)
{
    const struct events *events = check_events(L);
    if (is_closed(events)) {
        return events_close(L);
    }
    if (events->exchange->task->is_told) {
        return 0;
    }
    events->exchange->stream->is_torn |= !lua_isnoneornil(L, 2);
    return events_close(L);
}

static void push_state(lua_State *L)
{
    if (lua_getiuservalue(L, 1, VALUE_STATE) == LUA_TNIL) {
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, 1, VALUE_STATE);
    }
}

static int events_newindex(lua_State *L)
{
    (void)check_events(L);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(name, "state") != 0 || lua_type(L, 3) != LUA_TTABLE) {
        return luaL_error(L, "of a stream of events only state can be set, to a table");
    }
    lua_settop(L, 3);
    lua_setiuservalue(L, 1, VALUE_STATE);
    return 0;
}

/* Upvalue: name -> method, or number of a field. */
static int events_index(lua_State *L)
{
    const struct events *events = check_events(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNUMBER) {
        return 1;
    }
    switch ((enum field)lua_tointeger(L, -1)) {
    case FIELD_CLOSED:
        lua_pushboolean(L, is_closed(events));
        break;
    case FIELD_LAST_EVENT_ID:
        lua_getiuservalue(L, 1, VALUE_LAST_ID);
        break;
    case FIELD_STATE:
        push_state(L);
        break;
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"send", events_send},
    {"try_send", events_try_send},
    {"comment", events_comment},
    {"close", events_close},
    {NULL, NULL},
};

void events_register(lua_State *L)
{
    luaL_newmetatable(L, EVENTS_METATABLE);
    lua_pushliteral(L, "fsd"); /* what getmetatable gives: the real one is not the application's */
    lua_setfield(L, -2, "__metatable");
    luaL_newlib(L, methods);
    lua_pushinteger(L, FIELD_CLOSED);
    lua_setfield(L, -2, "closed");
    lua_pushinteger(L, FIELD_LAST_EVENT_ID);
    lua_setfield(L, -2, "last_event_id");
    lua_pushinteger(L, FIELD_STATE);
    lua_setfield(L, -2, "state");
    lua_pushcclosure(L, events_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, events_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, events_leave);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
}
