#ifndef FSD_CTL_ASK_H
#define FSD_CTL_ASK_H

#include <jansson.h>
#include <stdint.h>

struct client;
struct command_args;

/* The part that all commands have: find the socket, connect, call, say what went wrong.  Both return FSD_EXIT_OK, or the exit
 * code after the sentence was printed. */

/* The socket is that of --socket, else of FSD_SOCKET, else the default; the deadline that of --timeout, else default_ms. */
int ask_open(const struct command_args *args, uint64_t default_ms, struct client *ret_client);
/* Calls the method; takes params (NULL: no memory for them).  The caller owns ret_result. */
int ask_call(const struct command_args *args, struct client *client, const char *method,
             json_t *params, json_t **ret_result);

#endif
