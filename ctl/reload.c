/* reload.c - `fsdctl reload`: new code or configuration, and what came of it.
 * Owns nothing.  How: the daemon answers when the reload is over; its result is one line an app, its failure the reason.
 * Called through the row of main.c.  Must not know how a reload is done, nor trust the shape of the answer. */
#include "ctl/reload.h"

#include <errno.h>
#include <string.h>

#include "common/command.h"
#include "common/proto.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/output.h"

/* Above the time that a worker may take to boot (60 s) plus the one to leave (30 s), for several of them. */
enum { TIMEOUT_MS = 5 * 60 * 1000, TEXT_MAX = 512 };

static int render_app(const json_t *app, int restart, const struct output *output)
{
    const char *name = json_string_value(json_object_get(app, "app"));
    const json_t *from = json_object_get(app, "from");
    const json_t *to = json_object_get(app, "to");
    long long workers = json_integer_value(json_object_get(app, "workers"));
    if (name == NULL || !json_is_integer(to)) {
        return -EPROTO;
    }
    char escaped[TEXT_MAX];
    output_escape(output, name, escaped, sizeof(escaped));
    (void)fprintf(output->file, "%s  generation ", escaped);
    if (json_is_integer(from)) {
        (void)fprintf(output->file, "%lld -> ", (long long)json_integer_value(from));
    }
    (void)fprintf(output->file, "%lld, %lld worker%s %s\n", (long long)json_integer_value(to),
                  workers, workers == 1 ? "" : "s", restart ? "replaced" : "changed over");
    return 0;
}

int reload_render(const json_t *result, const struct output *output)
{
    const char *schema = json_string_value(json_object_get(result, "schema"));
    const json_t *apps = json_object_get(result, "apps");
    if (schema == NULL || strcmp(schema, "fsd.reload/1") != 0 || !json_is_array(apps)) {
        return -EPROTO;
    }
    int restart = json_is_true(json_object_get(result, "restart"));
    for (size_t i = 0; i < json_array_size(apps); i++) {
        int r = render_app(json_array_get(apps, i), restart, output);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int show(const struct command_args *args, const json_t *result)
{
    struct output output;
    output_init(&output, args->out);
    if (command_has_option(args, "json")) {
        output_json(&output, result);
        return FSD_EXIT_OK;
    }
    if (reload_render(result, &output) < 0) {
        (void)fprintf(args->err, "reloaded, but the answer of fsd makes no sense to this fsdctl\n");
        return FSD_EXIT_UNAVAILABLE;
    }
    const char *note = json_string_value(json_object_get(result, "note"));
    if (note != NULL) {
        char escaped[TEXT_MAX];
        output_escape(&output, note, escaped, sizeof(escaped));
        (void)fprintf(args->err, "%s\n", escaped);
    }
    return FSD_EXIT_OK;
}

int reload_run(const struct command_args *args)
{
    struct client client;
    json_t *result = NULL;
    int code = ask_open(args, TIMEOUT_MS, &client);
    if (code != FSD_EXIT_OK) {
        return code;
    }
    json_t *params = json_pack("{s:b}", "restart", command_has_option(args, "restart"));
    code = ask_call(args, &client, "reload", params, &result);
    client_close(&client);
    if (code == FSD_EXIT_OK) {
        code = show(args, result);
    }
    json_decref(result);
    return code;
}
