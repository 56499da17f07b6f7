#ifndef FSD_WORKER_HTTP_STREAM_EVENT_STREAM_H
#define FSD_WORKER_HTTP_STREAM_EVENT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

struct exchange;
struct service;

struct event_stream_options {
    uint32_t keepalive_ms; /* 0: no heartbeats */
    bool has_retry;
    uint32_t retry_ms; /* how long clients wait before they connect again */
};

/* Answers the exchange, which is open, with events.  To a HEAD request only the head is sent, and the handlers are cancelled. */
void event_stream_begin(struct exchange *exchange, const struct event_stream_options *options);
/* The handlers of new code have asked for the stream that is open: it goes on with these options. */
void event_stream_resume(struct exchange *exchange, const struct event_stream_options *options);
/* Tells the client of a stream that is about to end when to come back. */
void event_stream_say_when(const struct exchange *exchange);
/* The worker leaves: ends all of them. */
void event_stream_dismiss_all(struct service *service);

#endif
