/* verb_routes.c - `fsd routes APP.lua`: which routes an application has.
 * Owns nothing: this program becomes fsd-worker's tool, which loads the application and prints them.
 * Called through the row of main.c.  Must not know what a route is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/command.h"
#include "common/err.h"
#include "common/proto.h"
#include "daemon/conf/file.h"
#include "daemon/verb/verb.h"
#include "daemon/verb/worker_path.h"

/* False: the path is too long. */
static bool find_main_file(const char *app, char path[PATH_MAX])
{
    int len = snprintf(path, PATH_MAX, "%s%s", app, file_is_folder(app) ? "/app.lua" : "");
    return len > 0 && len < PATH_MAX;
}

int verb_routes(const struct command_args *args)
{
    char worker[PATH_MAX];
    char name[] = "fsd-worker";
    char tool[] = "--tool";
    char routes[] = "routes";
    char json[] = "--json";
    char app[PATH_MAX];
    struct fsd_err err;
    if (args->value_count != 1 || !find_main_file(args->values[0], app)) {
        (void)fprintf(args->err,
                      "%s: routes takes the main file of an application, or its folder\n",
                      args->program->name);
        return FSD_EXIT_USAGE;
    }
    if (worker_path_find(command_find_option(args, "worker"), worker, &err) < 0) {
        (void)fprintf(args->err, "%s: %s\n", args->program->name, err.text);
        return FSD_EXIT_INTERNAL;
    }
    bool as_json = command_find_option(args, "json") != NULL;
    char *argv[] = {name, tool, routes, as_json ? json : app, as_json ? app : NULL, NULL};
    (void)execv(worker, argv);
    (void)fprintf(args->err, "%s: cannot run \"%s\": %s\n", args->program->name, worker,
                  strerror(errno));
    return FSD_EXIT_INTERNAL;
}
