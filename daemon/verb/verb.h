#ifndef FSD_DAEMON_VERB_VERB_H
#define FSD_DAEMON_VERB_VERB_H

#define VERB_CONFIG_FILE "/etc/fsd/fsd.yaml" /* when the command line names none */

struct command_args;
struct conf;
struct master_options;
struct problem_list;

/* The verbs of `fsd`, one file each; the rows of main.c call them.  All return the exit code. */
int verb_run(const struct command_args *args);            /* an application in the foreground */
int verb_serve(const struct command_args *args);          /* what the configuration says */
int verb_check(const struct command_args *args);          /* is the configuration good? */
int verb_routes(const struct command_args *args);         /* what does an application answer? */
int verb_config_example(const struct command_args *args); /* prints one with all keys */
int verb_config_show(const struct command_args *args);    /* prints what one says */

/* Their way to read the configuration: master_options.load. */
struct conf *verb_run_load(const struct master_options *options, struct problem_list *list);
struct conf *verb_serve_load(const struct master_options *options, struct problem_list *list);

#endif
