/* drain.c - `fsdctl drain` and `fsdctl resume`: the daemon stays, its workers go and come back.
 * Owns nothing.  Called through the rows of main.c.  Must not know how workers leave. */
#include "ctl/drain.h"

#include <errno.h>

#include "common/command.h"
#include "ctl/ask.h"
#include "ctl/output.h"

/* Above the time that a worker has to leave or to boot, some after others. */
enum { TIMEOUT_MS = 5 * 60 * 1000 };

static int render_drained(const json_t *result, const struct output *output)
{
    (void)fprintf(output->file,
                  "drained: all workers have left; `fsdctl resume` starts them again\n");
    return json_is_true(json_object_get(result, "drained")) ? 0 : -EPROTO;
}

static int render_resumed(const json_t *result, const struct output *output)
{
    (void)fprintf(output->file, "resumed: all pools serve\n");
    return json_is_true(json_object_get(result, "resumed")) ? 0 : -EPROTO;
}

int drain_run(const struct command_args *args)
{
    static const struct ask_row row = {"drain", NULL, TIMEOUT_MS, true, NULL, render_drained};
    return ask_and_show(args, &row, json_object());
}

int drain_resume_run(const struct command_args *args)
{
    static const struct ask_row row = {"resume", NULL, TIMEOUT_MS, true, NULL, render_resumed};
    return ask_and_show(args, &row, json_object());
}
