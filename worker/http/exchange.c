/* exchange.c - one request in flight: the coroutine that answers it, the client that may leave, the deadline.
 * Owns the exchange structs (a free list).  A handler that answers without waiting costs no more than the coroutine; only when it
 * first waits are the deadline, the watch for the client's hang-up and the anchor in the request's pool set up.  The answer
 * is sent after Lua has let go (it returned or waits), never from within a Lua call, because libh2o may start the next
 * request of the connection inside its send.
 * Called by intake.c.  Must not know routes or what handlers do (dispatch.c). */
#include "worker/http/exchange.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "common/page.h"
#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/http/answer.h"
#include "worker/http/app/plan.h"
#include "worker/http/dispatch.h"
#include "worker/http/edition.h"
#include "worker/http/ending.h"
#include "worker/http/exchange_memory.h"
#include "worker/http/exchange_note.h"
#include "worker/http/file/file_body.h"
#include "worker/http/head.h"
#include "worker/http/hooks.h"
#include "worker/http/response/compress.h"
#include "worker/http/response/response_detach.h"
#include "worker/http/service.h"
#include "worker/http/settings.h"
#include "worker/http/stream/events.h"
#include "worker/http/stream/refresh.h"
#include "worker/http/stream/resume.h"
#include "worker/http/stream/stream.h"

static void on_task_done(struct task *task, int status);
static void on_task_wait(struct task *task);

static const struct task_owner owner = {
    "request", on_task_done, on_task_wait, exchange_note_run, NULL, NULL, exchange_note_task, NULL};

void exchange_start_over(struct exchange *exchange)
{
    exchange->state = EXCHANGE_OPEN;
    exchange->start = 0;
    exchange->first = NULL;
    exchange->step = 0;
    exchange->failed_step = SIZE_MAX;
    exchange->scope = NULL;
    exchange->last = NULL;
    exchange->last_step = SIZE_MAX;
    exchange->is_open_for_hooks = false;
    exchange->is_sealed = false;
    exchange->has_offspring = false;
    exchange->status = 200;
}

struct exchange *exchange_new(struct service *service, h2o_req_t *req)
{
    struct exchange *exchange = service->free;
    if (exchange != NULL) {
        service->free = exchange->next_free;
    } else {
        exchange = malloc(sizeof(*exchange));
        if (exchange == NULL) {
            abort();
        }
    }
    /* field by field: the chain is large and sets itself up */
    exchange->service = service;
    exchange->edition = edition_acquire(service->edition);
    exchange->req = req;
    exchange->anchor = NULL;
    exchange->task = NULL;
    view_init(&exchange->view, req);
    exchange_start_over(exchange);
    exchange->request = NULL;
    exchange->response = NULL;
    exchange->body = h2o_iovec_init(NULL, 0);
    exchange->file = NULL;
    exchange->stream = NULL;
    exchange->events = NULL;
    exchange->trailers = h2o_iovec_init(NULL, 0);
    exchange->ending = NULL;
    exchange->head_ref = LUA_NOREF;
    exchange->hangup.fd = -1;
    exchange->blocks = NULL;
    exchange->is_client_gone = false;
    exchange->is_dismissed = false;
    exchange->is_detached = false;
    exchange->awaits_answer = false;
    exchange->drops_body = false;
    exchange->is_resuming = false;
    exchange->inject_depth = 0;
    exchange->id[0] = '\0';
    exchange->serial = service->id_seed++;
    exchange->ticket = (struct recorder_ticket){0};
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    events_close_all(exchange);
    ending_forget(exchange);
    head_drop(exchange->service->runtime->L, exchange);
    view_fini(&exchange->view);
    exchange_memory_free(exchange);
    edition_release(exchange->service->runtime->L, exchange->edition);
    exchange->next_free = exchange->service->free;
    exchange->service->free = exchange;
}

static void count_running(struct service *service, int change)
{
    service->running += (uint64_t)change;
    page_set(&service->runtime->page->running, service->running);
}

/* From here on libh2o's request may be gone. */
static void detach(struct exchange *exchange)
{
    watch_remove(&exchange->service->runtime->loop, &exchange->hangup);
    if (exchange->anchor != NULL) {
        *exchange->anchor = NULL;
        exchange->anchor = NULL;
    }
    exchange->req = NULL;
    exchange->state = EXCHANGE_SENT;
}

static void send_answer(struct exchange *exchange)
{
    h2o_req_t *req = exchange->req;
    /* what libh2o decoded from chunks can't be checked again: no second request on this connection */
    bool close = exchange->view.has_transfer_encoding;
    struct stream *stream = exchange->stream;
    struct file_body *file = exchange->file;
    if (stream != NULL && exchange->is_resuming) {
        resume_give_up(exchange);
    }
    ending_note(exchange->ending, exchange->status, stream == NULL);
    detach(exchange);
    if (stream != NULL) {
        stream_finish(stream, stream->is_torn ? STREAM_BREAKS : STREAM_ENDS);
    } else if (file != NULL) {
        file_body_send(file, exchange->status, close);
    } else {
        h2o_iovec_t body =
            refresh_add_script(exchange->service, exchange->edition, req, exchange->body);
        int status = exchange->status;
        if (compress_prepare(exchange->service, req, status, body.len)) {
            compress_send(exchange->service, req, status, body, close);
        } else {
            answer_send(exchange->service, req, status, body, close);
        }
    }
}

/* Lua has let go: what it has answered or written may leave. */
static void send_what_stands(struct exchange *exchange)
{
    if (exchange->state == EXCHANGE_ANSWERED && hooks_hold(exchange)) {
        return; /* it leaves when the handlers have ended */
    }
    if (exchange->state == EXCHANGE_ANSWERED) {
        view_keep(&exchange->view);
        send_answer(exchange);
    } else if (exchange->stream != NULL) {
        stream_flush(exchange->stream);
    }
}

void exchange_answer(struct exchange *exchange, int status, h2o_iovec_t body)
{
    assert(exchange->state == EXCHANGE_OPEN && exchange->req != NULL);
    exchange->status = status;
    exchange->body = body;
    exchange->state = EXCHANGE_ANSWERED;
    response_detach_end(exchange);
}

void exchange_begin_stream(struct exchange *exchange)
{
    assert(exchange->state == EXCHANGE_OPEN && exchange->req != NULL);
    h2o_req_t *req = exchange->req;
    if (exchange->stream != NULL || answer_is_bodiless(req, exchange->status)) {
        exchange->drops_body = true;
        exchange_answer(exchange, exchange->status, h2o_iovec_init(NULL, ANSWER_LENGTH_UNKNOWN));
        return;
    }
    exchange->stream =
        stream_new(exchange, req, exchange->status, exchange->view.has_transfer_encoding);
    exchange->state = EXCHANGE_STREAMING;
}

void exchange_resume_stream(struct exchange *exchange)
{
    assert(exchange->state == EXCHANGE_OPEN && exchange->stream != NULL);
    exchange->is_resuming = false;
    exchange->state = EXCHANGE_STREAMING;
}

void exchange_end_stream(struct exchange *exchange)
{
    assert(exchange->stream != NULL);
    exchange->state = EXCHANGE_ANSWERED;
    response_detach_end(exchange);
}

static void lose_client(struct exchange *exchange)
{
    exchange->is_client_gone = true;
    view_keep(&exchange->view);
    detach(exchange);
    task_cancel(exchange->task, TASK_CANCEL_ABORTED);
}

/* libh2o disposes of the request before it was answered. */
static void on_request_disposed(void *anchor)
{
    struct exchange *exchange = *(struct exchange **)anchor;
    if (exchange != NULL) { /* else it was answered */
        lose_client(exchange);
    }
}

void exchange_lose(struct exchange *exchange)
{
    h2o_req_t *req = exchange->req;
    struct service *service = exchange->service;
    struct stream *stream = exchange->stream;
    lose_client(exchange);
    if (stream != NULL) {
        stream_abandon(stream);
    } else {
        answer_send(service, req, 499, h2o_iovec_init(NULL, 0), true); /* makes libh2o close */
    }
}

void exchange_dismiss(struct exchange *exchange)
{
    exchange->is_dismissed = true;
    exchange->is_resuming = false;  /* it is not for the new code that it ends */
    if (exchange->stream != NULL) { /* else it is ending already */
        exchange_end_stream(exchange);
    }
    if (exchange->task->state != TASK_RUNNING) {
        send_what_stands(exchange);
    }
    task_cancel(exchange->task, TASK_CANCEL_SHUTDOWN);
}

/* HTTP/1: libh2o does not read while a handler runs, so it would not notice (http1.c, h2o_socket_read_stop). */
static void on_hangup(struct watch *watch, uint32_t events)
{
    (void)events;
    exchange_lose(H2O_STRUCT_FROM_MEMBER(struct exchange, hangup, watch));
}

static void watch_client(struct exchange *exchange)
{
    struct exchange **anchor =
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): a pointer is what is stored */
        h2o_mem_alloc_shared(&exchange->req->pool, sizeof(*anchor), on_request_disposed);
    *anchor = exchange;
    exchange->anchor = anchor;
    h2o_socket_t *socket = exchange->req->conn->callbacks->get_socket(exchange->req->conn);
    if (exchange->req->version < 0x200 && socket != NULL) {
        /* a failure here only means that a hang-up is noticed late, when the answer is written */
        (void)watch_add(&exchange->service->runtime->loop, &exchange->hangup,
                        h2o_socket_get_fd(socket), EPOLLRDHUP | EPOLLET, on_hangup);
    }
}

/* A handler has so much time until it has answered; one that streams, from one piece to the next, while the client has a time
 * of its own to take it (stream.c); one that sends events waits for them as long as it likes. */
static void set_deadline(struct exchange *exchange)
{
    struct task *task = exchange->task;
    const struct stream *stream = exchange->stream;
    if (task->cancelling) {
        return;
    }
    bool waits_for_events =
        stream != NULL && stream->is_events && exchange->state == EXCHANGE_STREAMING;
    if (waits_for_events || (stream != NULL && stream->is_flying)) {
        task_clear_deadline(task);
    } else if (!task_has_deadline(task)) {
        uint64_t own_ms = exchange_settings(exchange)->request_timeout_ms;
        task_set_deadline(task, own_ms != 0 ? own_ms : task->runtime->config.request_timeout_ms);
    }
}

void exchange_on_taken(struct exchange *exchange)
{
    task_set_cpu_limit(exchange->task, exchange->service->runtime->config.cpu_ms);
    set_deadline(exchange);
}

void exchange_flush(struct exchange *exchange)
{
    send_what_stands(exchange);
    set_deadline(exchange);
}

static void on_task_wait(struct task *task)
{
    struct exchange *exchange = task->data;
    exchange_flush(exchange);
    if (exchange->req != NULL && exchange->anchor == NULL) {
        watch_client(exchange);
    }
    if (exchange->stream != NULL && exchange->stream->is_events) {
        handover_offer(&exchange->stream->handover);
    }
}

static int final_status(const struct exchange *exchange)
{
    if (exchange->is_client_gone) {
        return 499;
    }
    return exchange->state == EXCHANGE_OPEN ? 503 : exchange->status;
}

static void start(struct exchange *exchange);

static void resume(struct exchange *exchange)
{
    resume_prepare(exchange);
    exchange->is_resuming = true;
    start(exchange);
}

/* What stands is sent, if it was not yet. */
static void end_answer(struct exchange *exchange)
{
    if (exchange->state == EXCHANGE_SENT) {
        return;
    }
    if (exchange->state == EXCHANGE_ANSWERED || exchange->stream != NULL) {
        send_answer(exchange);
    } else {
        h2o_req_t *req = exchange->req;
        ending_note(exchange->ending, 503, true);
        detach(exchange);
        answer_error(exchange->service, req, 503, "Service Unavailable", false);
    }
}

static void on_task_done(struct task *task, int status)
{
    struct exchange *exchange = task->data;
    if (status != LUA_OK) { /* closed by force, or an error that no handler may see */
        dispatch_close(exchange);
        exchange_note_end(exchange, status);
    }
    if (resume_is_due(exchange, status)) {
        resume(exchange);
        return;
    }
    struct service *service = exchange->service;
    recorder_note_end(&service->runtime->recorder, &exchange->ticket, final_status(exchange));
    if (exchange->state == EXCHANGE_STREAMING) {
        exchange->stream->is_torn |= status != LUA_OK;
    }
    end_answer(exchange);
    exchange_free(exchange);
    count_running(service, -1);
    service->on_exchange_over(service);
}

static void start(struct exchange *exchange)
{
    struct runtime *runtime = exchange->service->runtime;
    struct task *task = task_new(runtime, &owner, exchange);
    exchange->task = task;
    if (exchange->stream != NULL) {
        handover_pass(&exchange->stream->handover, task);
    }
    task->descent = exchange->inject_depth;
    generations_assign(task, exchange->edition->generation);
    task_set_cpu_limit(task, runtime->config.cpu_ms);
    lua_pushcfunction(task->L, dispatch_main);
    lua_pushlightuserdata(task->L, exchange);
    task_start(task, 1);
}

void exchange_run(struct exchange *exchange)
{
    count_running(exchange->service, 1);
    start(exchange);
}
