#ifndef FSD_WORKER_HTTP_EXCHANGE_H
#define FSD_WORKER_HTTP_EXCHANGE_H

#include <h2o.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/core/recorder.h"
#include "worker/core/task.h"
#include "worker/core/watch.h"
#include "worker/http/route/router.h"
#include "worker/http/text/request_token.h"
#include "worker/http/view.h"

struct app_handler;
struct edition;
struct ending_anchor;
struct events;
struct file_body;
struct http_object;
struct scope;
struct service;
struct stream;

enum exchange_state {
    /* nothing decided: headers may be set; or, with a stream, new code has not asked for that yet (resume.c) */
    EXCHANGE_OPEN,
    EXCHANGE_STREAMING, /* the head stands, handlers write the body */
    EXCHANGE_ANSWERED,  /* status and body stand; sent as soon as Lua lets go */
    EXCHANGE_SENT,      /* libh2o has it, or the client has gone */
};

/* One request and its answer, from the first handler until the coroutine is finished.  It may outlive libh2o's request
 * (the client hangs up, or a handler goes on after it has answered); req is NULL from then on. */
struct exchange {
    struct service *service; /* borrowed */
    struct edition *edition; /* one use owned: the code that answers it */
    h2o_req_t *req;          /* borrowed; NULL once libh2o has dropped it or has the answer */
    struct exchange **
        anchor; /* borrowed from the request's pool: how its end reaches us; NULL while it can't end */
    struct task *task; /* borrowed: the coroutine of the handlers */
    enum exchange_state state;
    struct view view;          /* what Lua may read of the request */
    struct router_chain chain; /* what matches, in order */
    size_t start; /* the place where handlers in Lua begin (turn.h): those before have passed */
    const struct app_handler
        *first; /* borrowed: which one stands there; NULL: not found out, or asked already */
    size_t
        step; /* of the handler that runs: index into the chain; its count: it is mounted nowhere */
    size_t error_handlers; /* of that scope, that were asked to answer an error */
    size_t failed_step;    /* which one the error came from that is being answered */
    const struct scope *
        scope; /* borrowed from the plan: where such a handler belongs; NULL: the application itself */
    const struct app_handler *last; /* borrowed: the handler that was called last */
    size_t last_step;               /* and its step */
    struct http_object *request;    /* borrowed from Lua; NULL before and after the handlers */
    struct http_object *response;
    int status;
    h2o_iovec_t body; /* in the request's pool */
    struct file_body *
        file; /* in its place; in the request's pool; NULL: the answer is no file that goes out in pieces */
    /* borrowed from the request's pool; NULL: the answer is no stream, or it is over */
    struct stream *stream;
    struct events
        *events;    /* borrowed from Lua, which events_ref keeps alive; NULL: none was asked for */
    int events_ref; /* of the registry; while there are events */
    h2o_iovec_t trailers; /* for a stream that has not begun yet (stream/trailers.c) */
    struct ending_anchor
        *ending;  /* borrowed from the request's pool; NULL: nobody wants to hear of its end */
    int head_ref; /* of the registry: what is to run before the head stands (head.c); LUA_NOREF */
    bool is_open_for_hooks; /* the answer that stands is put aside (hooks.c) */
    bool is_sealed;         /* hooks have had their turn */
    bool has_offspring;     /* it has spawned tasks (offspring.c) */
    bool is_client_gone;    /* nobody will read an answer */
    bool is_dismissed;      /* its stream of events was ended because the worker leaves */
    bool is_resuming;       /* new code has not asked for the stream that is open yet */
    bool is_detached;       /* another task will answer (response_detach.c) */
    bool awaits_answer;     /* its own task waits for that */
    bool drops_body;        /* what is written goes nowhere: the answer has no body */
    uint8_t
        inject_depth; /* how many requests that the application has sent to itself have led to it, with it */
    uint64_t serial; /* the second half of an id that we make */
    char
        id[REQUEST_TOKEN_MAX + 1]; /* "" until somebody asks (request_id), or the client gave one */
    struct recorder_ticket ticket; /* its place in the black box */
    struct watch hangup;           /* of an HTTP/1 socket while a handler waits */
    struct exchange_block *blocks; /* owned list: what the chain took beyond its inline room */
    struct exchange *next_free;
};

/* What req and res are in Lua: a userdata that knows its exchange as long as that lives. */
enum http_object_kind { HTTP_REQUEST = 0x51455246, HTTP_RESPONSE = 0x53455246 };
struct http_object {
    enum http_object_kind kind;
    struct exchange *exchange; /* borrowed; NULL: the request is over */
};

/* A new exchange for a request, not yet running; to be filled by the intake (chain). */
struct exchange *exchange_new(struct service *service, h2o_req_t *req);
/* Before its first handler, and before that of new code which goes on with it: nothing is decided, no handler has been called. */
void exchange_start_over(struct exchange *exchange);
/* Gives back one that never ran. */
void exchange_free(struct exchange *exchange);
/* Runs the handlers in a task. */
void exchange_run(struct exchange *exchange);
/* Fixes the answer; the body must be in the request's pool.  Sent when the coroutine ends or waits. */
void exchange_answer(struct exchange *exchange, int status, h2o_iovec_t body);
/* The answer will be given in pieces: status and headers are fixed, exchange->stream takes the body.  Where an answer has none
 * (HEAD, 204 and the like) it is given at once, and there is no stream; so it is where
 * another stream is open already, which then ends. */
void exchange_begin_stream(struct exchange *exchange);
/* New code has asked for the stream that is open. */
void exchange_resume_stream(struct exchange *exchange);
/* The stream is complete.  Sent when the coroutine ends or waits. */
void exchange_end_stream(struct exchange *exchange);
/* Its client has gone, or takes nothing: cancels the handlers and cuts the connection. */
void exchange_lose(struct exchange *exchange);
/* Sends what stands in the answer, for those who wrote to it from another task. */
void exchange_flush(struct exchange *exchange);
/* Its client has taken all that was sent so far. */
void exchange_on_taken(struct exchange *exchange);
/* Ends a stream of events because the worker leaves, and cancels the handlers. */
void exchange_dismiss(struct exchange *exchange);
/* Where the handler that runs belongs: what it is mounted in, or the application itself. */
const struct scope *exchange_scope(const struct exchange *exchange);

/* What Lua hands through a continuation is a number; ours is an exchange. */
static inline struct exchange *exchange_of(lua_KContext context)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return (struct exchange *)context;
}

#endif
