/* config.c - `fsdctl config check|plan|apply|rollback|show|diff|history`.
 * Owns the rows of what is asked.  How: the daemon reads, compares and applies; here are only parameters and the way in
 * which each result is shown.
 * Called through the rows of main.c.  Must not read a configuration itself: what counts is what the daemon makes of it. */
#include "ctl/config.h"

#include <errno.h>
#include <stdint.h>

#include "common/command.h"
#include "common/parse.h"
#include "common/proto.h"
#include "ctl/ask.h"
#include "ctl/changes.h"
#include "ctl/config_render.h"
#include "ctl/field.h"

/* Reading takes moments; new workers may take a minute to boot, several times one after another. */
enum { READ_MS = 10 * 1000, APPLY_MS = 5 * 60 * 1000 };

static int judge_check(const json_t *result, struct fsd_err *err)
{
    (void)err;
    return json_is_true(json_object_get(result, "ok")) ? FSD_EXIT_OK : FSD_EXIT_CONFIG;
}

int config_check_run(const struct command_args *args)
{
    static const struct ask_row row = {"config.check", "fsd.config-check/1", READ_MS,
                                       false,          judge_check,          config_render_check};
    return ask_and_show(args, &row, json_object());
}

int config_plan_run(const struct command_args *args)
{
    static const struct ask_row row = {"config.plan", "fsd.plan/1", READ_MS,
                                       false,         NULL,         config_render_plan};
    return ask_and_show(args, &row, json_object());
}

int config_apply_run(const struct command_args *args)
{
    static const struct ask_row row = {"config.apply", "fsd.apply/1", APPLY_MS,
                                       true,           NULL,          changes_render_apply};
    return ask_and_show(args, &row, json_object());
}

int config_rollback_run(const struct command_args *args)
{
    static const struct ask_row row = {"config.rollback",   "fsd.apply/1", APPLY_MS, true, NULL,
                                       changes_render_apply};
    uint64_t number = 0;
    if (args->value_count == 0) {
        return ask_and_show(args, &row, json_object());
    }
    if (parse_digits(args->values[0], 10, INT64_MAX, &number) < 0 || number == 0) {
        return ask_refuse(args,
                          "the number of a configuration is needed, as `%s config history` shows "
                          "it, not \"%s\"",
                          args->program->name, args->values[0]);
    }
    return ask_and_show(args, &row, json_pack("{s:I}", "to", (json_int_t)number));
}

int config_show_run(const struct command_args *args)
{
    static const struct ask_row plain = {"config.show", "fsd.config/1", READ_MS,
                                         false,         NULL,           config_render_values};
    static const struct ask_row with_origin = {"config.show", "fsd.config/1",       READ_MS, false,
                                               NULL,          config_render_origins};
    bool origin = command_has_option(args, "origin");
    return ask_and_show(args, origin ? &with_origin : &plain, json_pack("{s:b}", "origin", origin));
}

int config_diff_run(const struct command_args *args)
{
    static const struct ask_row row = {"config.diff", "fsd.config-diff/1", READ_MS, false,
                                       NULL,          config_render_diff};
    return ask_and_show(args, &row, json_object());
}

int config_history_run(const struct command_args *args)
{
    static const struct ask_row row = {
        "config.history", "fsd.config-history/1", READ_MS, false, NULL, config_render_history};
    return ask_and_show(args, &row, json_object());
}
