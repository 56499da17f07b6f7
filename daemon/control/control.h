#ifndef FSD_DAEMON_CONTROL_CONTROL_H
#define FSD_DAEMON_CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
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
                     CONTROL_FAILED = -32000,     /* the operation was tried and failed */
                     CONTROL_BUSY = -32001,       /* another one of its kind is running */
                     CONTROL_BAD_CONFIG = -32002, /* the message says where */
                     CONTROL_BAD_PARAMS = -32602,
};

/* Binds path (mode 0600, or 0660 and the group fsd-admin where that exists; a stale socket file is removed, a live one is
 * -EADDRINUSE) and serves the methods.  The rows are borrowed for as long as the control is open.  owner is handed to every
 * run.  removed_stale tells that a stale file was there, so that the caller can log it. */
int control_open(struct control **ret_control, sd_event *loop, const char *path,
                 const struct control_method *methods, size_t method_count, void *owner,
                 int *ret_removed_stale, struct fsd_err *err);
/* Told of peers that were refused, at most once a minute: the sentence for the last one, and how many there were since. */
typedef void (*control_refused_fn)(void *owner, const char *why, uint64_t count);
/* `fsd serve`: the user that workers run as is refused, unless it is root.  Without this call the daemon's own user, root and the
 * group fsd-admin may talk.  on_refused may be NULL, it gets the owner of control_open. */
void control_guard(struct control *control, uid_t workers, control_refused_fn on_refused);
/* What the next program needs of a control socket, when this one is replaced in place. */
struct control_legacy {
    int fd;
    uint64_t device; /* of the file */
    uint64_t inode;
};
struct control_legacy control_get_legacy(const struct control *control);
/* Serves the methods on a socket that another program of ours has opened at path.  Takes the descriptor when it succeeds; on
 * failure nothing is closed or removed. */
int control_inherit(struct control **ret_control, sd_event *loop, const char *path,
                    const struct control_legacy *legacy, const struct control_method *methods,
                    size_t method_count, void *owner);
/* Stops accepting, flushes answers that are already written as far as the sockets take them, removes the socket file.
 * NULL is allowed. */
void control_close(struct control *control);

/* A call whose connection goes on to carry notifications, lines that nobody asked for one by one. */
struct control_stream;

enum {
    CONTROL_STREAMS_MAX = 16, /* of 64 connections: three quarters are left for questions */
};

struct control_stream_events {
    /* What was sent has been read: there is room again. */
    void (*on_room)(void *owner);
    /* The peer is gone, and the stream with it. */
    void (*on_end)(void *owner);
};

/* Answers with a result (takes the reference; NULL: there was no memory for it, which is the error then) or an error; call is gone afterwards. */
void control_answer(struct control_call *call, json_t *result);
/* The same with a result that is JSON text already. */
void control_answer_text(struct control_call *call, const char *result, size_t len);
void control_fail(struct control_call *call, enum control_error code, const char *message);

/* A call that the next program is to answer: *ret_id is JSON text that the caller frees.  The descriptor stays the connection's.
 * -ENOTCONN: nobody waits for the answer. */
int control_call_leave(const struct control_call *call, int *ret_fd, char **ret_id);
/* The other side of it: fd is a connection, and taken when it succeeds. */
int control_call_inherit(struct control *control, int fd, const char *id,
                         struct control_call **ret_call);

/* Makes the connection of a call a stream; the call still has to be answered, and nothing may be sent before.  -EBUSY: there
 * are too many, -EEXIST: the connection is one already, -ENOTCONN: nobody waits for the answer. */
int control_stream_open(struct control_stream **ret_stream, const struct control_call *call,
                        const struct control_stream_events *events, void *owner);
/* Ends it from this side.  The connection stays; on_end is not called. */
void control_stream_close(struct control_stream *stream);
/* May so many bytes be sent?  Else on_room is called later.  There is always room when nothing waits. */
bool control_stream_has_room(const struct control_stream *stream, size_t len);
/* Sends whole lines.  on_end may be called before this returns. */
void control_stream_send(struct control_stream *stream, const char *lines, size_t len);

#endif
