/* wait.c - `fsdctl wait`: returns when the daemon is as wanted.
 * Owns nothing.  How: the daemon answers when it is so; until its socket is there, connecting is tried again.
 * Called through the row of main.c.  Must not ask over and over what the daemon can tell. */
#include "ctl/wait.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "common/command.h"
#include "common/err.h"
#include "common/parse.h"
#include "common/proto.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/field.h"
#include "ctl/output.h"

enum { TIMEOUT_MS = 2 * 60 * 1000, STATUS_TIMEOUT_MS = 1000 };

/* "ready", "drained", "confirmed" or "config=N" as parameters; NULL: it is none of them, or there is no memory. */
static json_t *make_params(const char *wanted)
{
    static const char config[] = "config=";
    uint64_t number = 0;
    if (strcmp(wanted, "ready") == 0 || strcmp(wanted, "drained") == 0 ||
        strcmp(wanted, "confirmed") == 0) {
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

/* It is not so in time: what is the case instead? */
static int report_late(const struct command_args *args, const char *wanted, uint64_t timeout_ms)
{
    char sentence[256];
    const char *number = strchr(wanted, '=');
    double seconds = (double)timeout_ms / 1000;
    json_t *status = ask_quietly(args, "status", STATUS_TIMEOUT_MS);
    uint64_t runs = 0;
    if (status == NULL) {
        (void)snprintf(sentence, sizeof(sentence), "not %s after %.3g s, and fsd does not answer",
                       wanted, seconds);
    } else if (strcmp(wanted, "confirmed") == 0) {
        (void)snprintf(sentence, sizeof(sentence),
                       "the code is not confirmed after %.3g s; `%s generations` shows how long it "
                       "takes",
                       seconds, args->program->name);
    } else if (number == NULL) {
        (void)snprintf(sentence, sizeof(sentence),
                       "fsd is not %s after %.3g s (it is %.32s); `%s status` shows why", wanted,
                       seconds, field_get_text(status, "state"), args->program->name);
    } else {
        (void)field_find_number(json_object_get(status, "config"), "number", &runs);
        (void)snprintf(sentence, sizeof(sentence),
                       "configuration %s is not running after %.3g s (it is %llu)", number + 1,
                       seconds, (unsigned long long)runs);
    }
    json_decref(status);
    return ask_report(args, -ETIMEDOUT, sentence);
}

int wait_run(const struct command_args *args)
{
    struct client client;
    uint64_t timeout_ms = 0;
    json_t *result = NULL;
    const char *wanted = command_find_option(args, "for");
    json_t *params = wanted != NULL ? make_params(wanted) : NULL;
    if (params == NULL) {
        return ask_refuse(args, "say what to wait for: --for=ready, --for=confirmed, "
                                "--for=drained or --for=config=N");
    }
    int code = ask_get_timeout(args, TIMEOUT_MS, &timeout_ms);
    code = code == FSD_EXIT_OK ? ask_open_patiently(args, timeout_ms, &client) : code;
    if (code != FSD_EXIT_OK) {
        json_decref(params);
        return code;
    }
    struct fsd_err why = {""};
    int r = client_call(&client, "wait", params, &result, &why);
    if (r == 0) {
        show(args, wanted, result);
    } else if (r == -ETIMEDOUT) {
        code = report_late(args, wanted, timeout_ms);
    } else {
        const char *refusal = client_get_refusal(&client);
        code = ask_report(args, r, refusal != NULL ? refusal : why.text);
    }
    client_close(&client);
    json_decref(result);
    return code;
}
