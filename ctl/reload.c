/* reload.c - `fsdctl reload`: new code or configuration, and what came of it.
 * Owns nothing.  How: the daemon answers when the reload is over, or with --no-wait when it has taken it; its result is one
 * line an app, and what changed in the configuration; its failure is the reason.
 * Called through the row of commands.c.  Must not know how a reload is done, nor trust the shape of the answer. */
#include "ctl/reload.h"

#include <errno.h>

#include "common/command.h"
#include "ctl/ask.h"
#include "ctl/changes.h"
#include "ctl/output.h"
#include "ctl/steps.h"

enum {
    TIMEOUT_MS = 60 * 1000, /* then the daemon is asked whether it is well */
    TEXT_MAX = 512,
};

static int render_app(const json_t *app, int restart, const struct output *output)
{
    const char *name = json_string_value(json_object_get(app, "app"));
    const json_t *from = json_object_get(app, "from");
    const json_t *to = json_object_get(app, "to");
    const json_t *origin = json_object_get(app, "origin");
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
    (void)fprintf(output->file, "%lld", (long long)json_integer_value(to));
    if (json_is_integer(origin)) {
        (void)fprintf(output->file, " (the code of %lld)", (long long)json_integer_value(origin));
    }
    (void)fprintf(output->file, ", ");
    if (json_is_true(json_object_get(app, "drained"))) {
        (void)fprintf(output->file, "drained: new workers come with `fsdctl resume`\n");
    } else {
        (void)fprintf(output->file, "%lld worker%s %s\n", workers, workers == 1 ? "" : "s",
                      restart ? "replaced" : "changed over");
    }
    return 0;
}

int reload_render(const json_t *result, const struct output *output)
{
    const json_t *apps = json_object_get(result, "apps");
    const json_t *changes = json_object_get(result, "changes");
    if (json_is_true(json_object_get(result, "accepted"))) {
        (void)fprintf(output->file, "reload is accepted; `fsdctl events` shows what comes of it\n");
        return 0;
    }
    if (!json_is_array(apps)) {
        return -EPROTO;
    }
    int restart = json_is_true(json_object_get(result, "restart"));
    for (size_t i = 0; i < json_array_size(apps); i++) {
        int r = render_app(json_array_get(apps, i), restart, output);
        if (r < 0) {
            return r;
        }
    }
    return json_array_size(changes) > 0 ? changes_render_apply(result, output) : 0;
}

int reload_run(const struct command_args *args)
{
    static const struct ask_row row = {"reload", "fsd.reload/1", TIMEOUT_MS,
                                       true,     NULL,           reload_render};
    json_t *params = json_pack("{s:b}", "restart", command_has_option(args, "restart"));
    if (!command_has_option(args, "no-wait")) {
        return steps_ask_and_show(args, &row, params);
    }
    if (command_has_option(args, "wait")) {
        json_decref(params);
        return ask_refuse(args, "--wait and --no-wait are opposites");
    }
    (void)json_object_set_new(params, "wait", json_false());
    return ask_and_show(args, &row, params);
}
