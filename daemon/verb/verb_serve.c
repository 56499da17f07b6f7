/* verb_serve.c - `fsd serve`: the daemon in the foreground, as a unit file or a container starts it.
 * Owns nothing that lasts.  How: the configuration is read, all that is wrong with it printed, and the master runs it.
 * Called through the row of main.c.  Must not know how anything is started. */
#include "daemon/verb/verb.h"

#include <stdio.h>

#include "common/command.h"
#include "common/err.h"
#include "common/proto.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/problem.h"
#include "daemon/master.h"
#include "daemon/verb/worker_path.h"

struct conf *verb_serve_load(const struct master_options *options, struct problem_list *list)
{
    return conf_load(options->source, list);
}

int verb_serve(const struct command_args *args)
{
    struct fsd_err why = {""};
    char worker_path[PATH_MAX];
    const char *file = command_find_option(args, "config");
    struct problem_list problems;
    problem_list_init(&problems);
    struct master_options options = {.worker_path = worker_path,
                                     .load = verb_serve_load,
                                     .source = file != NULL ? file : VERB_CONFIG_FILE};
    struct conf *conf = verb_serve_load(&options, &problems);
    problem_print(&problems, args->err);
    int code = FSD_EXIT_CONFIG;
    if (conf == NULL) {
        goto out;
    }
    if (worker_path_find(command_find_option(args, "worker"), worker_path, &why) < 0) {
        (void)fprintf(args->err, "%s: %s\n", args->program->name, why.text);
        code = FSD_EXIT_INTERNAL;
        goto out;
    }
    code = master_run(conf, &options);
    conf = NULL; /* taken */
out:
    conf_free(conf);
    problem_list_fini(&problems);
    return code;
}
