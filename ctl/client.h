#ifndef FSD_CTL_CLIENT_H
#define FSD_CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/line.h"

struct fsd_err;

/* One connection to the control socket of fsd.  All waits together end at one deadline. */
struct client {
    int fd; /* owned */
    struct line line;
    uint64_t deadline_ms;             /* CLOCK_MONOTONIC */
    uint64_t timeout_ms;              /* for sentences */
    json_t *refusal;                  /* owned; the last error that the daemon answered, or NULL */
    const struct client_watch *watch; /* borrowed; NULL: nobody looks */
    void *owner;                      /* borrowed; of the watch */
};

/* Of a call that takes a while. */
struct client_watch {
    /* What comes before the answer that is no answer; NULL: it is dropped. */
    void (*on_notification)(void *owner, const json_t *notification);
    /* The time is over.  True: wait as long once more; NULL: never. */
    bool (*on_late)(void *owner);
};

/* Connects.  -ENOENT, -ECONNREFUSED: no daemon there; -EACCES; -ETIMEDOUT; other negative errno. */
int client_open(struct client *ret_client, const char *path, uint64_t timeout_ms,
                struct fsd_err *err);
void client_close(struct client *client);
/* Sends one request and waits for its answer; takes params.  On success the caller owns ret_result.  -EREMOTEIO: the daemon
 * said that it failed, and why; -EBADMSG: the configuration is wrong; -EACCES: it does not serve us; -ENOTSUP: it does not know
 * the method; -ECONNRESET: it hung up; -EPROTO: what it said is no answer; -ETIMEDOUT. */
int client_call(struct client *client, const char *method, json_t *params, json_t **ret_result,
                struct fsd_err *err);
/* What the daemon said when the last call failed, however long; NULL: it was not the daemon who said something. */
const char *client_get_refusal(const struct client *client);
/* Waits, without end, for the next notification of a stream that a call has opened; the caller owns it.  -ECONNRESET: the
 * daemon hung up; -EPROTO. */
int client_next(struct client *client, json_t **ret_notification, struct fsd_err *err);
/* Waits until the daemon has closed the connection, as it does at its end.  0 or -ETIMEDOUT. */
int client_wait_end(struct client *client, struct fsd_err *err);
/* The exit code for a result of the functions above. */
int client_exit_code(int result);

#endif
