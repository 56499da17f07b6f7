#ifndef FSD_WORKER_HTTP_SERVER_H
#define FSD_WORKER_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fsd_err;
struct generation;
struct http_server;
struct runtime;

/* The HTTP area of one worker: listeners, connections, and the application that answers.  Made once CONFIG is known;
 * the runtime is borrowed. */
struct http_server *http_server_new(struct runtime *runtime);
/* NULL is allowed.  Only while it is idle: libh2o can't take down a connection from outside. */
void http_server_free(struct http_server *server);
/* Whether no connection is open and no handler runs. */
bool http_server_is_idle(const struct http_server *server);
/* Takes a listening socket; it is not accepted from before http_server_activate.  0, or -ENOSPC: then it is not taken. */
int http_server_add_listener(struct http_server *server, int fd);
/* Makes the generation's application the one that will answer.  -EINVAL with a sentence when its main file did not return
 * one. */
int http_server_adopt(struct http_server *server, const struct generation *generation,
                      struct fsd_err *err);
/* Starts to accept. */
void http_server_activate(struct http_server *server);
/* Stops to accept, answers what comes on open connections with Connection: close, closes what idles after idle_ms, and calls
 * on_drained when the last connection is gone. */
void http_server_drain(struct http_server *server, uint64_t idle_ms,
                       void (*on_drained)(struct runtime *runtime));

#endif
