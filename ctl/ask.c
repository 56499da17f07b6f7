/* ask.c - what every command of fsdctl does before it shows an answer.
 * Owns nothing.  How: options and environment say where and how long, client.c does it, and a failure becomes one line
 * and an exit code here, so that all commands fail alike.
 * Called by the commands.  Must not know what an answer means. */
#include "ctl/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/command.h"
#include "common/err.h"
#include "common/parse.h"
#include "common/proto.h"
#include "common/rpc.h"
#include "ctl/client.h"
#include "ctl/output.h"

/* Prints the sentence, in which a daemon may have had its word, and turns the failure into an exit code. */
static int report(const struct command_args *args, int result, const struct fsd_err *why)
{
    struct output output;
    output_init(&output, args->err);
    /* an error of code has several lines: where, then the traceback */
    for (const char *at = why->text; at != NULL;) {
        const char *newline = strchr(at, '\n');
        char line[FSD_ERR_MAX];
        char sentence[FSD_ERR_MAX + 64];
        size_t len = newline != NULL ? (size_t)(newline - at) : strlen(at);
        size_t tabs = strspn(at, "\t");
        (void)snprintf(line, sizeof(line), "%*s%.*s", (int)tabs * 4, "", (int)(len - tabs),
                       at + tabs);
        output_escape(&output, line, sentence, sizeof(sentence));
        (void)fprintf(args->err, "%s\n", sentence);
        at = newline != NULL ? newline + 1 : NULL;
    }
    return client_exit_code(result);
}

static const char *find_socket(const struct command_args *args)
{
    const char *path = command_find_option(args, "socket");
    if (path == NULL) {
        path = getenv("FSD_SOCKET");
    }
    return path != NULL && path[0] != '\0' ? path : RPC_SOCKET_PATH;
}

int ask_open(const struct command_args *args, uint64_t default_ms, struct client *ret_client)
{
    uint64_t timeout_ms = default_ms;
    const char *timeout = command_find_option(args, "timeout");
    if (timeout != NULL && parse_duration_ms(timeout, &timeout_ms) < 0) {
        (void)fprintf(
            args->err,
            "%s: --timeout must be a time with its unit, as in 500ms, 10s or 2m, not \"%s\"\n",
            args->program->name, timeout);
        return FSD_EXIT_USAGE;
    }
    struct fsd_err why = {""};
    int r = client_open(ret_client, find_socket(args), timeout_ms, &why);
    return r < 0 ? report(args, r, &why) : FSD_EXIT_OK;
}

int ask_call(const struct command_args *args, struct client *client, const char *method,
             json_t *params, json_t **ret_result)
{
    struct fsd_err why = {""};
    if (params == NULL) {
        return report(args, fsd_err_set(&why, ENOMEM, "cannot make the request: out of memory"),
                      &why);
    }
    int r = client_call(client, method, params, ret_result, &why);
    return r < 0 ? report(args, r, &why) : FSD_EXIT_OK;
}
