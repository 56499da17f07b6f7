/* resume.c - a stream of events goes on in new code: the request that has opened it is dispatched once more.
 * Owns nothing.  For the new handlers it is as if the client had connected again: the same request, with its middleware, a req and a
 * res of their own; what they set in the head is dropped, because the head has left, and res:sse gives them the stream that is
 * open.  When they answer with anything else (they have no such route any more, they fail, they refuse), the stream ends well: the
 * client connects again by itself, and sees that answer.
 * Called by exchange.c when a task has ended.  Must not know why it ended when it did (core/handover.c). */
#include "worker/http/stream/resume.h"

#include <lua.h>
#include <stdio.h>
#include <string.h>

#include "worker/core/runtime.h"
#include "worker/http/app/plan.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/exchange_memory.h"
#include "worker/http/exchange_note.h"
#include "worker/http/service.h"
#include "worker/http/stream/event_stream.h"
#include "worker/http/stream/stream.h"

bool resume_is_due(const struct exchange *exchange, int status)
{
    const struct stream *stream = exchange->stream;
    bool is_open = exchange->state == EXCHANGE_STREAMING || exchange->state == EXCHANGE_OPEN;
    return stream != NULL && is_open && stream->is_events && !stream->is_torn &&
           exchange->task->is_told && exchange->edition != exchange->service->edition &&
           (status == LUA_OK || status == TASK_CLOSED);
}

void resume_prepare(struct exchange *exchange)
{
    struct service *service = exchange->service;
    recorder_note_end(&service->runtime->recorder, &exchange->ticket, exchange->status);
    exchange->ticket = (struct recorder_ticket){0};
    exchange_memory_free(exchange);
    edition_release(service->runtime->L, exchange->edition);
    exchange->edition = edition_acquire(service->edition);
    exchange_start_over(exchange);
    struct router_memory memory = exchange_memory_get(exchange);
    /* it was found short enough when it came */
    (void)router_match(exchange->edition->plan->router, exchange->view.path.base,
                       exchange->view.path.len, &memory, &exchange->chain);
}

void resume_give_up(struct exchange *exchange)
{
    char message[96];
    int len =
        snprintf(message, sizeof(message),
                 "a stream of events has ended: the new code answers with %d", exchange->status);
    struct logger_record record;
    logger_begin(&record, &exchange->service->runtime->logger, LOG_LEVEL_WARNING, message,
                 (size_t)len);
    exchange_note_record(exchange, &record);
    logger_send(&record);
    event_stream_say_when(exchange);
}
