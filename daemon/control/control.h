#ifndef FSD_DAEMON_CONTROL_CONTROL_H
#define FSD_DAEMON_CONTROL_CONTROL_H

#include <jansson.h>
#include <stddef.h>
#include <systemd/sd-event.h>

struct fsd_err;

/* The control socket: JSON-RPC 2.0 (jsonrpc.org/specification), one object a line, on a Unix stream socket. */
struct control;
/* One request that waits for its answer.  It may be answered later, from any callback; when the peer is gone by then the
 * answer is dropped.  Every call is answered exactly once. */
struct control_call;

struct control_method {
    const char *name;
    const char *help; /* one line, for `fsdctl help` and the documentation */
    /* params: an object (possibly empty), borrowed during the call */
    void (*run)(void *owner, struct control_call *call, const json_t *params);
};

enum control_error { /* JSON-RPC codes; below -32000 the specification's own */
                     CONTROL_FAILED = -32000, /* the operation was tried and failed */
                     CONTROL_BUSY = -32001,   /* another one of its kind is running */
                     CONTROL_BAD_PARAMS = -32602,
};

/* Binds path (mode 0600, or 0660 and the group fsd-admin where that exists; a stale socket file is removed, a live one is -EADDRINUSE) and serves the methods.  The rows are
 * borrowed for as long as the control is open.  owner is handed to every run.  removed_stale tells that a stale file was
 * there, so that the caller can log it. */
int control_open(struct control **ret_control, sd_event *loop, const char *path,
                 const struct control_method *methods, size_t method_count, void *owner,
                 int *ret_removed_stale, struct fsd_err *err);
/* Stops accepting, flushes answers that are already written as far as the sockets take them, removes the socket file.
 * NULL is allowed. */
void control_close(struct control *control);

/* Answers with a result (takes the reference; must not be NULL) or an error; call is gone afterwards. */
void control_answer(struct control_call *call, json_t *result);
void control_fail(struct control_call *call, enum control_error code, const char *message);

#endif
