/* response_stream.c - an answer in pieces, as handlers write it.
 *   res:write(chunk)   the first one fixes status and headers; waits while the client is slow
 *   res:flush()        waits until everything that was written has left
 *   res:finish([chunk])
 * Owns nothing but the userdata of a task that waits, which stands on that task's stack.  Whatever fits is taken at once, and
 * leaves when Lua lets go, so that many small pieces make one; the rest is taken by stream.c while the task waits.  Other tasks
 * than the request's own may write too.
 * Called by response.c and events.c.  Must not know libh2o. */
#include "worker/http/stream/response_stream.h"

#include <lauxlib.h>

#include "worker/core/error.h"
#include "worker/core/task.h"
#include "worker/http/exchange.h"
#include "worker/http/head.h"
#include "worker/http/hooks.h"
#include "worker/http/response/response.h"
#include "worker/http/stream/stream.h"

/* A writer, and what is to be done when it is through. */
struct pending_write {
    struct stream_writer writer;
    bool ends;                      /* res:finish: the res object is at index 1 */
    void (*on_taken)(lua_State *L); /* NULL: there is nothing to be done */
};

static void raise_aborted(lua_State *L)
{
    task_raise_cancel(L);
    error_raise(L, "CancelError", "aborted", 499, "the client has gone");
}

void response_stream_check(lua_State *L, const struct exchange *exchange)
{
    (void)task_check(L);
    if (exchange->is_client_gone) {
        raise_aborted(L);
    }
    if (exchange->is_dismissed) {
        error_raise(L, "CancelError", "shutdown", 503, "the worker is leaving");
    }
    if (exchange->state == EXCHANGE_OPEN || exchange->drops_body) {
        return;
    }
    if (exchange->state != EXCHANGE_STREAMING) {
        error_raise(L, "HttpError", "headers_sent", 500, "the answer was given already (status %d)",
                    exchange->status);
    }
    if (exchange->stream->is_torn) {
        error_raise(L, "HttpError", "torn", 500,
                    "a piece of this answer was cancelled when a part of it had left already");
    }
}

static void on_cancel(struct task_wait *wait)
{
    stream_dequeue(H2O_STRUCT_FROM_MEMBER(struct stream_writer, wait, wait));
}

static void end(lua_State *L)
{
    const struct http_object *response = lua_touserdata(L, 1);
    struct exchange *exchange = response->exchange;
    if (exchange != NULL && exchange->state == EXCHANGE_STREAMING) {
        exchange_end_stream(exchange);
        stream_flush_soon(exchange->stream);
    }
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    const struct pending_write *pending =
        H2O_STRUCT_FROM_MEMBER(struct pending_write, writer.wait, wait);
    if (!pending->writer.is_done && pending->writer.reason == TASK_CANCEL_ABORTED) {
        raise_aborted(L);
    }
    if (!pending->writer.is_done) {
        error_raise(L, "HttpError", "headers_sent", 500, "the answer has ended meanwhile");
    }
    if (pending->ends) {
        end(L);
    }
    if (pending->on_taken != NULL) {
        pending->on_taken(L);
    }
    return 0;
}

static int wait_for(lua_State *L, struct stream *stream, struct pending_write wanted)
{
    struct pending_write *pending = lua_newuserdatauv(L, sizeof(*pending), 0);
    *pending = wanted;
    pending->writer.wait = (struct task_wait){on_cancel, on_resume};
    pending->writer.task = task_check(L);
    stream_enqueue(stream, &pending->writer);
    return task_wait(L, &pending->writer.wait);
}

/* What another task than the answer's own has written would lie until that lets go. */
static void flush_foreign(lua_State *L, struct exchange *exchange)
{
    if (task_of(L) != exchange->task) {
        stream_flush_soon(exchange->stream);
    }
}

static size_t add(lua_State *L, struct exchange *exchange, const char *bytes, size_t len)
{
    size_t taken = stream_add(exchange->stream, bytes, len);
    flush_foreign(L, exchange);
    return taken;
}

/* Answers without a body: so that one who writes without end is not alone in the worker. */
static int drop(lua_State *L)
{
    return task_sleep(L, 0);
}

int response_stream_put(lua_State *L, struct exchange *exchange, const char *bytes, size_t len,
                        void (*on_taken)(lua_State *L))
{
    if (exchange->drops_body) {
        return drop(L);
    }
    size_t taken = add(L, exchange, bytes, len);
    if (taken < len) {
        bytes = lua_pushlstring(L, bytes, len);
        return wait_for(
            L, exchange->stream,
            (struct pending_write){.writer = {.bytes = bytes, .len = len, .taken = taken},
                                   .on_taken = on_taken});
    }
    if (on_taken != NULL) {
        on_taken(L);
    }
    return 0;
}

int response_stream_write(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t len;
    const char *bytes = luaL_checklstring(L, 2, &len);
    response_stream_check(L, exchange);
    lua_settop(L, 2);
    if (exchange->state == EXCHANGE_OPEN) {
        hooks_before_stream(L, exchange);
        response_stream_check(L, exchange);
        head_run(L, exchange);
        exchange_begin_stream(exchange);
    }
    if (exchange->drops_body) {
        return drop(L);
    }
    size_t taken = add(L, exchange, bytes, len);
    if (taken == len) {
        return 0;
    }
    return wait_for(L, exchange->stream,
                    (struct pending_write){.writer = {.bytes = bytes, .len = len, .taken = taken}});
}

int response_stream_flush(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    response_stream_check(L, exchange);
    if (exchange->state == EXCHANGE_OPEN) {
        hooks_before_stream(L, exchange);
        response_stream_check(L, exchange);
        head_run(L, exchange);
        exchange_begin_stream(exchange);
    }
    if (exchange->drops_body || stream_is_empty(exchange->stream)) {
        return 0;
    }
    flush_foreign(L, exchange);
    return wait_for(L, exchange->stream, (struct pending_write){.ends = false});
}

int response_stream_finish(lua_State *L, struct exchange *exchange)
{
    response_stream_check(L, exchange);
    if (exchange->drops_body) {
        exchange->drops_body = false; /* what comes now comes too late */
        return 0;
    }
    size_t len;
    const char *bytes = luaL_optlstring(L, 2, "", &len);
    size_t taken = stream_add(exchange->stream, bytes, len);
    if (taken < len || exchange->stream->writers != NULL) {
        flush_foreign(L, exchange);
        return wait_for(L, exchange->stream,
                        (struct pending_write){
                            .writer = {.bytes = bytes, .len = len, .taken = taken}, .ends = true});
    }
    exchange_end_stream(exchange);
    flush_foreign(L, exchange);
    return 0;
}

int response_stream_is_open(lua_State *L)
{
    const struct exchange *exchange = response_check(L);
    lua_pushboolean(L, exchange->state == EXCHANGE_STREAMING || exchange->drops_body);
    return 1;
}
