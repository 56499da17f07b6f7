#ifndef FSD_DAEMON_LOG_LOG_FD_H
#define FSD_DAEMON_LOG_LOG_FD_H

#include <stdbool.h>
#include <stddef.h>

struct fsd_err;

enum log_fd_kind { LOG_FD_STREAM, LOG_FD_SOCKET, LOG_FD_TERMINAL, LOG_FD_FILE };

/* A descriptor that takes lines, or not: then they are refused, and nothing waits. */
struct log_fd {
    int fd; /* -1: there is none */
    bool owns_fd;
    bool is_mid_line; /* the last line was cut short */
    enum log_fd_kind kind;
};

/* For a descriptor that stays the caller's (stderr). */
void log_fd_init(struct log_fd *out, int fd);
/* Opens a file to append to, and makes it (mode 0640) when it is not there. */
int log_fd_open(struct log_fd *ret_out, const char *path, struct fsd_err *err);
/* Twice is allowed. */
void log_fd_fini(struct log_fd *out);
/* A line with its newline.  False: it was not taken, or only in part; whatever comes next begins on a line of its own. */
bool log_fd_write(struct log_fd *out, const char *line, size_t len);

#endif
