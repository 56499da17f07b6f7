#ifndef FSD_WORKER_HTTP_STREAM_STREAM_H
#define FSD_WORKER_HTTP_STREAM_STREAM_H

#include <h2o.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/handover.h"
#include "worker/core/json/json.h"
#include "worker/core/task.h"
#include "worker/core/timer.h"

struct ending_anchor;
struct exchange;
struct service;
struct stream;

/* What one answer may hold for a client that does not take it, whatever the handlers write. */
enum { STREAM_LIMIT_BYTES = 64 * 1024 };

/* How the end of the body is told. */
enum stream_framing {
    STREAM_CHUNKED,  /* HTTP/1.1 */
    STREAM_TO_CLOSE, /* HTTP/1.0 */
    STREAM_FRAMED,   /* HTTP/2, and what is compressed: libh2o does it */
};

enum stream_end {
    STREAM_GOES_ON,
    STREAM_ENDS, /* well, after what is left */
    STREAM_BREAKS, /* after what is left the connection is cut, so that the client sees that something is missing */
};

/* A task that waits until its text is taken; belongs to that task, which may be another one than the answer's own. */
struct stream_writer {
    struct task_wait wait;
    struct task *task;     /* borrowed */
    struct stream *stream; /* borrowed while it is queued; NULL: it has only to go on */
    /* borrowed from the task's stack; NULL: it waits until everything has left */
    const char *bytes;
    size_t len;
    size_t taken;
    enum task_cancel reason;    /* why the stream was over before everything was taken */
    bool is_done;               /* all of it was taken */
    struct stream_writer *next; /* borrowed */
};

/* One answer that is given in pieces.  It lives in the memory of libh2o's request, and so ends with that. */
struct stream {
    struct service *service;   /* borrowed */
    h2o_req_t *req;            /* borrowed */
    struct exchange *exchange; /* borrowed; NULL once it is libh2o's alone */
    h2o_generator_t generator;
    int status;
    enum stream_framing framing;
    enum stream_end end;
    bool closes;             /* the request asks for the end of the connection */
    bool lingers;            /* it ends with this answer, by our wish */
    bool has_begun;          /* libh2o has the head */
    bool is_flying;          /* libh2o has a piece that it has not told us about yet */
    bool is_torn;            /* it can't end well any more */
    struct json_buf filling; /* owned: what was written since */
    struct json_buf flying;  /* owned: what libh2o has */
    char chunk_head[20];     /* of that */
    struct timer stall;      /* since libh2o got it */
    struct timer flush;      /* for what another task has written */
    h2o_iovec_t trailers;    /* "name: value\r\n", each; in the request's pool */
    struct ending_anchor
        *ending; /* borrowed from the request's pool; NULL: nobody wants to hear of it */
    struct stream_writer *writers; /* borrowed, in the order in which they came */

    /* Of a stream of events (event_stream.c); heartbeat_ms is 0 without heartbeats. */
    bool is_events;
    struct handover handover; /* it outlives the code of its handler */
    struct timer heartbeat;
    uint64_t heartbeat_ms;
    uint64_t sent_ms; /* monotonic: when something left last */
    uint32_t retry_ms;
    struct stream *previous; /* borrowed: in the service's list */
    struct stream *next;
};

/* A stream that answers the exchange's request; the head leaves with the first flush.  With closes the connection ends with it. */
struct stream *stream_new(struct exchange *exchange, h2o_req_t *req, int status, bool closes);
/* Takes a text that is not longer than the limit wholly or not at all, of a longer one as much as there is room for.  Returns how
 * much was taken; nothing while somebody else waits. */
size_t stream_add(struct stream *stream, const char *bytes, size_t len);
/* Whether it would take so much at once. */
bool stream_has_room(const struct stream *stream, size_t len);
/* Takes a few bytes of ours whether there is room or not; false while somebody's text is taken by half. */
bool stream_add_own(struct stream *stream, const char *bytes, size_t len);
/* Sends what was added (and the head), when libh2o is ready for it. */
void stream_flush(struct stream *stream);
/* The same before the next turn, for those who must not call libh2o. */
void stream_flush_soon(struct stream *stream);
/* Nothing comes any more: sends what is left, then the end.  The stream is not the caller's from here on. */
void stream_finish(struct stream *stream, enum stream_end end);
/* Nobody wants what is left: cuts at once.  The stream is not the caller's from here on. */
void stream_abandon(struct stream *stream);
/* Queues a writer behind those who wait already; it is taken out, and its task woken, when its text was taken or the stream is
 * over. */
void stream_enqueue(struct stream *stream, struct stream_writer *writer);
/* Takes one out that does not want to wait any longer.  When its text is taken by half, the stream is torn. */
void stream_dequeue(struct stream_writer *writer);
/* Wakes all writers: the stream is over for them, for that reason. */
void stream_release(struct stream *stream, enum task_cancel reason);
/* Nothing is held: libh2o has passed all of it on to the kernel. */
bool stream_is_empty(const struct stream *stream);

#endif
