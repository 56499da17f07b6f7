/* main.c - fsd-worker: one worker process, or one of its tools.
 * Owns the start: the process's own protection (shield.c), what the master put into the environment, the status page, the Lua
 * state, the modules.  Started by the master with the descriptors of common/proto.h; by hand it says what is missing. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/page.h"
#include "common/parse.h"
#include "worker/core/fatal.h"
#include "worker/core/shield.h"
#include "worker/life.h"
#include "worker/modules.h"
#include "worker/tool/bundle.h"
#include "worker/tool/routes.h"
#include "worker/toolbox/compute_tool.h"

/* The Lua part of fsd lies beside the program: in the source tree, or where `make install` puts it. */
static int find_lua_dir(char *lua_dir, size_t room)
{
    static const char *const places[] = {"../../lua", "../../share/fsd/lua"};
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (len < 0) {
        return -errno;
    }
    program[len] = '\0';
    char *slash = strrchr(program, '/');
    *slash = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char probe[PATH_MAX + 64];
        struct stat info;
        (void)snprintf(probe, sizeof(probe), "%s/%s/fsd/init.lua", program, places[i]);
        if (stat(probe, &info) == 0) {
            return snprintf(lua_dir, room, "%s/%s", program, places[i]) < (int)room ? 0
                                                                                    : -ENAMETOOLONG;
        }
    }
    return -ENOENT;
}

/* The modules, in C and in Lua. */
static int open_modules(struct runtime *runtime)
{
    char lua_dir[PATH_MAX];
    if (find_lua_dir(lua_dir, sizeof(lua_dir)) != 0) {
        (void)fprintf(stderr, "fsd-worker: cannot find fsd/init.lua beside the program\n");
        return -ENOENT;
    }
    modules_register(runtime->L, lua_dir);
    return 0;
}

static int run_routes(int argc, char **argv)
{
    struct runtime *runtime = calloc(1, sizeof(*runtime)); /* the process's, until it ends */
    if (runtime == NULL) {
        return FSD_EXIT_INTERNAL;
    }
    runtime_init(runtime);
    return open_modules(runtime) == 0 ? tool_routes(runtime, argc, argv) : FSD_EXIT_INTERNAL;
}

static const struct tool {
    const char *name;
    int (*run)(int argc, char **argv);
} tools[] = {
    {"bundle", tool_bundle},
    {"compute", tool_compute},
    {"routes", run_routes},
};

static int run_tool(int argc, char **argv)
{
    for (size_t i = 0; argc > 0 && i < sizeof(tools) / sizeof(tools[0]); i++) {
        if (strcmp(tools[i].name, argv[0]) == 0) {
            return tools[i].run(argc - 1, argv + 1);
        }
    }
    (void)fprintf(stderr, "fsd-worker: unknown tool \"%s\"\n", argc > 0 ? argv[0] : "");
    return FSD_EXIT_USAGE;
}

static int64_t read_number(const char *name)
{
    const char *text = getenv(name);
    int64_t number = 0;
    if (text == NULL || parse_int(text, 0, INT64_MAX, &number) != 0) {
        return -1;
    }
    return number;
}

/* Dies with the master, also when it dies before this line has run. */
static int tie_to_master(void)
{
    int64_t master_pid = read_number(PROTO_ENV_MASTER_PID);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || master_pid != getppid()) {
        return -ESRCH;
    }
    return 0;
}

static int open_page(struct runtime *runtime)
{
    runtime->page = page_map(PROTO_FD_PAGE, 1);
    if (runtime->page == NULL) {
        return -errno;
    }
    (void)close(PROTO_FD_PAGE); /* the mapping holds it */
    page_set(&runtime->page->version, PAGE_VERSION);
    runtime->logger.lost = &runtime->page->log_lost;
    return 0;
}

/* A crash report without one is poorer, but a worker serves all the same. */
static void open_blackbox(struct runtime *runtime)
{
    if (recorder_open(&runtime->recorder, PROTO_FD_BLACKBOX) == 0) {
        (void)close(PROTO_FD_BLACKBOX); /* the mapping holds it */
    }
}

static void ignore_signals(void)
{
    static const int ignored[] = {
        SIGPIPE, /* libh2o writes with plain writev */
        SIGINT,  /* a terminal's: the master acts on it */
        SIGHUP,  SIGUSR1, SIGUSR2, SIGWINCH, SIGTTIN, SIGTTOU, /* orders to the master */
    };
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        (void)signal(ignored[i], SIG_IGN);
    }
}

static int work(void)
{
    static struct life life; /* large; one for the process */
    int64_t incarnation = read_number(PROTO_ENV_INCARNATION);
    if (incarnation < 0 || fcntl(PROTO_FD_CONTROL, F_GETFD) < 0) {
        (void)fprintf(stderr, "fsd-worker: is started by fsd, not by hand; try: fsd run app.lua\n");
        return FSD_EXIT_USAGE;
    }
    if (tie_to_master() != 0) {
        return FSD_EXIT_INTERNAL; /* nobody is left who would read a message */
    }
    (void)fcntl(PROTO_FD_CONTROL, F_SETFD, FD_CLOEXEC);
    ignore_signals();
    runtime_init(&life.runtime);
    life.runtime.incarnation = (uint64_t)incarnation;
    open_blackbox(&life.runtime);
    fatal_open(&life.runtime, PROTO_FD_CONTROL);
    if (open_modules(&life.runtime) != 0) {
        return FSD_EXIT_INTERNAL;
    }
    int error = open_page(&life.runtime);
    if (error != 0) {
        (void)fprintf(stderr, "fsd-worker: cannot map the status page: %s\n", strerror(-error));
        return FSD_EXIT_INTERNAL;
    }
    return life_run(&life);
}

int main(int argc, char **argv)
{
    shield_raise();
    if (argc > 1 && strcmp(argv[1], "--tool") == 0) {
        return run_tool(argc - 2, argv + 2);
    }
    if (argc > 1 && strcmp(argv[1], "--list-modules") == 0) {
        modules_print(stdout);
        return FSD_EXIT_OK;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        (void)printf("fsd-worker %s protocol %d\n", FSD_VERSION, PROTO_VERSION);
        return FSD_EXIT_OK;
    }
    return work();
}
