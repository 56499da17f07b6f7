/* main.c - fsd, the master program.
 * Owns the rows of its command line.  How: common/command.c finds the row and runs its function.
 * Must not do anything itself but make sure that descriptors 0 to 2 are taken. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/command.h"
#include "common/command_help.h"
#include "common/proto.h"
#include "daemon/upgrade/upgrade_resume.h"
#include "daemon/verb/verb.h"

static const struct command_row rows[] = {
    {"run", "APP.lua", "run one application for development: what is saved is reloaded", verb_run},
    {"serve", "", "run what the configuration says, in the foreground", verb_serve},
    {"check", "[FILE]", "check the configuration, and that the applications compile", verb_check},
    {"routes", "APP.lua", "print the routes of an application", verb_routes},
    {"config example", "", "print a configuration that shows every key", verb_config_example},
    {"config show", "", "print every key of the configuration with its value", verb_config_show},
    {"version", "", "print the version of fsd", command_run_version},
    {"help", "[COMMAND...]", "print this help, or that of a command", command_run_help},
};

static const struct command_option options[] = {
    {"run", "port", 'p', "PORT", "port to listen on, 8080 by default; 0: any free one"},
    {"run", "host", 'H', "ADDRESS", "address to listen on, 127.0.0.1 by default; *: all"},
    {"run", "workers", 'w', "COUNT", "worker processes, 1 by default; auto: one for each CPU"},
    {"run", "shared", 0, "NAMES", "shared dictionaries, NAME[=SIZE] with \",\" between them"},
    {"run", "no-watch", 0, NULL, "do not reload what is saved, nor refresh pages in browsers"},
    {"run", "control", 0, "PATH", "control socket, a new one by default"},
    {"run", "worker", 0, "FILE", "the fsd-worker to start"},
    {"serve", "config", 'c', "FILE", "configuration, " VERB_CONFIG_FILE " by default"},
    {"serve", "worker", 0, "FILE", "the fsd-worker to start"},
    {"check", "config", 'c', "FILE", "configuration, " VERB_CONFIG_FILE " by default"},
    {"check", "as", 0, "PATH", "check FILE as if it were that part of the configuration"},
    {"check", "json", 0, NULL, "print each problem as one JSON object"},
    {"check", "worker", 0, "FILE", "the fsd-worker that compiles"},
    {"routes", "json", 0, NULL, "print them as one JSON object"},
    {"routes", "worker", 0, "FILE", "the fsd-worker that loads it"},
    {"config show", "config", 'c', "FILE", "configuration, " VERB_CONFIG_FILE " by default"},
    {"config show", "origin", 0, NULL, "and where each value was written"},
    {"version", "json", 0, NULL, "print it as one JSON object"},
};

static const struct command_program program = {
    "fsd",
    "run network services written in Lua",
    rows,
    sizeof(rows) / sizeof(rows[0]),
    options,
    sizeof(options) / sizeof(options[0]),
    "exit codes:\n"
    "   0  done; run, serve: stopped as told\n"
    "  64  the command line is wrong\n"
    "  65  the code of an application does not compile or load\n"
    "  66  the file of an application cannot be opened\n"
    "  70  internal error, or fsd-worker is missing\n"
    "  71  an address or the control socket is taken, or may not be used\n"
    "  76  fsd-worker is of another version\n"
    "  78  the configuration is wrong\n",
};

/* With one of 0 to 2 closed, the next descriptor that is opened would be taken for it. */
static int open_standard_fds(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR); /* NOLINT: 0 to 2 are meant to be inherited */
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0) {
        return -errno;
    }
    (void)close(fd); /* of a device: nothing can be lost */
    return 0;
}

int main(int argc, char **argv)
{
    int error = open_standard_fds();
    if (error != 0) { /* when stderr is what is missing, this goes nowhere */
        (void)fprintf(stderr, "fsd: cannot open \"/dev/null\": %s\n", strerror(-error));
        return FSD_EXIT_INTERNAL;
    }
    if (upgrade_resume_is_asked(argc, argv)) { /* fsd itself does, nobody else */
        return upgrade_resume_main(argc, argv);
    }
    return command_main(&program, argc, argv, stdout, stderr);
}
