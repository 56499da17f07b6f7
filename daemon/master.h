#ifndef FSD_DAEMON_MASTER_H
#define FSD_DAEMON_MASTER_H

struct conf;
struct fsd_err;
struct master;
struct master_options;
struct parse_address;
struct problem_list;
struct upgrade_state;

/* What the command line adds to the configuration. */
struct master_options {
    const char *worker_path; /* borrowed; absolute path of fsd-worker */
    /* Reads the configuration again, as it was read for the start; NULL with the problems in list. */
    struct conf *(*load)(const struct master_options *options, struct problem_list *list);
    const char *source; /* borrowed; what load reads: a file, or the application of `fsd run` */
    const struct parse_address *address; /* borrowed; of `fsd run` */
    unsigned workers;
    const char *control; /* borrowed; NULL: the default */
    /* borrowed; dictionaries of `fsd run`, see conf_run_add_shared; NULL: none */
    const char *shared;
    /* `fsd run`: print the URLs for a person, failing at first load ends the program */
    int development;
    int watches; /* and reload the application when its files change */
};

/* Runs the daemon in the foreground until it is told to stop: binds, bundles, starts the workers, supervises.  Takes over
 * stderr for the log, and takes conf.  Returns the process's exit code (enum fsd_exit), having said why on stderr when
 * it is not FSD_EXIT_OK. */
int master_run(struct conf *conf, const struct master_options *options);

/* Makes the master that goes on where another program was (conf is taken, options and state are borrowed for good).  A negative
 * errno with a sentence: nothing has been done to what the state names, and what was made is left as it is. */
int master_inherit(struct conf *conf, const struct master_options *options,
                   const struct upgrade_state *state, struct master **ret_master,
                   struct fsd_err *err);
/* Runs it, as master_run does; see upgrade_finish. */
int master_go_on(struct master *master, const char *from, const char *note);

#endif
