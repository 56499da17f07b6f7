/* control_request.c - from a line of JSON to the method that it names, and back to an answer.
 * Owns the calls that wait for an answer.
 * How: one line is one request; its shape is checked, its method looked up in the rows and run with a call that can be
 * answered at once or later.  A call holds its peer, so an answer to a peer that is gone has a place to be dropped.
 * Called by control.c for each line, and by whoever answers a call (control_answer and control_fail of control.h).
 * Must not know what a method does, nor who may talk: a peer that gets here may. */
#include "daemon/control/control_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/nearest.h"
#include "common/rpc.h"
#include "daemon/control/control.h"
#include "daemon/control/control_peer.h"
#include "daemon/control/control_stream.h"

enum {
    CALLS_MAX = 64,       /* that one peer may let wait */
    METHOD_NAME_MAX = 64, /* a longer one is not repeated in the answer */
};

_Static_assert((int)CONTROL_FAILED == (int)RPC_FAILED && (int)CONTROL_BUSY == (int)RPC_BUSY &&
                   (int)CONTROL_BAD_PARAMS == (int)RPC_BAD_PARAMS,
               "fsdctl reads the codes by their names in rpc.h");

struct control_call {
    struct control_peer *peer;       /* held */
    json_t *id;                      /* owned; NULL: a notification, which gets no answer */
    struct control_streams *streams; /* borrowed; gone when the peer is closed */
};

/* JSON has only UTF-8; a sentence with anything else in it is better told in part than lost. */
static json_t *make_text(const char *message)
{
    json_t *text = json_string(message);
    char *copy = text == NULL ? strdup(message) : NULL;
    if (copy != NULL) {
        for (char *at = copy; *at != '\0'; at++) {
            if ((*at & 0x80) != 0) {
                *at = '?';
            }
        }
        text = json_string(copy);
    }
    free(copy);
    return text;
}

/* id is borrowed; NULL is said as null. */
static json_t *pack_error(json_t *id, int code, const char *message)
{
    json_t *said = id != NULL ? json_incref(id) : json_null();
    return json_pack("{s:s, s:o, s:{s:i, s:o}}", "jsonrpc", "2.0", "id", said, "error", "code",
                     code, "message", make_text(message));
}

/* The line for an answer, which it takes, without a NUL and with its newline.  The caller frees it; NULL: no memory. */
static char *format_line(json_t *answer, size_t *ret_len)
{
    char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
    json_decref(answer);
    if (text != NULL) {
        *ret_len = strlen(text) + 1;
        text[*ret_len - 1] = '\n';
    }
    return text;
}

/* Takes the answer; NULL when it could not be made: the peer gets a text that needs no memory. */
static void send_answer(struct control_peer *peer, json_t *answer)
{
    static const char no_answer[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,"
                                    "\"message\":\"cannot write the answer\"}}\n";
    size_t len = 0;
    char *line = format_line(answer, &len);
    if (line == NULL) {
        control_peer_send(peer, no_answer, sizeof(no_answer) - 1);
        return;
    }
    control_peer_send(peer, line, len);
    free(line);
}

void control_request_fail(struct control_peer *peer, json_t *id, int code, const char *message)
{
    send_answer(peer, pack_error(id, code, message));
}

void control_request_turn_away(int fd, int code, const char *message)
{
    size_t len = 0;
    char *line = format_line(pack_error(NULL, code, message), &len);
    if (line != NULL) {
        /* Fits an empty socket; a peer that is gone already misses nothing. */
        (void)send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    free(line);
}

static void free_call(struct control_call *call)
{
    json_decref(call->id);
    control_peer_release(call->peer);
    free(call);
}

void control_answer(struct control_call *call, json_t *result)
{
    if (result == NULL) {
        control_fail(call, CONTROL_FAILED, "out of memory");
        return;
    }
    if (call->id != NULL) {
        send_answer(call->peer, json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", call->id,
                                          "result", result));
    } else {
        json_decref(result);
    }
    free_call(call);
}

void control_answer_text(struct control_call *call, const char *result, size_t len)
{
    char *id = call->id != NULL ? json_dumps(call->id, JSON_ENCODE_ANY) : NULL;
    if (call->id != NULL && id == NULL) {
        control_fail(call, CONTROL_FAILED, "out of memory");
        return;
    }
    if (id != NULL) {
        static const char begin[] = "{\"jsonrpc\":\"2.0\",\"id\":";
        static const char middle[] = ",\"result\":";
        control_peer_send(call->peer, begin, sizeof(begin) - 1);
        control_peer_send(call->peer, id, strlen(id));
        control_peer_send(call->peer, middle, sizeof(middle) - 1);
        control_peer_send(call->peer, result, len);
        control_peer_send(call->peer, "}\n", 2);
    }
    free(id);
    free_call(call);
}

/* Half an answer of before would be lost, and the next one not understood. */
int control_call_leave(const struct control_call *call, int *ret_fd, char **ret_id)
{
    int fd = control_peer_get_fd(call->peer);
    if (call->id == NULL || fd < 0 || control_peer_waiting(call->peer) > 0) {
        return -ENOTCONN;
    }
    char *id = json_dumps(call->id, JSON_ENCODE_ANY);
    if (id == NULL) {
        return -ENOMEM;
    }
    *ret_fd = fd;
    *ret_id = id;
    return 0;
}

int control_stream_open(struct control_stream **ret_stream, const struct control_call *call,
                        const struct control_stream_events *events, void *owner)
{
    if (call->id == NULL || !control_peer_is_open(call->peer)) {
        return -ENOTCONN;
    }
    return control_streams_add(call->streams, ret_stream, call->peer, events, owner);
}

void control_fail(struct control_call *call, enum control_error code, const char *message)
{
    if (call->id != NULL) {
        control_request_fail(call->peer, call->id, (int)code, message);
    }
    free_call(call);
}

static void refuse_method(const struct control_rows *rows, struct control_peer *peer, json_t *id,
                          const char *name)
{
    if (id == NULL) {
        return;
    }
    char quoted[METHOD_NAME_MAX + 4] = "";
    if (strlen(name) <= METHOD_NAME_MAX) {
        (void)snprintf(quoted, sizeof(quoted), " \"%s\"", name); /* fits, see above */
    }
    char message[256];
    const char *near = nearest_find(name, rows->names, rows->count);
    if (near != NULL) {
        (void)snprintf(message, sizeof(message), "unknown method%s; did you mean \"%s\"?", quoted,
                       near); /* names of rows are short */
    } else {
        (void)snprintf(message, sizeof(message), "unknown method%s", quoted);
    }
    control_request_fail(peer, id, RPC_UNKNOWN_METHOD, message);
}

struct control_call *control_request_make_call(const struct control_rows *rows,
                                               struct control_peer *peer, json_t *id)
{
    struct control_call *call = calloc(1, sizeof(*call));
    if (call == NULL) {
        json_decref(id);
        return NULL;
    }
    control_peer_hold(peer);
    *call = (struct control_call){.peer = peer, .id = id, .streams = rows->streams};
    return call;
}

/* Runs a request whose shape has been checked.  The rows may be gone afterwards. */
static void run_method(const struct control_rows *rows, struct control_peer *peer, json_t *id,
                       const char *name, const json_t *params)
{
    const struct control_method *method = NULL;
    for (size_t i = 0; i < rows->count && method == NULL; i++) {
        method = strcmp(rows->methods[i].name, name) == 0 ? &rows->methods[i] : NULL;
    }
    if (method == NULL) {
        refuse_method(rows, peer, id, name);
        return;
    }
    struct control_call *call =
        control_peer_holds(peer) < CALLS_MAX
            ? control_request_make_call(rows, peer, id != NULL ? json_incref(id) : NULL)
            : NULL;
    if (call == NULL) {
        if (id != NULL) {
            control_request_fail(peer, id, RPC_BUSY,
                                 "too many requests of this connection wait for an answer");
        }
        return;
    }
    method->run(rows->owner, call, params);
}

/* What is wrong with the request's shape; NULL when nothing is. */
static const char *check_shape(const json_t *request)
{
    if (json_is_array(request)) {
        return "batches are not supported: send one request a line";
    }
    const json_t *version = json_object_get(request, "jsonrpc");
    if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0) {
        return "not a JSON-RPC 2.0 request: \"jsonrpc\":\"2.0\" is missing";
    }
    const json_t *id = json_object_get(request, "id");
    if (id != NULL && !json_is_string(id) && !json_is_number(id) && !json_is_null(id)) {
        return "\"id\" must be a string, a number or null";
    }
    if (!json_is_string(json_object_get(request, "method"))) {
        return "\"method\" must be a string";
    }
    return NULL;
}

static void run_request(const struct control_rows *rows, struct control_peer *peer,
                        const json_t *request)
{
    json_t *id = json_object_get(request, "id");
    const char *wrong = check_shape(request);
    if (wrong != NULL) {
        json_t *usable = json_is_string(id) || json_is_number(id) ? id : NULL;
        control_request_fail(peer, usable, RPC_INVALID_REQUEST, wrong);
        return;
    }
    json_t *params = json_object_get(request, "params");
    if (params != NULL && !json_is_object(params)) {
        if (id != NULL) {
            control_request_fail(peer, id, RPC_BAD_PARAMS, "\"params\" must be an object");
        }
        return;
    }
    json_t *named = params != NULL ? json_incref(params) : json_object();
    run_method(rows, peer, id, json_string_value(json_object_get(request, "method")), named);
    json_decref(named);
}

void control_request_run(const struct control_rows *rows, struct control_peer *peer,
                         const char *text, size_t len)
{
    if (strspn(text, " \t\r") == len) {
        return; /* an empty line is no request */
    }
    json_error_t error;
    json_t *request = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (request == NULL) {
        char message[sizeof(error.text) + 64];
        (void)snprintf(message, sizeof(message), "the line is not JSON: %s (byte %d)", error.text,
                       error.position); /* roomy */
        control_request_fail(peer, NULL, RPC_PARSE_ERROR, message);
        return;
    }
    run_request(rows, peer, request);
    json_decref(request);
}
