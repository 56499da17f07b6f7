#ifndef FSD_CTL_ASK_H
#define FSD_CTL_ASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct client;
struct command_args;
struct fsd_err;
struct output;

/* The part that all commands have: find the socket, connect, call, say what went wrong, show the result.  All return
 * FSD_EXIT_OK, or the exit code after the sentence was printed. */

/* A command that asks once and shows what it is answered. */
struct ask_row {
    const char *method;
    const char *schema;  /* of the result; NULL: it has none */
    uint64_t timeout_ms; /* without --timeout */
    bool goes_on;        /* in the daemon, when nobody waits for it any more */
    /* The exit code that the result means, or a negative errno with a sentence; NULL: it means FSD_EXIT_OK. */
    int (*judge)(const json_t *result, struct fsd_err *err);
    /* Prints the result for people.  0, -EPROTO: it makes no sense; -ENOMEM. */
    int (*render)(const json_t *result, const struct output *output);
};

/* Takes params (NULL: no memory for them).  With --json the result is printed as it came; its "note" goes to standard error. */
int ask_and_show(const struct command_args *args, const struct ask_row *row, json_t *params);

/* The second half of it: the result of a call is printed, and judged. */
int ask_show(const struct command_args *args, const struct ask_row *row, const json_t *result);
/* What else there is to say when the call has failed with this exit code. */
void ask_show_late(const struct command_args *args, const struct ask_row *row, int code);

/* The time of --timeout, else default_ms. */
int ask_get_timeout(const struct command_args *args, uint64_t default_ms, uint64_t *ret_ms);
/* The socket is that of --socket, else of FSD_SOCKET, else the default; all waits together end after timeout_ms. */
int ask_open(const struct command_args *args, uint64_t timeout_ms, struct client *ret_client);
/* The same for a daemon that may not be there yet: tries again until timeout_ms have passed. */
int ask_open_patiently(const struct command_args *args, uint64_t timeout_ms,
                       struct client *ret_client);
/* Calls the method; takes params (NULL: no memory for them).  The caller owns ret_result. */
int ask_call(const struct command_args *args, struct client *client, const char *method,
             json_t *params, json_t **ret_result);
/* A question on a connection of its own, of whose failure nothing is said; the result is the caller's, NULL: there is none. */
json_t *ask_quietly(const struct command_args *args, const char *method, uint64_t timeout_ms);
/* Prints the sentence of a failed call of client.h and returns its exit code. */
int ask_report(const struct command_args *args, int result, const char *sentence);
/* Says that the command line is wrong: FSD_EXIT_USAGE. */
int ask_refuse(const struct command_args *args, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
