/* stream.c - an answer in pieces: what was written and not yet taken, and those who wait for room.
 * Owns two buffers: handlers fill one while libh2o sends the other; together they hold STREAM_LIMIT_BYTES at most, and who
 * writes more waits.  Chunks of HTTP/1.1 are framed here, a whole buffer each, because libh2o 2.2.5 frames only answers of
 * status 200.  The end is sent with the last piece; an answer that breaks gets no last chunk, and a reset where the end of the
 * connection would look like that of the body.
 * Called by exchange.c (life), response_stream.c, events.c and event_stream.c (what is written).  Must not know Lua. */
#include "worker/http/stream/stream.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "worker/core/json/json_write.h"
#include "worker/core/runtime.h"
#include "worker/http/answer.h"
#include "worker/http/ending.h"
#include "worker/http/exchange.h"
#include "worker/http/response/compress.h"
#include "worker/http/service.h"
#include "worker/http/stream/trailers.h"

enum {
    KEEP_BYTES = 2 * 1024
}; /* of an empty buffer: a client that waits for events costs no more */

enum { PARTS_MAX = 5 }; /* of a piece: a chunk's head, its bytes, its tail, trailers, the end */

static struct loop *loop_of(const struct stream *stream)
{
    return &stream->service->runtime->loop;
}

static h2o_socket_t *socket_of(const struct stream *stream)
{
    return stream->req->conn->callbacks->get_socket(stream->req->conn);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req);
static void on_disposed(void *disposed);

struct stream *stream_new(struct exchange *exchange, h2o_req_t *req, int status, bool closes)
{
    struct stream *stream = h2o_mem_alloc_shared(&req->pool, sizeof(*stream), on_disposed);
    *stream = (struct stream){
        .service = exchange->service,
        .req = req,
        .exchange = exchange,
        .generator = {.proceed = on_proceed},
        .status = status,
        .closes = closes,
        .trailers = exchange->trailers,
        .ending = exchange->ending,
    };
    if (req->version >= 0x200) {
        stream->framing = STREAM_FRAMED;
    } else {
        stream->framing = req->version == 0x101 ? STREAM_CHUNKED : STREAM_TO_CLOSE;
    }
    json_buf_init(&stream->filling);
    json_buf_init(&stream->flying);
    return stream;
}

static void unlink_events(struct stream *stream)
{
    if (stream->previous != NULL) {
        stream->previous->next = stream->next;
    } else if (stream->service->event_streams == stream) {
        stream->service->event_streams = stream->next;
    }
    if (stream->next != NULL) {
        stream->next->previous = stream->previous;
    }
    stream->previous = stream->next = NULL;
}

/* No handler has to do with it any more. */
static void let_go(struct stream *stream, enum task_cancel reason)
{
    stream_release(stream, reason);
    unlink_events(stream);
    handover_remove(stream->service->runtime, &stream->handover);
    timer_clear(&loop_of(stream)->timers, &stream->heartbeat);
    timer_clear(&loop_of(stream)->timers, &stream->flush);
    if (stream->exchange != NULL) {
        stream->exchange->stream = NULL;
        stream->exchange = NULL;
    }
}

static void on_disposed(void *disposed)
{
    struct stream *stream = disposed;
    let_go(stream, TASK_CANCEL_ABORTED);
    timer_clear(&loop_of(stream)->timers, &stream->stall);
    json_buf_fini(&stream->filling);
    json_buf_fini(&stream->flying);
}

static void hang_up(struct stream *stream)
{
    h2o_socket_t *socket = socket_of(stream);
    if (socket != NULL) {
        /* fails when the peer has closed already; libh2o's write fails either way, and it cleans up then */
        (void)shutdown(h2o_socket_get_fd(socket), SHUT_RDWR);
    }
}

static void on_stall(struct timer *timer)
{
    struct stream *stream = H2O_STRUCT_FROM_MEMBER(struct stream, stall, timer);
    if (stream->exchange != NULL) {
        exchange_lose(stream->exchange);
    } else {
        hang_up(stream);
    }
}

static void begin(struct stream *stream)
{
    h2o_req_t *req = stream->req;
    if (!stream->is_events && stream->trailers.len == 0 &&
        compress_prepare(stream->service, req, stream->status, SIZE_MAX)) {
        stream->framing = STREAM_FRAMED; /* libh2o's gzip stands before its own chunks */
    }
    if (stream->framing == STREAM_CHUNKED) {
        trailers_announce(stream);
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_TRANSFER_ENCODING, NULL,
                       H2O_STRLIT("chunked"));
    }
    stream->lingers = answer_begin(stream->service, req, stream->status, &stream->generator,
                                   stream->closes || stream->framing == STREAM_TO_CLOSE);
    stream->has_begun = true;
}

/* Decides how the connection goes on behind the last piece. */
static void prepare_end(struct stream *stream)
{
    if (stream->end == STREAM_ENDS) {
        /* the head may have said keep-alive when the worker had not begun to leave */
        if (stream->lingers || (stream->service->draining && stream->req->http1_is_persistent)) {
            answer_linger(stream->req);
        }
    } else if (stream->framing == STREAM_TO_CLOSE && socket_of(stream) != NULL) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        /* fails for no socket that is open */
        (void)setsockopt(h2o_socket_get_fd(socket_of(stream)), SOL_SOCKET, SO_LINGER, &reset,
                         sizeof(reset));
    }
}

/* Makes what flies into a piece as it goes over the wire; returns the number of parts. */
static size_t frame(struct stream *stream, h2o_iovec_t parts[PARTS_MAX])
{
    static const char *const tails[] = {
        [STREAM_GOES_ON] = "\r\n",
        [STREAM_ENDS] = "\r\n0\r\n",
        [STREAM_BREAKS] = "\r\n",
    };
    size_t count = 0;
    const char *tail = tails[stream->end];
    if (stream->flying.len > 0) {
        if (stream->framing == STREAM_CHUNKED) {
            int digits = snprintf(stream->chunk_head, sizeof(stream->chunk_head), "%zx\r\n",
                                  stream->flying.len);
            parts[count++] = h2o_iovec_init(stream->chunk_head, (size_t)digits);
        }
        parts[count++] = h2o_iovec_init(stream->flying.data, stream->flying.len);
    } else {
        tail = stream->end == STREAM_ENDS ? tail + 2 : "";
    }
    if (stream->framing == STREAM_CHUNKED && tail[0] != '\0') {
        parts[count++] = h2o_iovec_init(tail, strlen(tail));
    }
    if (stream->framing == STREAM_CHUNKED && stream->end == STREAM_ENDS) {
        if (stream->trailers.len > 0) {
            parts[count++] = stream->trailers;
        }
        parts[count++] = h2o_iovec_init(H2O_STRLIT("\r\n"));
    }
    return count;
}

/* Gives libh2o what was written.  With the end, the stream may be gone when this returns. */
static void send_piece(struct stream *stream)
{
    static const h2o_send_state_t states[] = {
        [STREAM_GOES_ON] = H2O_SEND_STATE_IN_PROGRESS,
        [STREAM_ENDS] = H2O_SEND_STATE_FINAL,
        [STREAM_BREAKS] = H2O_SEND_STATE_ERROR,
    };
    assert(!stream->is_flying);
    if (!stream->has_begun) {
        begin(stream);
    }
    if (stream->end != STREAM_GOES_ON) {
        prepare_end(stream);
        ending_note(stream->ending, stream->status, stream->end == STREAM_ENDS);
    }
    struct json_buf empty = stream->flying;
    stream->flying = stream->filling;
    stream->filling = empty;
    h2o_iovec_t parts[PARTS_MAX];
    size_t count = frame(stream, parts);
    stream->is_flying = true;
    stream->sent_ms = clock_monotonic_ms();
    uint32_t timeout_ms = stream->service->runtime->config.write_timeout_ms;
    if (timeout_ms != 0 && stream->framing == STREAM_FRAMED) {
        /* one of many on its connection; else connection_clock.c sees it */
        loop_set_timer(loop_of(stream), &stream->stall, timeout_ms, on_stall);
    }
    h2o_send(stream->req, parts, count, states[stream->end]);
}

static size_t take(struct stream *stream, const char *bytes, size_t len)
{
    size_t held = stream->filling.len + stream->flying.len;
    size_t room = held < STREAM_LIMIT_BYTES ? STREAM_LIMIT_BYTES - held : 0;
    if (len > room) {
        len = len > STREAM_LIMIT_BYTES ? room : 0;
    }
    if (len > 0) {
        json_write_bytes(&stream->filling, bytes, len);
    }
    return len;
}

/* Whether this writer, the first one, has nothing more to wait for. */
static bool serve_one(struct stream *stream, struct stream_writer *writer)
{
    if (writer->bytes == NULL) {
        return stream_is_empty(stream);
    }
    writer->taken += take(stream, writer->bytes + writer->taken, writer->len - writer->taken);
    return writer->taken == writer->len;
}

/* Takes what there is room for from those who wait. */
static void serve(struct stream *stream)
{
    while (stream->writers != NULL && serve_one(stream, stream->writers)) {
        struct stream_writer *writer = stream->writers;
        stream->writers = writer->next;
        writer->stream = NULL;
        writer->is_done = true;
        task_wake(writer->task);
    }
}

/* libh2o has passed the piece on to the kernel. */
static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct stream *stream = H2O_STRUCT_FROM_MEMBER(struct stream, generator, generator);
    timer_clear(&loop_of(stream)->timers, &stream->stall);
    stream->is_flying = false;
    answer_forget_write(req);
    json_buf_reset(&stream->flying, KEEP_BYTES);
    serve(stream);
    if (stream->end != STREAM_GOES_ON || stream->filling.len > 0) {
        send_piece(stream);
    } else if (stream->exchange != NULL) {
        exchange_on_taken(stream->exchange);
    }
}

size_t stream_add(struct stream *stream, const char *bytes, size_t len)
{
    return stream->writers == NULL ? take(stream, bytes, len) : 0;
}

bool stream_add_own(struct stream *stream, const char *bytes, size_t len)
{
    if (stream->is_torn || (stream->writers != NULL && stream->writers->taken > 0)) {
        return false;
    }
    json_write_bytes(&stream->filling, bytes, len);
    return true;
}

void stream_flush(struct stream *stream)
{
    timer_clear(&loop_of(stream)->timers, &stream->flush);
    if (!stream->is_flying && (!stream->has_begun || stream->filling.len > 0)) {
        send_piece(stream);
    }
}

static void on_flush(struct timer *timer)
{
    exchange_flush(H2O_STRUCT_FROM_MEMBER(struct stream, flush, timer)->exchange);
}

void stream_flush_soon(struct stream *stream)
{
    if (!timer_is_set(&stream->flush)) {
        loop_set_timer(loop_of(stream), &stream->flush, 0, on_flush);
    }
}

void stream_finish(struct stream *stream, enum stream_end end)
{
    let_go(stream, TASK_CANCEL_NONE);
    stream->end = end;
    if (!stream->is_flying) {
        send_piece(stream);
    }
}

void stream_abandon(struct stream *stream)
{
    let_go(stream, TASK_CANCEL_ABORTED);
    stream->end = STREAM_BREAKS;
    json_buf_reset(&stream->filling, 0);
    if (stream->is_flying) {
        hang_up(stream);
    } else {
        send_piece(stream);
    }
}

void stream_enqueue(struct stream *stream, struct stream_writer *writer)
{
    struct stream_writer **end = &stream->writers;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    writer->next = NULL;
    writer->stream = stream;
    *end = writer;
}

static void unlink_writer(struct stream *stream, struct stream_writer *writer)
{
    struct stream_writer **link = &stream->writers;
    while (*link != writer) {
        link = &(*link)->next;
    }
    *link = writer->next;
    writer->stream = NULL;
}

void stream_dequeue(struct stream_writer *writer)
{
    struct stream *stream = writer->stream;
    if (stream == NULL) {
        return;
    }
    unlink_writer(stream, writer);
    stream->is_torn |= writer->taken > 0;
    serve(stream); /* the next one may want less */
    stream_flush_soon(stream);
}

void stream_release(struct stream *stream, enum task_cancel reason)
{
    while (stream->writers != NULL) {
        struct stream_writer *writer = stream->writers;
        stream->writers = writer->next;
        writer->stream = NULL;
        writer->reason = reason;
        task_wake(writer->task);
    }
}

bool stream_has_room(const struct stream *stream, size_t len)
{
    return stream->writers == NULL &&
           stream->filling.len + stream->flying.len + len <= STREAM_LIMIT_BYTES;
}

bool stream_is_empty(const struct stream *stream)
{
    return stream->has_begun && !stream->is_flying && stream->filling.len == 0;
}
