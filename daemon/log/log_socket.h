#ifndef FSD_DAEMON_LOG_LOG_SOCKET_H
#define FSD_DAEMON_LOG_LOG_SOCKET_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#define LOG_SOCKET_JOURNAL "/run/systemd/journal/socket"

/* The way to the systemd journal: a datagram socket that never waits. */
struct log_socket {
    int fd; /* owned; -1: there is none */
    struct sockaddr_un address;
};

/* path: LOG_SOCKET_JOURNAL.  The journal need not run yet.  0 or negative errno. */
int log_socket_open(struct log_socket *ret_journal, const char *path);
void log_socket_fini(struct log_socket *journal);
/* Sends one record.  0, -EAGAIN: the journal is there but does not take it now; other negative errno: it can't be reached. */
int log_socket_send(const struct log_socket *journal, const void *packet, size_t len);

#endif
