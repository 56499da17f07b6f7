/* log_fd.c - writes lines to a descriptor without ever waiting for it.
 * Owns a descriptor of its own when the log is a file, or a terminal (stopped by ^S it must not stop us).  An inherited
 * description is never made non-blocking, since others share it; instead poll says whether PIPE_BUF bytes fit.  A file takes
 * a whole line at once, so that lines of others that append to it stay whole too.
 * Called by log.c.  Must not know what a line says, or what becomes of lines that are not taken. */
#include "daemon/log/log_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"

enum { FILE_MODE = 0640 };

static int reopen_terminal(int fd)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static enum log_fd_kind find_kind(int fd)
{
    struct stat info;
    if (isatty(fd) == 1) {
        return LOG_FD_TERMINAL;
    }
    if (fstat(fd, &info) < 0) {
        return LOG_FD_STREAM; /* closed: every write will say so */
    }
    if (S_ISSOCK(info.st_mode)) {
        return LOG_FD_SOCKET;
    }
    return S_ISREG(info.st_mode) ? LOG_FD_FILE : LOG_FD_STREAM;
}

void log_fd_init(struct log_fd *out, int fd)
{
    *out = (struct log_fd){.fd = fd, .kind = find_kind(fd)};
    int own = out->kind == LOG_FD_TERMINAL ? reopen_terminal(fd) : -1;
    if (own >= 0) {
        out->fd = own;
        out->owns_fd = true;
    }
}

int log_fd_open(struct log_fd *ret_out, const char *path, struct fsd_err *err)
{
    /* O_NONBLOCK: a named pipe without a reader is an error, not a place to wait at */
    int fd =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return fsd_err_set(err, errno, "cannot open log file \"%s\": %s", path, strerror(errno));
    }
    *ret_out = (struct log_fd){.fd = fd, .owns_fd = true, .kind = find_kind(fd)};
    return 0;
}

void log_fd_fini(struct log_fd *out)
{
    if (out->owns_fd) {
        fd_close(&out->fd);
        out->owns_fd = false;
    }
    out->fd = -1;
}

/* As many bytes as the descriptor takes without blocking; 0 or negative: none. */
static ssize_t write_some(const struct log_fd *out, const char *at, size_t len)
{
    struct pollfd ready = {.fd = out->fd, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) {
        return 0;
    }
    size_t part = len < PIPE_BUF || out->kind == LOG_FD_FILE ? len : PIPE_BUF;
    ssize_t wrote;
    do {
        wrote = out->kind == LOG_FD_SOCKET ? send(out->fd, at, part, MSG_DONTWAIT | MSG_NOSIGNAL)
                                           : write(out->fd, at, part);
    } while (wrote < 0 && errno == EINTR);
    return wrote;
}

bool log_fd_write(struct log_fd *out, const char *line, size_t len)
{
    if (out->is_mid_line) {
        if (write_some(out, "\n", 1) != 1) {
            return false;
        }
        out->is_mid_line = false;
    }
    size_t done = 0;
    while (done < len) {
        ssize_t wrote = write_some(out, line + done, len - done);
        if (wrote <= 0) {
            out->is_mid_line = done > 0;
            return false;
        }
        done += (size_t)wrote;
    }
    return true;
}
