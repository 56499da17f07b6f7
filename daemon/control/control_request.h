#ifndef FSD_DAEMON_CONTROL_CONTROL_REQUEST_H
#define FSD_DAEMON_CONTROL_CONTROL_REQUEST_H

#include <jansson.h>
#include <stddef.h>

struct control_call;
struct control_method;
struct control_peer;
struct control_streams;

/* The methods that can be called. */
struct control_rows {
    const struct control_method *methods; /* borrowed */
    const char **names;                   /* owned array; of the methods, for hints */
    size_t count;
    void *owner;                     /* borrowed; handed to the methods */
    struct control_streams *streams; /* borrowed; where a call can become a stream */
};

/* Runs the request in one line, or answers what is wrong with it.  The method may close the peer and the control. */
void control_request_run(const struct control_rows *rows, struct control_peer *peer,
                         const char *text, size_t len);
/* A call of a peer that waits for its answer, without a request; id is taken.  NULL: no memory, the id is freed. */
struct control_call *control_request_make_call(const struct control_rows *rows,
                                               struct control_peer *peer, json_t *id);
/* Sends an error answer.  id is borrowed; NULL when none could be read, which JSON-RPC says as null. */
void control_request_fail(struct control_peer *peer, json_t *id, int code, const char *message);
/* Sends an error to a connection that will not become a peer; the caller closes it. */
void control_request_turn_away(int fd, int code, const char *message);

#endif
