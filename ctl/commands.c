/* commands.c - the command line of fsdctl.
 * Owns its rows: the commands, their options, the exit codes.  How: common/command.c finds the row and runs its function.
 * Called by main.c, and by tests that run commands.  Must not do anything itself. */
#include "ctl/commands.h"

#include "common/command.h"
#include "common/command_help.h"
#include "ctl/code.h"
#include "ctl/config.h"
#include "ctl/crashes.h"
#include "ctl/drain.h"
#include "ctl/events.h"
#include "ctl/logs.h"
#include "ctl/pool.h"
#include "ctl/reload.h"
#include "ctl/status.h"
#include "ctl/stop.h"
#include "ctl/upgrade.h"
#include "ctl/wait.h"

#define JSON(command)                                                                              \
    {                                                                                              \
        command, "json", 0, NULL, "print the result as one JSON object"                            \
    }
#define TIMEOUT(command, time)                                                                     \
    {                                                                                              \
        command, "timeout", 0, "TIME", "how long to wait for the answer, " time " by default"      \
    }

static const struct command_row rows[] = {
    {"status", "", "show what runs: the daemon, its listeners, each worker", status_run},
    {"crashes", "[ID]", "list the crash reports, or show one", crashes_run},
    {"events", "", "show what happened to the service", events_run},
    /* before the command whose value it would be */
    {"logs reopen", "", "open the log's file anew, after it was moved away", logs_reopen_run},
    {"logs", "[POOL]", "show the last records of the log", logs_run},
    {"wait", "", "wait until the daemon is ready, drained, or runs what was wanted", wait_run},
    {"reload", "", "load the applications' code anew; a failure leaves all as it was", reload_run},
    {"generations", "[APP]", "list the code that is kept: what runs, what is confirmed",
     code_generations_run},
    {"rollback", "[APP]", "bring the confirmed code back, or else what ran before",
     code_rollback_run},
    {"confirm", "[APP]", "let the code that runs count as proven", code_confirm_run},
    {"restart", "POOL", "replace the workers of one pool, the new one first", pool_restart_run},
    {"scale", "POOL COUNT", "give a pool so many workers, until the next config apply",
     pool_scale_run},
    {"drain", "", "let all workers leave; the daemon stays, connections wait", drain_run},
    {"resume", "", "start the workers again after drain", drain_resume_run},
    {"config check", "", "is the configuration on the disk good?", config_check_run},
    {"config plan", "", "show what apply would do", config_plan_run},
    {"config apply", "", "apply the configuration on the disk, whole or not at all",
     config_apply_run},
    {"config rollback", "[NUMBER]", "apply an earlier configuration, the one before by default",
     config_rollback_run},
    {"config show", "", "print the values that run", config_show_run},
    {"config diff", "", "show where the disk differs from what runs", config_diff_run},
    {"config history", "", "list the configurations that were applied", config_history_run},
    {"upgrade", "", "replace the running daemon by the fsd installed now", upgrade_run},
    {"stop", "", "stop the daemon in order and wait until it has gone", stop_run},
    {"version", "", "print the version of fsdctl", command_run_version},
    {"help", "[COMMAND...]", "print this help, or that of a command", command_run_help},
};

static const struct command_option options[] = {
    {NULL, "socket", 's', "PATH",
     "control socket, $FSD_SOCKET or /run/fsd/control.sock by default"},
    JSON("status"),
    TIMEOUT("status", "5s"),
    JSON("crashes"),
    TIMEOUT("crashes", "10s"),
    {"events", "follow", 'f', NULL, "go on with what happens from now on, until Ctrl-C"},
    {"events", "since", 0, "ID", "only what came after this event"},
    {"events", "json", 0, NULL, "print one JSON object; with --follow one a line"},
    {"logs", "follow", 'f', NULL, "go on with what is logged from now on, until Ctrl-C"},
    {"logs", "level", 0, "LEVEL", "only this level and graver ones: error, warning, notice, ..."},
    {"logs", "since", 0, "TIME", "all that is not older, as in 10m"},
    {"logs", "lines", 'n', "COUNT", "at most so many of the past, 100 without --since"},
    {"logs", "json", 0, NULL, "print one JSON object; with --follow one a line"},
    JSON("logs reopen"),
    TIMEOUT("logs reopen", "10s"),
    {"wait", "for", 0, "STATE",
     "ready, drained, confirmed (the code), or config=N: that number or a later one runs"},
    JSON("wait"),
    {"wait", "timeout", 0, "TIME", "how long to wait, for the daemon to start too; 2m by default"},
    {"reload", "restart", 0, NULL, "replace the worker processes, one after another"},
    {"reload", "no-wait", 0, NULL, "return as soon as the daemon has accepted it"},
    {"reload", "wait", 0, NULL, "wait for the end of it, as it does in any case"},
    {"reload", "json", 0, NULL, "print each step, and the result, as one JSON object a line"},
    {"reload", "timeout", 0, "TIME",
     "how long to wait for the answer; by default as long as it takes"},
    JSON("generations"),
    TIMEOUT("generations", "10s"),
    {"rollback", "json", 0, NULL, "print each step, and the result, as one JSON object a line"},
    {"rollback", "timeout", 0, "TIME",
     "how long to wait for the answer; by default as long as it takes"},
    JSON("confirm"),
    TIMEOUT("confirm", "10s"),
    JSON("restart"),
    TIMEOUT("restart", "5m"),
    JSON("scale"),
    TIMEOUT("scale", "5m"),
    JSON("drain"),
    TIMEOUT("drain", "5m"),
    JSON("resume"),
    TIMEOUT("resume", "5m"),
    JSON("config check"),
    TIMEOUT("config check", "10s"),
    JSON("config plan"),
    TIMEOUT("config plan", "10s"),
    JSON("config apply"),
    TIMEOUT("config apply", "5m"),
    JSON("config rollback"),
    TIMEOUT("config rollback", "5m"),
    {"config show", "origin", 0, NULL, "and where each value was written"},
    JSON("config show"),
    TIMEOUT("config show", "10s"),
    JSON("config diff"),
    TIMEOUT("config diff", "10s"),
    JSON("config history"),
    TIMEOUT("config history", "10s"),
    JSON("upgrade"),
    TIMEOUT("upgrade", "1m"),
    {"stop", "now", 0, NULL, "end running requests, too"},
    JSON("stop"),
    TIMEOUT("stop", "2m"),
    {"version", "json", 0, NULL, "print it as one JSON object"},
};

static const struct command_program program = {
    "fsdctl",
    "control a running fsd",
    rows,
    sizeof(rows) / sizeof(rows[0]),
    options,
    sizeof(options) / sizeof(options[0]),
    "exit codes:\n"
    "   0  done; status: running as configured\n"
    "   1  the operation failed\n"
    "   2  status: running, but degraded\n"
    "   3  fsd is not running\n"
    "   4  no permission to ask\n"
    "  64  the command line is wrong\n"
    "  69  fsd hung up, or is of another version\n"
    "  70  internal error\n"
    "  75  no answer in time; may be tried again\n"
    "  78  the configuration is wrong\n",
};

const struct command_program *commands_get(void)
{
    return &program;
}
