/* pool.c - `fsdctl scale` and `fsdctl restart`: what changes one pool.
 * Owns nothing.  How: the daemon does it as any other change of configuration or code, so the results are those of apply and
 * reload.  Called through the rows of main.c.  Must not know which pools there are. */
#include "ctl/pool.h"

#include <stdint.h>

#include "common/command.h"
#include "common/parse.h"
#include "common/rpc.h"
#include "ctl/ask.h"
#include "ctl/changes.h"
#include "ctl/reload.h"

enum { TIMEOUT_MS = 5 * 60 * 1000 };

int pool_scale_run(const struct command_args *args)
{
    static const struct ask_row row = {"scale", "fsd.apply/1", TIMEOUT_MS,
                                       true,    NULL,          changes_render_apply};
    int64_t count = 0;
    if (parse_int(args->values[1], 1, RPC_WORKERS_MAX, &count) < 0) {
        return ask_refuse(args, "a number of workers from 1 to %d is needed, not \"%s\"",
                          RPC_WORKERS_MAX, args->values[1]);
    }
    return ask_and_show(
        args, &row, json_pack("{s:s, s:I}", "pool", args->values[0], "count", (json_int_t)count));
}

int pool_restart_run(const struct command_args *args)
{
    static const struct ask_row row = {"restart", "fsd.reload/1", TIMEOUT_MS,
                                       true,      NULL,           reload_render};
    return ask_and_show(args, &row, json_pack("{s:s}", "pool", args->values[0]));
}
