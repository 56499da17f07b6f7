#ifndef FSD_DAEMON_LOG_LOG_SOCKET_H
#define FSD_DAEMON_LOG_LOG_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/log/log_ring.h"

#define LOG_SOCKET_JOURNAL "/run/systemd/journal/socket"

/* The way to the systemd journal: a datagram socket that never waits. */
struct log_socket {
    int fd; /* owned; -1: there is none */
    struct sockaddr_un address;
    struct log_ring backlog; /* records that the journal did not take yet, in order */
};

/* path: LOG_SOCKET_JOURNAL.  The journal need not run yet.  0 or negative errno. */
int log_socket_open(struct log_socket *ret_journal, const char *path);
void log_socket_fini(struct log_socket *journal);
/* Sends one record, or keeps it for log_socket_flush.  0; -EAGAIN: too many wait; other negative errno: the journal can't be
 * reached, and none wait. */
int log_socket_send(struct log_socket *journal, const void *packet, size_t len);
/* Sends what waits, as far as the journal takes it. */
void log_socket_flush(struct log_socket *journal);
bool log_socket_is_waiting(const struct log_socket *journal);

#endif
