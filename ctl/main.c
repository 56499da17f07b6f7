/* main.c - fsdctl, the operator's client of a running fsd.
 * Owns the rows of its command line.  How: common/command.c finds the row and runs its function.
 * Must not do anything itself. */
#include "common/command.h"

#include <stdio.h>

#include "common/command_help.h"
#include "ctl/reload.h"
#include "ctl/status.h"
#include "ctl/stop.h"

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
    {"status", "json", 0, NULL, "print the status as one JSON object"},
    {"status", "timeout", 0, "TIME", "how long to wait for the answer, 5s by default"},
    {"reload", "restart", 0, NULL, "replace the worker processes, one after another"},
    {"reload", "json", 0, NULL, "print the result as one JSON object"},
    {"reload", "timeout", 0, "TIME", "how long to wait for the end of the reload, 5m by default"},
    {"stop", "now", 0, NULL, "end running requests, too"},
    {"stop", "json", 0, NULL, "print the result as one JSON object"},
    {"stop", "timeout", 0, "TIME", "how long to wait for the end, 2m by default"},
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
    "  75  no answer in time; may be tried again\n",
};

int main(int argc, char **argv)
{
    return command_main(&program, argc, argv, stdout, stderr);
}
