/* wait.c - `fsdctl wait`: returns when the daemon is as wanted.
 * Owns nothing.  How: the daemon answers when it is so; until its socket is there, connecting is tried again.
 * Called through the row of main.c.  Must not ask over and over what the daemon can tell. */
#include "ctl/wait.h"

#include <jansson.h>
#include <string.h>

#include "common/command.h"
#include "common/parse.h"
#include "common/proto.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/field.h"
#include "ctl/output.h"

enum { TIMEOUT_MS = 2 * 60 * 1000 };

/* "ready", "drained" or "config=N" as parameters; NULL: it is none of them, or there is no memory. */
static json_t *make_params(const char *wanted)
{
    static const char config[] = "config=";
    uint64_t number = 0;
    if (strcmp(wanted, "ready") == 0 || strcmp(wanted, "drained") == 0) {
        return json_pack("{s:s}", "for", wanted);
    }
    if (strncmp(wanted, config, strlen(config)) != 0 ||
        parse_digits(wanted + strlen(config), 10, INT64_MAX, &number) < 0 || number == 0) {
        return NULL;
    }
    return json_pack("{s:s, s:I}", "for", "config", "number", (json_int_t)number);
}

static void show(const struct command_args *args, const char *wanted, const json_t *result)
{
    struct output output;
    uint64_t waited_ms = 0;
    char waited[OUTPUT_NUMBER_MAX];
    output_init(&output, args->out);
    if (command_has_option(args, "json")) {
        output_json(&output, result);
        return;
    }
    (void)field_find_number(result, "waited_ms", &waited_ms);
    output_format_duration(waited_ms, waited);
    (void)fprintf(args->out, "%s after %s\n", wanted, waited);
}

int wait_run(const struct command_args *args)
{
    struct client client;
    uint64_t timeout_ms = 0;
    json_t *result = NULL;
    const char *wanted = command_find_option(args, "for");
    json_t *params = wanted != NULL ? make_params(wanted) : NULL;
    if (params == NULL) {
        return ask_refuse(args,
                          "say what to wait for: --for=ready, --for=drained or --for=config=N");
    }
    int code = ask_get_timeout(args, TIMEOUT_MS, &timeout_ms);
    code = code == FSD_EXIT_OK ? ask_open_patiently(args, timeout_ms, &client) : code;
    if (code != FSD_EXIT_OK) {
        json_decref(params);
        return code;
    }
    code = ask_call(args, &client, "wait", params, &result);
    client_close(&client);
    if (code == FSD_EXIT_OK) {
        show(args, wanted, result);
    } else if (code == FSD_EXIT_TIMEOUT) {
        (void)fprintf(args->err, "not %s yet; `%s status` shows why\n", wanted,
                      args->program->name);
    }
    json_decref(result);
    return code;
}
