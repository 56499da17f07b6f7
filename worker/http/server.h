#ifndef FSD_WORKER_HTTP_SERVER_H
#define FSD_WORKER_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fsd_err;
struct generation;
struct http_server;
struct runtime;
struct service;

/* How a drain goes on. */
struct http_server_drain_calls {
    void (*on_draining)(struct runtime *runtime); /* nothing more is accepted */
    void (*on_drained)(struct runtime *runtime);  /* the last connection is gone */
};

/* The HTTP area of one worker: listeners, connections, and the application that answers.  Made once CONFIG is known;
 * the runtime is borrowed. */
struct http_server *http_server_new(struct runtime *runtime);
/* NULL is allowed.  Only while it is idle: libh2o can't take down a connection from outside. */
void http_server_free(struct http_server *server);
/* What its requests share. */
struct service *http_server_service(struct http_server *server);
/* Whether no connection is open and no handler runs. */
bool http_server_is_idle(const struct http_server *server);
/* Takes a listening socket of a slot; it is accepted from as soon as the server is active.  0; or it is not taken: -ENOSPC when
 * there are too many, -ESHUTDOWN in a drain. */
int http_server_add_listener(struct http_server *server, int fd, uint64_t slot);
/* Takes the descriptor that the access log is written to from now on. */
void http_server_take_access_log(struct http_server *server, int fd);
/* Closes our copies of a slot's sockets; connections that were accepted stay. */
void http_server_remove_listeners(struct http_server *server, uint64_t slot);
/* Makes the generation's application the one that answers from now on; requests that have begun keep to theirs.  -EINVAL with a
 * sentence when its main file did not return one. */
int http_server_adopt(struct http_server *server, const struct generation *generation,
                      struct fsd_err *err);
/* Instead of an application: every request is answered with 503 and Retry-After. */
void http_server_refuse_all(struct http_server *server, uint64_t retry_after_s);
/* Starts to accept. */
void http_server_activate(struct http_server *server);
/* The limits of the configuration have changed: they hold from now on, keepalive also for connections that are idle already. */
void http_server_apply_limits(struct http_server *server);
/* Stops to accept, with empties_queues only when nothing waits to be accepted any more (or after 1 s or 10,000 connections);
 * answers what comes on open connections with Connection: close and closes what idles after idle_ms.  Only the first call
 * counts. */
void http_server_drain(struct http_server *server, uint64_t idle_ms, bool empties_queues,
                       struct http_server_drain_calls calls);

#endif
