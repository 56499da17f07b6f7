/* verb_run.c - `fsd run APP.lua`: one application in the foreground, for a developer.
 * Owns nothing that lasts.  How: the options become a configuration as if it had been written in a file, and the master runs
 * it; what a developer mistypes most, the application's name, is told before anything starts.
 * Called through the row of main.c.  Must not know how anything is started. */
#include "daemon/verb/verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/command.h"
#include "common/err.h"
#include "common/parse.h"
#include "common/proto.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/file.h"
#include "daemon/conf/problem.h"
#include "daemon/master.h"
#include "daemon/verb/worker_path.h"

enum { WORKERS_MAX = 64 }; /* as the key count of a pool */

static int refuse(const struct command_args *args, int code, const char *sentence)
{
    (void)fprintf(args->err, "%s: %s\n", args->program->name, sentence);
    return code;
}

/* An application is a file, or a folder with app.lua in it. */
static int check_app(const char *app, struct fsd_err *err)
{
    char path[FILE_PATH_MAX];
    struct fsd_err why = {""};
    int len = snprintf(path, sizeof(path), "%s%s", app, file_is_folder(app) ? "/app.lua" : "");
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return fsd_err_set(err, ENAMETOOLONG, "cannot open the application: the path is too long");
    }
    int r = file_check_readable(path, &why);
    return r < 0 ? fsd_err_set(err, -r, "cannot open \"%s\": %s", path, why.text) : 0;
}

static int read_address(const struct command_args *args, struct parse_address *ret_address,
                        struct fsd_err *err)
{
    const char *port = command_find_option(args, "port");
    const char *host = command_find_option(args, "host");
    int64_t number = 8080;
    if (port != NULL && parse_int(port, 0, 65535, &number) < 0) {
        return fsd_err_set(err, EINVAL, "--port must be a number from 0 to 65535, not \"%s\"",
                           port);
    }
    if (host == NULL || strcmp(host, "localhost") == 0) { /* parse_address knows no names */
        host = "127.0.0.1";
    }
    char text[PARSE_ADDRESS_TEXT_MAX];
    bool bare_ipv6 = strchr(host, ':') != NULL && host[0] != '[';
    int len = snprintf(text, sizeof(text), bare_ipv6 ? "[%s]:%d" : "%s:%d", host, (int)number);
    if (len < 0 || (size_t)len >= sizeof(text) || strncmp(host, "unix:", 5) == 0 ||
        parse_address(text, ret_address) < 0) {
        return fsd_err_set(
            err, EINVAL, "--host must be an address such as 127.0.0.1, ::1 or *, not \"%s\"", host);
    }
    return 0;
}

static int read_workers(const struct command_args *args, unsigned *ret_workers, struct fsd_err *err)
{
    const char *text = command_find_option(args, "workers");
    int64_t number = 1;
    if (text != NULL && strcmp(text, "auto") == 0) {
        number = 0;
    } else if (text != NULL && parse_int(text, 1, WORKERS_MAX, &number) < 0) {
        return fsd_err_set(err, EINVAL,
                           "--workers must be \"auto\" or a number from 1 to %d, not \"%s\"",
                           WORKERS_MAX, text);
    }
    *ret_workers = (unsigned)number;
    return 0;
}

struct conf *verb_run_load(const struct master_options *options, struct problem_list *list)
{
    struct conf *conf = conf_new_for_run(options->source, options->address, options->workers,
                                         options->control, list);
    if (conf != NULL && options->shared != NULL &&
        !conf_run_add_shared(conf, options->shared, list)) {
        conf_free(conf);
        return NULL;
    }
    if (conf != NULL) {
        conf->refreshes = options->watches != 0;
    }
    return conf;
}

int verb_run(const struct command_args *args)
{
    struct fsd_err why = {""};
    struct parse_address address;
    unsigned workers = 1;
    char worker_path[PATH_MAX];
    if (read_address(args, &address, &why) < 0 || read_workers(args, &workers, &why) < 0) {
        return refuse(args, FSD_EXIT_USAGE, why.text);
    }
    if (check_app(args->values[0], &why) < 0) {
        return refuse(args, FSD_EXIT_NO_INPUT, why.text);
    }
    if (worker_path_find(command_find_option(args, "worker"), worker_path, &why) < 0) {
        return refuse(args, FSD_EXIT_INTERNAL, why.text);
    }
    struct problem_list problems;
    problem_list_init(&problems);
    struct master_options options = {.worker_path = worker_path,
                                     .load = verb_run_load,
                                     .source = args->values[0],
                                     .address = &address,
                                     .workers = workers,
                                     .control = command_find_option(args, "control"),
                                     .shared = command_find_option(args, "shared"),
                                     .development = 1,
                                     .watches = command_find_option(args, "no-watch") == NULL};
    struct conf *conf = verb_run_load(&options, &problems);
    problem_print(&problems, args->err);
    int code = FSD_EXIT_CONFIG;
    if (conf != NULL) {
        code = master_run(conf, &options);
    }
    problem_list_fini(&problems);
    return code;
}
