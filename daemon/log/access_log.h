#ifndef FSD_DAEMON_LOG_ACCESS_LOG_H
#define FSD_DAEMON_LOG_ACCESS_LOG_H

struct fsd_err;

/* Where the access log goes.  The master opens it, so that workers need no right to; they write to it, and the master never does. */
struct access_log {
    int fd; /* owned; -1: there is none */
};

void access_log_init(struct access_log *log);
void access_log_close(struct access_log *log);
/* Opens the file to append to, or standard output when path is NULL, in place of what is open.  0; or a negative errno with a
 * sentence, and all is as before. */
int access_log_open(struct access_log *log, const char *path, struct fsd_err *err);

#endif
