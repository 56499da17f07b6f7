/* client.c - one connection to the control socket, one request at a time.
 * Owns the descriptor and what was received.
 * How: JSON-RPC 2.0, one object a line; connect, write and read each wait no longer than what is left of the deadline.  After
 * the answer a connection may go on with notifications, which come when they come.
 * Called by ask.c and the commands that wait for more than an answer.  Must not know any method, nor print. */
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/fd.h"
#include "common/proto.h"
#include "ctl/answer.h"

enum {
    ANSWER_MAX = 16 * 1024 * 1024, /* above what the daemon lets wait for one peer */
    READ_BYTES = 16 * 1024,
    POLL_MAX_MS = 60 * 1000, /* in one call, so that it fits its int */
};

static const struct {
    int errnum;
    int code;
} exit_codes[] = {
    {ENOENT, FSD_EXIT_NOT_RUNNING},     {ECONNREFUSED, FSD_EXIT_NOT_RUNNING},
    {ENOTDIR, FSD_EXIT_NOT_RUNNING},    {EACCES, FSD_EXIT_UNKNOWN},
    {EPERM, FSD_EXIT_UNKNOWN},          {ENAMETOOLONG, FSD_EXIT_USAGE},
    {ECONNRESET, FSD_EXIT_UNAVAILABLE}, {EPROTO, FSD_EXIT_UNAVAILABLE},
    {ENOTSUP, FSD_EXIT_UNAVAILABLE},    {ETIMEDOUT, FSD_EXIT_TIMEOUT},
    {EREMOTEIO, FSD_EXIT_FAILED},       {EBADMSG, FSD_EXIT_CONFIG},
};

int client_exit_code(int result)
{
    for (size_t i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++) {
        if (exit_codes[i].errnum == -result) {
            return exit_codes[i].code;
        }
    }
    return result >= 0 ? FSD_EXIT_OK : FSD_EXIT_INTERNAL;
}

static int say_timeout(const struct client *client, struct fsd_err *err)
{
    return fsd_err_set(err, ETIMEDOUT, "fsd did not answer within %.3g s",
                       (double)client->timeout_ms / 1000);
}

static int say_hung_up(struct fsd_err *err)
{
    return fsd_err_set(err, ECONNRESET, "fsd hung up before it answered");
}

static int refuse_connect(int errnum, const char *path, struct fsd_err *err)
{
    const char *why = strerror(errnum);
    switch (client_exit_code(-errnum)) {
    case FSD_EXIT_NOT_RUNNING:
        return fsd_err_set(err, errnum, "fsd is not running (no answer at \"%s\": %s)", path, why);
    case FSD_EXIT_UNKNOWN:
        return fsd_err_set(
            err, errnum, "cannot connect to \"%s\": %s; only root and the group of the socket may",
            path, why);
    default:
        return fsd_err_set(err, errnum, "cannot connect to \"%s\": %s", path, why);
    }
}

int client_open(struct client *ret_client, const char *path, uint64_t timeout_ms,
                struct fsd_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        return refuse_connect(ENAMETOOLONG, path, err);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    struct client client = {
        .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
        .deadline_ms = clock_monotonic_ms() + timeout_ms,
        .timeout_ms = timeout_ms,
    };
    if (client.fd < 0) {
        return refuse_connect(errno, path, err);
    }
    /* A Unix socket can't be polled for a connect that waits for the backlog; this bounds it instead. */
    struct timeval wait = {(time_t)(timeout_ms / 1000),
                           (suseconds_t)(timeout_ms % 1000 * 1000 + 1)}; /* 0 would be no bound */
    if (setsockopt(client.fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
        connect(client.fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        int r = errno == EAGAIN || errno == EINPROGRESS ? say_timeout(&client, err)
                                                        : refuse_connect(errno, path, err);
        fd_close(&client.fd);
        return r;
    }
    line_init(&client.line, ANSWER_MAX);
    *ret_client = client;
    return 0;
}

void client_close(struct client *client)
{
    fd_close(&client->fd);
    line_fini(&client->line);
    json_decref(client->refusal);
    client->refusal = NULL;
}

/* Is there still time, perhaps some more? */
static bool has_time(struct client *client)
{
    const struct client_watch *watch = client->watch;
    if (clock_monotonic_ms() < client->deadline_ms) {
        return true;
    }
    if (watch == NULL || watch->on_late == NULL || !watch->on_late(client->owner)) {
        return false;
    }
    client->deadline_ms = clock_monotonic_ms() + client->timeout_ms;
    return true;
}

/* 0 when the descriptor is ready for events, or -ETIMEDOUT. */
static int wait_for(struct client *client, short events, struct fsd_err *err)
{
    for (;;) {
        if (!has_time(client)) {
            return say_timeout(client, err);
        }
        uint64_t now = clock_monotonic_ms();
        uint64_t left = client->deadline_ms > now ? client->deadline_ms - now : 0;
        struct pollfd pollfd = {client->fd, events, 0};
        int r = poll(&pollfd, 1, left < POLL_MAX_MS ? (int)left : POLL_MAX_MS);
        if (r > 0) {
            return 0;
        }
        if (r < 0 && errno != EINTR) {
            return fsd_err_set(err, errno, "cannot wait for fsd: %s", strerror(errno));
        }
    }
}

static int send_all(struct client *client, const char *bytes, size_t len, struct fsd_err *err)
{
    for (size_t sent = 0; sent < len;) {
        int r = wait_for(client, POLLOUT, err);
        if (r < 0) {
            return r;
        }
        ssize_t n = send(client->fd, bytes + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            return 0; /* it may have said why before it hung up: let the reading tell */
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return fsd_err_set(err, errno, "cannot write to fsd: %s", strerror(errno));
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Takes params. */
static int send_request(struct client *client, const char *method, json_t *params,
                        struct fsd_err *err)
{
    json_t *request = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", ANSWER_ID, "method",
                                method, "params", params);
    char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    if (text == NULL) {
        return fsd_err_set(err, ENOMEM, "cannot make the request: out of memory");
    }
    size_t len = strlen(text);
    text[len] = '\n'; /* in place of the NUL */
    int r = send_all(client, text, len + 1, err);
    free(text);
    return r;
}

/* Receives what is there.  1: something; 0: end of file; negative errno. */
static int receive(struct client *client, struct fsd_err *err)
{
    char block[READ_BYTES];
    int r = wait_for(client, POLLIN, err);
    if (r < 0) {
        return r;
    }
    ssize_t n = recv(client->fd, block, sizeof(block), MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno == ECONNRESET)) {
        return 0;
    }
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR
                   ? 1
                   : fsd_err_set(err, errno, "cannot read from fsd: %s", strerror(errno));
    }
    r = line_append(&client->line, block, (size_t)n);
    return r < 0 ? fsd_err_set(err, -r, "cannot read from fsd: %s", strerror(-r)) : 1;
}

static int read_line(struct client *client, char **ret_text, size_t *ret_len, struct fsd_err *err)
{
    for (;;) {
        int r = line_next(&client->line, ret_text, ret_len);
        if (r == 1) {
            return 0;
        }
        if (r < 0) {
            return fsd_err_set(err, EPROTO, "the answer of fsd is too long");
        }
        r = receive(client, err);
        if (r <= 0) {
            return r < 0 ? r : say_hung_up(err);
        }
    }
}

static int read_object(struct client *client, json_t **ret_object, struct fsd_err *err)
{
    char *text = NULL;
    size_t len = 0;
    int r = read_line(client, &text, &len, err);
    if (r < 0) {
        return r;
    }
    json_error_t where;
    json_t *object = json_loadb(text, len, 0, &where);
    if (object == NULL) {
        return fsd_err_set(err, EPROTO, "the answer of fsd is not JSON: %s", where.text);
    }
    *ret_object = object;
    return 0;
}

int client_call(struct client *client, const char *method, json_t *params, json_t **ret_result,
                struct fsd_err *err)
{
    json_decref(client->refusal);
    client->refusal = NULL;
    int r = send_request(client, method, params, err);
    if (r < 0) {
        return r;
    }
    do {
        json_t *answer = NULL;
        r = read_object(client, &answer, err);
        if (r < 0) {
            return r;
        }
        r = answer_take(answer, ret_result, err);
        if (r < 0) {
            client->refusal = json_incref(json_object_get(answer, "error"));
        } else if (r == 1 && client->watch != NULL && client->watch->on_notification != NULL) {
            client->watch->on_notification(client->owner, answer);
        }
        json_decref(answer);
    } while (r == 1);
    return r;
}

const char *client_get_refusal(const struct client *client)
{
    return json_string_value(json_object_get(client->refusal, "message"));
}

int client_next(struct client *client, json_t **ret_notification, struct fsd_err *err)
{
    client->deadline_ms = UINT64_MAX;
    for (;;) {
        json_t *object = NULL;
        int r = read_object(client, &object, err);
        if (r < 0) {
            return r;
        }
        if (json_is_string(json_object_get(object, "method"))) {
            *ret_notification = object;
            return 0;
        }
        json_decref(object);
    }
}

int client_wait_end(struct client *client, struct fsd_err *err)
{
    int r = 1;
    while (r == 1) {
        char *text = NULL;
        size_t len = 0;
        while (line_next(&client->line, &text, &len) == 1) {
            /* whatever it still says has no reader */
        }
        r = receive(client, err);
    }
    return r;
}
