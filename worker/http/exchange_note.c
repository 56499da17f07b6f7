/* exchange_note.c - which request it is, for those who read of it: the black box, the log, the list of what runs on replaced code.
 * Owns nothing.  The black box has an entry from the first time that a handler runs, made anew when others have pushed it out.
 * Called by exchange.c, and by whoever logs what a request has done.  Must not know how it is answered. */
#include "worker/http/exchange_note.h"

#include <stdio.h>
#include <string.h>

#include "common/blackbox.h"
#include "worker/core/runtime.h"
#include "worker/http/app/handler.h"
#include "worker/http/edition.h"
#include "worker/http/exchange.h"
#include "worker/http/request/request_id.h"
#include "worker/http/service.h"

_Static_assert(sizeof(((struct app_handler *)0)->where) == BLACKBOX_PLACE_MAX,
               "the recorder copies all of it");

/* Enters the request into the black box. */
static void note(struct exchange *exchange, struct recorder *recorder)
{
    const struct runtime *runtime = exchange->service->runtime;
    const struct view *view = &exchange->view;
    request_id_take(exchange);
    struct recorder_subject subject = {
        .method = view->method.base,
        .method_len = view->method.len,
        .path = view->path.base,
        .path_len = view->path.len,
        .id = exchange->id,
        .id_high = runtime->incarnation,
        .id_low = exchange->serial,
        .place = exchange->last != NULL ? exchange->last->where : NULL,
        .generation = exchange->edition->generation,
    };
    recorder_note(recorder, &exchange->ticket, &subject);
}

void exchange_note_run(struct task *task)
{
    struct exchange *exchange = task->data;
    struct recorder *recorder = &task->runtime->recorder;
    if (!recorder_has(recorder, &exchange->ticket)) { /* new, or pushed out while it waited */
        note(exchange, recorder);
    }
    recorder_run(recorder, &exchange->ticket);
}

void exchange_note_record(struct exchange *exchange, struct logger_record *record)
{
    const struct view *view = &exchange->view;
    logger_field_text(record, "method", view->method.base, view->method.len);
    logger_field_text(record, "path", view->path.base, view->path.len);
    const char *id = request_id_get(exchange);
    logger_field_text(record, "request_id", id, strlen(id));
    if (exchange->last != NULL) {
        logger_field_text(record, "handler", exchange->last->where, strlen(exchange->last->where));
    }
}

void exchange_note_task(const struct task *task, char *text, size_t room)
{
    const struct view *view = &((const struct exchange *)task->data)->view;
    (void)snprintf(text, room, "%.*s %.*s", (int)view->method.len, view->method.base,
                   (int)view->path.len, view->path.base);
}

static const char *why_ended(const struct task *task, int status)
{
    if (status != TASK_CLOSED) {
        return lua_type(task->L, -1) == LUA_TSTRING ? lua_tostring(task->L, -1) : "unknown error";
    }
    return task->cancelling ? "it still waited 1 s after it was cancelled"
                            : "a C function in it yielded, but not to fsd";
}

void exchange_note_end(struct exchange *exchange, int status)
{
    const char *why = why_ended(exchange->task, status);
    char message[256];
    int len = snprintf(message, sizeof(message), "request was ended by force: %s", why);
    struct logger_record record;
    logger_begin(&record, &exchange->service->runtime->logger, LOG_LEVEL_ERROR, message,
                 (size_t)len < sizeof(message) ? (size_t)len : sizeof(message) - 1);
    exchange_note_record(exchange, &record);
    logger_send(&record);
}
