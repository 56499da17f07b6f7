/* verb_config.c - `fsd config ...`: the configuration's keys, and what a configuration says about each.
 * Owns the printed form.  How: the schema's rows print themselves; for show a configuration is loaded as serve does, and its
 * values are listed one a line.
 * Called through the rows of main.c.  Must not know any key. */
#include "daemon/verb/verb.h"

#include <errno.h>
#include <string.h>

#include "common/command.h"
#include "common/proto.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/conf_show.h"
#include "daemon/conf/problem.h"
#include "daemon/conf/schema.h"

int verb_config_example(const struct command_args *args)
{
    schema_print_example(args->out);
    return FSD_EXIT_OK;
}

/* For conf_show. */
static void print_value(void *ctx, const char *key, const char *value, const char *origin)
{
    const struct command_args *args = ctx;
    (void)fprintf(args->out, "%s = %s", key, value);
    if (command_has_option(args, "origin")) {
        (void)fprintf(args->out, "  # %s", origin);
    }
    (void)fputc('\n', args->out);
}

int verb_config_show(const struct command_args *args)
{
    const char *file = command_find_option(args, "config");
    struct problem_list problems;
    problem_list_init(&problems);
    struct conf *conf = conf_load(file != NULL ? file : VERB_CONFIG_FILE, &problems);
    problem_print(&problems, args->err);
    problem_list_fini(&problems);
    if (conf == NULL) {
        return FSD_EXIT_CONFIG;
    }
    struct command_args copy = *args; /* what print_value gets is not const */
    int rc = conf_show(conf, print_value, &copy);
    conf_free(conf);
    if (rc < 0) {
        (void)fprintf(args->err, "%s: %s\n", args->program->name, strerror(-rc));
        return FSD_EXIT_INTERNAL;
    }
    return FSD_EXIT_OK;
}
