#ifndef FSD_DAEMON_VERB_WORKER_PATH_H
#define FSD_DAEMON_VERB_WORKER_PATH_H

#include <limits.h>

struct fsd_err;

/* Where fsd-worker is: option (of the command line) when it is not NULL, else beside this program, else in ../lib/fsd of its
 * folder.  0 with the absolute path, or a negative errno with the sentence that names the places. */
int worker_path_find(const char *option, char ret_path[PATH_MAX], struct fsd_err *err);
/* The same for a program in folder. */
int worker_path_find_near(const char *folder, char ret_path[PATH_MAX], struct fsd_err *err);

#endif
