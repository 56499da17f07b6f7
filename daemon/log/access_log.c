/* access_log.c - the descriptor that workers write the access log to.
 * Owns it.  A description of its own wherever the system gives one: it is non-blocking, and others who have our standard output
 * should not have to know.  Called by log_files.c.  Must not know who writes, nor what. */
#include "daemon/log/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"

enum { FILE_MODE = 0640, OPEN_FLAGS = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

void access_log_init(struct access_log *log)
{
    log->fd = -1;
}

void access_log_close(struct access_log *log)
{
    fd_close(&log->fd);
}

/* A socket (the journal) can't be opened a second time. */
static int open_standard_output(void)
{
    int fd = open("/proc/self/fd/1", OPEN_FLAGS);
    return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
}

int access_log_open(struct access_log *log, const char *path, struct fsd_err *err)
{
    int fd = path == NULL ? open_standard_output() : open(path, OPEN_FLAGS | O_CREAT, FILE_MODE);
    if (fd < 0) {
        return fsd_err_set(err, errno, "cannot open the access log \"%s\": %s",
                           path == NULL ? "standard output" : path, strerror(errno));
    }
    access_log_close(log);
    log->fd = fd;
    return 0;
}
