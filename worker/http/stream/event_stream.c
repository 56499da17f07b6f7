/* event_stream.c - what makes a stream one of server-sent events: its head, its heartbeat, its farewell.
 * Owns the list of such streams.  A comment is sent when nothing else was for a while, so that nobody on the way takes the
 * connection for dead.  When the worker leaves, each stream ends at once with a hint when to come back: clients connect again by
 * themselves, and so find another worker; the hints differ, so that not all come together.
 * Called by events.c (begin, resume), resume.c and server.c (drain).  Must not know Lua. */
#include "worker/http/stream/event_stream.h"

#include <assert.h>
#include <h2o.h>

#include "common/clock.h"
#include "worker/core/runtime.h"
#include "worker/http/exchange.h"
#include "worker/http/service.h"
#include "worker/http/stream/event_text.h"
#include "worker/http/stream/stream.h"

enum {
    COME_BACK_MS = 1000, /* unless the application has said something else */
    COME_BACK_MIN_MS = 100,
    BUFFER_KEEP_BYTES = 256 * 1024,
};

static void on_heartbeat(struct timer *timer)
{
    struct stream *stream = H2O_STRUCT_FROM_MEMBER(struct stream, heartbeat, timer);
    uint64_t quiet_ms = clock_monotonic_ms() - stream->sent_ms;
    if (quiet_ms >= stream->heartbeat_ms) {
        if (stream_is_empty(stream) && stream_add_own(stream, H2O_STRLIT(":\n\n"))) {
            stream_flush(stream);
        }
        quiet_ms = 0;
    }
    loop_set_timer(&stream->service->runtime->loop, timer, stream->heartbeat_ms - quiet_ms,
                   on_heartbeat);
}

static void link_events(struct stream *stream)
{
    struct service *service = stream->service;
    stream->next = service->event_streams;
    if (stream->next != NULL) {
        stream->next->previous = stream;
    }
    service->event_streams = stream;
}

/* Any order will do, as long as it differs from one client to the next. */
static uint32_t scatter(uint64_t serial, uint32_t range)
{
    return (uint32_t)((serial * UINT64_C(0x9E3779B97F4A7C15)) >> 33) % range;
}

/* Tells the client how long to wait before it connects again. */
static void add_retry(struct stream *stream, uint32_t retry_ms)
{
    struct event_text text = {.retry_ms = retry_ms};
    struct json_buf *buf = &stream->service->json;
    json_buf_reset(buf, BUFFER_KEEP_BYTES);
    event_text_write(&text, buf);
    (void)stream_add_own(stream, buf->data, buf->len); /* not while an event is half way */
}

void event_stream_say_when(const struct exchange *exchange)
{
    struct stream *stream = exchange->stream;
    uint32_t around_ms = stream->retry_ms > COME_BACK_MIN_MS ? stream->retry_ms : COME_BACK_MIN_MS;
    add_retry(stream, around_ms / 2 + scatter(exchange->serial, around_ms));
}

static void dismiss(struct exchange *exchange)
{
    event_stream_say_when(exchange);
    exchange_dismiss(exchange);
}

void event_stream_dismiss_all(struct service *service)
{
    while (service->event_streams != NULL) {
        const struct stream *first = service->event_streams;
        dismiss(first->exchange);
        assert(service->event_streams != first);
    }
}

static void set_head(struct exchange *exchange)
{
    h2o_req_t *req = exchange->req;
    h2o_headers_t *headers = &req->res.headers;
    h2o_set_header(&req->pool, headers, H2O_TOKEN_CONTENT_TYPE, H2O_STRLIT("text/event-stream"), 1);
    h2o_set_header(&req->pool, headers, H2O_TOKEN_CACHE_CONTROL, H2O_STRLIT("no-cache"), 0);
    h2o_set_header_by_str(&req->pool, headers, H2O_STRLIT("x-accel-buffering"), 0, H2O_STRLIT("no"),
                          1);
}

static void set_heartbeat(struct stream *stream, uint32_t keepalive_ms)
{
    struct loop *loop = &stream->service->runtime->loop;
    stream->heartbeat_ms = keepalive_ms;
    if (keepalive_ms > 0) {
        loop_set_timer(loop, &stream->heartbeat, keepalive_ms, on_heartbeat);
    } else {
        timer_clear(&loop->timers, &stream->heartbeat);
    }
}

void event_stream_begin(struct exchange *exchange, const struct event_stream_options *options)
{
    set_head(exchange);
    exchange_begin_stream(exchange);
    struct stream *stream = exchange->stream;
    if (stream == NULL) {
        task_cancel(exchange->task, TASK_CANCEL_ABORTED); /* HEAD: nobody is going to listen */
        return;
    }
    stream->is_events = true;
    stream->retry_ms = options->has_retry ? options->retry_ms : COME_BACK_MS;
    stream->sent_ms = clock_monotonic_ms();
    link_events(stream);
    handover_add(stream->service->runtime, &stream->handover, exchange->task);
    if (options->has_retry) {
        add_retry(stream, options->retry_ms);
    }
    set_heartbeat(stream, options->keepalive_ms);
    if (exchange->service->draining) {
        dismiss(exchange);
    }
}

void event_stream_resume(struct exchange *exchange, const struct event_stream_options *options)
{
    struct stream *stream = exchange->stream;
    exchange_resume_stream(exchange);
    if (options->has_retry && options->retry_ms != stream->retry_ms) {
        stream->retry_ms = options->retry_ms;
        add_retry(stream, options->retry_ms);
    }
    if (options->keepalive_ms != stream->heartbeat_ms) {
        set_heartbeat(stream, options->keepalive_ms);
    }
}
