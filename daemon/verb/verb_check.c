/* verb_check.c - `fsd check`: would this configuration start?
 * Owns nothing that lasts.  How: the configuration is loaded as serve does, perhaps with one file in the place of another
 * (--as), then each application is given to the bundle tool, one after another; the tool prints what does not compile
 * itself, and the bundle is thrown away.  For root the tool runs as the user of the workers, so that it finds what they can't read.
 * Called through the row of main.c.  Must not bind an address, nor run a line of an application. */
#include "daemon/verb/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/command.h"
#include "common/err.h"
#include "common/fd.h"
#include "common/proto.h"
#include "daemon/code/bundler.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/problem.h"
#include "daemon/host/privilege.h"
#include "daemon/proc/cause.h"
#include "daemon/proc/spawn.h"
#include "daemon/verb/worker_path.h"

enum { TOOL_LIMIT_MS = 60 * 1000 }; /* for one application, as in the daemon */

_Static_assert(PROTO_FD_BUNDLE == 3, "start_tool lays out the descriptors by hand");

static int start_tool(const struct bundler_tool *how, char *app, struct spawn_child *ret_child,
                      struct fsd_err *err)
{
    char name[] = "fsd-worker";
    char tool[] = "--tool";
    char bundle[] = "bundle";
    char option[] = "--app";
    char *argv[] = {name, tool, bundle, option, app, NULL};
    char *env[SPAWN_ENV_BASE_MAX + 1] = {NULL};
    (void)spawn_env_base(env, how->privilege);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int memfd = memfd_create("fsd-check", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int r = 0;
    if (null < 0 || memfd < 0) {
        r = fsd_err_set(err, errno, "cannot prepare the bundle tool: %s", strerror(errno));
    } else {
        const int fds[] = {null, null, STDERR_FILENO, memfd};
        struct spawn_order order = {how->path, argv, env, fds, PROTO_FD_BUNDLE + 1, how->privilege};
        r = spawn_start(&order, ret_child, err);
    }
    fd_close(&null);
    fd_close(&memfd);
    return r;
}

/* Waits for the tool, and kills it when it takes too long: a pipe in the place of a file would hold it for ever. */
static int wait_for_tool(const struct spawn_child *child, struct cause *ret_cause,
                         struct fsd_err *err)
{
    uint64_t deadline_ms = clock_monotonic_ms() + TOOL_LIMIT_MS;
    bool late = false;
    while (spawn_reap(child, ret_cause) == -EAGAIN) {
        uint64_t now_ms = clock_monotonic_ms();
        struct pollfd pollfd = {child->pidfd, POLLIN, 0};
        if (now_ms >= deadline_ms && !late) {
            spawn_signal(child, SIGKILL);
            late = true;
        }
        /* Once it is killed its end is certain. */
        (void)poll(&pollfd, 1, late ? -1 : (int)(deadline_ms - now_ms));
    }
    return late ? fsd_err_set(err, ETIMEDOUT, "the bundle tool was not done after %d s",
                              TOOL_LIMIT_MS / 1000)
                : 0;
}

/* The tool's exit code; FSD_EXIT_INTERNAL with a sentence when it has none, or none of its own. */
static int compile(const struct bundler_tool *how, char *app, struct fsd_err *err)
{
    struct spawn_child child;
    struct cause cause = {0};
    if (start_tool(how, app, &child, err) < 0) {
        return FSD_EXIT_INTERNAL;
    }
    int r = wait_for_tool(&child, &cause, err);
    if (r >= 0) {
        r = spawn_failure(&child, how->path, err);
    }
    spawn_forget(&child);
    if (r < 0) {
        return FSD_EXIT_INTERNAL;
    }
    if (!cause.is_signal && (cause.value == FSD_EXIT_OK || cause.value == FSD_EXIT_LOAD ||
                             cause.value == FSD_EXIT_NO_INPUT)) {
        return cause.value; /* it has said why itself */
    }
    char text[CAUSE_TEXT_MAX];
    cause_format(&cause, true, text);
    (void)fsd_err_set(err, EIO, "the bundle tool failed: %s", text);
    return FSD_EXIT_INTERNAL;
}

static int compile_all(const struct command_args *args, const struct conf *conf)
{
    struct fsd_err why = {""};
    char worker[PATH_MAX];
    if (worker_path_find(command_find_option(args, "worker"), worker, &why) < 0) {
        (void)fprintf(args->err, "%s: %s\n", args->program->name, why.text);
        return FSD_EXIT_INTERNAL;
    }
    struct privilege privilege = {0};
    bool is_theirs =
        geteuid() == 0 && privilege_init(&privilege, conf->user, conf->group, &why) == 0;
    struct bundler_tool how = {worker, is_theirs ? &privilege : NULL};
    int result = FSD_EXIT_OK;
    for (size_t i = 0; i < conf->app_count; i++) {
        why.text[0] = '\0';
        int code = compile(&how, conf->apps[i].path, &why);
        if (why.text[0] != '\0') {
            (void)fprintf(args->err, "%s: cannot check \"%s\": %s\n", args->program->name,
                          conf->apps[i].path, why.text);
        }
        result = result == FSD_EXIT_OK ? code : result;
    }
    privilege_fini(&privilege);
    return result;
}

/* --as PATH FILE: both or none. */
static int read_replacement(const struct command_args *args,
                            struct conf_replacement *ret_replacement, struct fsd_err *err)
{
    *ret_replacement = (struct conf_replacement){command_find_option(args, "as"),
                                                 args->value_count == 0 ? NULL : args->values[0]};
    if (ret_replacement->path == NULL && ret_replacement->file != NULL) {
        return fsd_err_set(err, EINVAL,
                           "%s needs --as PATH: which file it is for.  To check a whole "
                           "configuration: fsd check -c %s",
                           ret_replacement->file, ret_replacement->file);
    }
    if (ret_replacement->path != NULL && ret_replacement->file == NULL) {
        return fsd_err_set(err, EINVAL,
                           "--as needs a FILE, which is checked in the place of \"%s\"",
                           ret_replacement->path);
    }
    return 0;
}

static struct conf *load(const struct command_args *args, const char *file,
                         const struct conf_replacement *replacement)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct conf *conf =
        conf_load_as(file, replacement->path == NULL ? NULL : replacement, &problems);
    if (!command_has_option(args, "json")) {
        problem_print(&problems, args->err);
    } else if (!problem_print_json(&problems, args->out)) {
        (void)fprintf(args->err, "%s: %s\n", args->program->name, strerror(ENOMEM));
    }
    problem_list_fini(&problems);
    return conf;
}

int verb_check(const struct command_args *args)
{
    struct conf_replacement replacement;
    struct fsd_err why = {""};
    const char *file = command_find_option(args, "config");
    file = file != NULL ? file : VERB_CONFIG_FILE;
    if (read_replacement(args, &replacement, &why) < 0) {
        (void)fprintf(args->err, "%s: %s\n", args->program->name, why.text);
        return FSD_EXIT_USAGE;
    }
    struct conf *conf = load(args, file, &replacement);
    int code = FSD_EXIT_CONFIG;
    if (conf != NULL) {
        code = compile_all(args, conf);
    }
    if (code == FSD_EXIT_OK && !command_has_option(args, "json")) {
        (void)fprintf(args->out, "%s: ok (%zu file%s)\n",
                      replacement.path != NULL ? replacement.path : file, conf->file_count,
                      conf->file_count == 1 ? "" : "s");
    }
    conf_free(conf);
    return code;
}
