/* commands.c - the command line of fsdctl.
 * Owns its rows: the commands, their options, the exit codes.  How: common/command.c finds the row and runs its function.
 * Called by main.c, and by tests that run commands.  Must not do anything itself. */
#include "ctl/commands.h"

#include "common/command.h"
#include "common/command_help.h"
#include "ctl/reload.h"
#include "ctl/status.h"
#include "ctl/stop.h"

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
    {"reload", "", "load the applications' code anew; a failure leaves all as it was", reload_run},
    {"stop", "", "stop the daemon in order and wait until it has gone", stop_run},
    {"version", "", "print the version of fsdctl", command_run_version},
    {"help", "[COMMAND...]", "print this help, or that of a command", command_run_help},
};

static const struct command_option options[] = {
    {NULL, "socket", 's', "PATH",
     "control socket, $FSD_SOCKET or /run/fsd/control.sock by default"},
    JSON("status"),
    TIMEOUT("status", "5s"),
    {"reload", "restart", 0, NULL, "replace the worker processes, one after another"},
    JSON("reload"),
    TIMEOUT("reload", "5m"),
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
