#ifndef FSD_DAEMON_LOG_FILES_H
#define FSD_DAEMON_LOG_FILES_H

struct fsd_err;
struct master;

/* Opens the access log that the running configuration asks for, or closes it, and hands it to all workers.  Why it can't be opened is
 * logged; then they go on with the one before, if there was one. */
void log_files_follow(struct master *master);
/* Opens the files of both logs anew, after they were moved away.  1; 0: there are none; or a negative errno with a sentence: one of
 * them stays as it was. */
int log_files_reopen(struct master *master, struct fsd_err *err);

#endif
