/* ask.c - what every command of fsdctl does around the one thing that it is about.
 * Owns nothing.  How: options and environment say where and how long, client.c does it, and a failure becomes its sentence
 * and an exit code here, so that all commands fail alike.  For a command that asks once, a row says the rest.
 * Called by the commands.  Must not know what an answer means. */
#include "ctl/ask.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/command.h"
#include "common/err.h"
#include "common/parse.h"
#include "common/proto.h"
#include "common/rpc.h"
#include "ctl/client.h"
#include "ctl/field.h"
#include "ctl/output.h"

enum { RETRY_MS = 20 };

/* A daemon may have had its word in it, in several lines: where an error is, then its traceback. */
int ask_report(const struct command_args *args, int result, const char *sentence)
{
    struct output output;
    output_init(&output, args->err);
    output_lines(&output, "", "", sentence);
    return client_exit_code(result);
}

int ask_refuse(const struct command_args *args, const char *fmt, ...)
{
    va_list list;
    (void)fprintf(args->err, "%s: ", args->program->name);
    va_start(list, fmt);
    (void)vfprintf(args->err, fmt, list);
    va_end(list);
    (void)fputc('\n', args->err);
    return FSD_EXIT_USAGE;
}

static const char *find_socket(const struct command_args *args)
{
    const char *path = command_find_option(args, "socket");
    if (path == NULL) {
        path = getenv("FSD_SOCKET");
    }
    return path != NULL && path[0] != '\0' ? path : RPC_SOCKET_PATH;
}

int ask_get_timeout(const struct command_args *args, uint64_t default_ms, uint64_t *ret_ms)
{
    const char *timeout = command_find_option(args, "timeout");
    *ret_ms = default_ms;
    if (timeout != NULL && parse_duration_ms(timeout, ret_ms) < 0) {
        return ask_refuse(
            args, "--timeout must be a time with its unit, as in 500ms, 10s or 2m, not \"%s\"",
            timeout);
    }
    return FSD_EXIT_OK;
}

int ask_open(const struct command_args *args, uint64_t timeout_ms, struct client *ret_client)
{
    struct fsd_err why = {""};
    int r = client_open(ret_client, find_socket(args), timeout_ms, &why);
    return r < 0 ? ask_report(args, r, why.text) : FSD_EXIT_OK;
}

int ask_open_patiently(const struct command_args *args, uint64_t timeout_ms,
                       struct client *ret_client)
{
    static const struct timespec pause = {0, RETRY_MS * 1000000L};
    uint64_t begun_ms = clock_monotonic_ms();
    for (;;) {
        struct fsd_err why = {""};
        uint64_t passed_ms = clock_monotonic_ms() - begun_ms;
        uint64_t left_ms = passed_ms < timeout_ms ? timeout_ms - passed_ms : 0;
        int r = client_open(ret_client, find_socket(args), left_ms, &why);
        if (r == 0) {
            ret_client->timeout_ms = timeout_ms; /* that is what sentences speak of */
            return FSD_EXIT_OK;
        }
        if (left_ms == 0 || client_exit_code(r) != FSD_EXIT_NOT_RUNNING) {
            return ask_report(args, r, why.text);
        }
        (void)nanosleep(&pause, NULL); /* no event tells that a path will be there one day */
    }
}

int ask_call(const struct command_args *args, struct client *client, const char *method,
             json_t *params, json_t **ret_result)
{
    struct fsd_err why = {""};
    if (params == NULL) {
        int r = fsd_err_set(&why, ENOMEM, "cannot make the request: out of memory");
        return ask_report(args, r, why.text);
    }
    int r = client_call(client, method, params, ret_result, &why);
    if (r == 0) {
        return FSD_EXIT_OK;
    }
    const char *refusal = client_get_refusal(client);
    return ask_report(args, r, refusal != NULL ? refusal : why.text);
}

json_t *ask_quietly(const struct command_args *args, const char *method, uint64_t timeout_ms)
{
    struct client client;
    json_t *params = json_object();
    json_t *result = NULL;
    if (params == NULL || client_open(&client, find_socket(args), timeout_ms, NULL) < 0) {
        json_decref(params);
        return NULL;
    }
    if (client_call(&client, method, params, &result, NULL) < 0) {
        result = NULL;
    }
    client_close(&client);
    return result;
}

static int judge(const struct ask_row *row, const json_t *result, struct fsd_err *err)
{
    if (row->schema != NULL && !field_is(result, "schema", row->schema)) {
        return fsd_err_set(err, EPROTO, "the answer is of kind \"%s\", this fsdctl reads \"%s\"",
                           field_get_text(result, "schema"), row->schema);
    }
    return row->judge != NULL ? row->judge(result, err) : FSD_EXIT_OK;
}

int ask_show(const struct command_args *args, const struct ask_row *row, const json_t *result)
{
    struct output output;
    struct fsd_err why = {""};
    output_init(&output, args->out);
    bool is_json = command_has_option(args, "json");
    if (is_json) {
        output_json(&output, result);
    }
    int code = judge(row, result, &why);
    if (code < 0) {
        return ask_report(args, code, why.text);
    }
    int r = is_json ? 0 : row->render(result, &output);
    if (r < 0) {
        return ask_report(args, r,
                          r == -ENOMEM
                              ? "cannot print the answer: out of memory"
                              : "it is done, but the answer makes no sense to this fsdctl");
    }
    const char *note = json_string_value(json_object_get(result, "note"));
    if (note != NULL) {
        (void)ask_report(args, 0, note);
    }
    return code;
}

void ask_show_late(const struct command_args *args, const struct ask_row *row, int code)
{
    if (code == FSD_EXIT_TIMEOUT && row->goes_on) {
        (void)fprintf(args->err, "it goes on; `%s events` shows what comes of it\n",
                      args->program->name);
    }
}

int ask_and_show(const struct command_args *args, const struct ask_row *row, json_t *params)
{
    struct client client;
    uint64_t timeout_ms = 0;
    json_t *result = NULL;
    int code = ask_get_timeout(args, row->timeout_ms, &timeout_ms);
    code = code == FSD_EXIT_OK ? ask_open(args, timeout_ms, &client) : code;
    if (code != FSD_EXIT_OK) {
        json_decref(params);
        return code;
    }
    code = ask_call(args, &client, row->method, params, &result);
    client_close(&client);
    if (code == FSD_EXIT_OK) {
        code = ask_show(args, row, result);
    } else {
        ask_show_late(args, row, code);
    }
    json_decref(result);
    return code;
}
