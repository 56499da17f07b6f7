/* log_socket.c - sends records to the systemd journal without ever waiting for it.
 * Owns a datagram socket.  sd_journal_sendv of libsystemd waits as long as the journal's queue is full, and a journal that hangs
 * would hang the master; here some wait in memory (the queue of the journal may be as short as ten), and then records are
 * refused instead.  A record that is too long for a datagram is put into
 * a sealed memfd whose descriptor is sent; a memfd is memory, so that does not wait either.  Each one is sent to the path
 * anew: the journal may have been restarted.
 * Called by log.c.  Must not know what is in a record. */
#include "daemon/log/log_socket.h"

#include <errno.h>
#include <string.h>

#include "common/fd.h"

enum {
    SEND_BYTES = 1024 * 1024, /* asked for; the system may allow less */
    BACKLOG_MAX = 500,
    BACKLOG_BYTES = 256 * 1024,
};

int log_socket_open(struct log_socket *ret_journal, const char *path)
{
    struct log_socket journal = {.fd = -1, .address = {.sun_family = AF_UNIX}};
    size_t len = strlen(path);
    if (len >= sizeof(journal.address.sun_path)) {
        return -ENAMETOOLONG;
    }
    memcpy(journal.address.sun_path, path, len);
    int error = log_ring_init(&journal.backlog, BACKLOG_MAX, BACKLOG_BYTES);
    if (error < 0) {
        return error;
    }
    journal.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (journal.fd < 0) {
        error = -errno;
        log_ring_fini(&journal.backlog);
        return error;
    }
    int bytes = SEND_BYTES;
    /* with less, more records go as a memfd */
    (void)setsockopt(journal.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    *ret_journal = journal;
    return 0;
}

static int send_message(struct log_socket *journal, struct msghdr *message)
{
    message->msg_name = &journal->address;
    message->msg_namelen = sizeof(journal->address);
    ssize_t sent;
    do {
        sent = sendmsg(journal->fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

static int send_as_file(struct log_socket *journal, const void *packet, size_t len)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {.room = {0}};
    int fd = fd_sealed_from("fsd-log", packet, len);
    if (fd < 0) {
        return fd;
    }
    struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    int error = send_message(journal, &message);
    fd_close(&fd);
    return error;
}

static int send_packet(struct log_socket *journal, const void *packet, size_t len)
{
    union {
        const void *in;
        void *out;
    } bytes = {.in = packet}; /* sendmsg does not write to it */
    struct iovec part = {.iov_base = bytes.out, .iov_len = len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    int error = send_message(journal, &message);
    return error == -EMSGSIZE || error == -ENOBUFS ? send_as_file(journal, packet, len) : error;
}

bool log_socket_is_waiting(const struct log_socket *journal)
{
    return journal->fd >= 0 && !log_ring_is_empty(&journal->backlog);
}

void log_socket_flush(struct log_socket *journal)
{
    while (log_socket_is_waiting(journal)) {
        const struct log_ring_entry *entry =
            log_ring_get(&journal->backlog, journal->backlog.first);
        if (send_packet(journal, log_ring_get_text(&journal->backlog, entry), entry->text_len) <
            0) {
            return; /* full, or being restarted */
        }
        log_ring_drop(&journal->backlog);
    }
}

int log_socket_send(struct log_socket *journal, const void *packet, size_t len)
{
    log_socket_flush(journal);
    int error = log_socket_is_waiting(journal) ? -EAGAIN : send_packet(journal, packet, len);
    if (error == -EAGAIN && log_ring_has_room(&journal->backlog, len)) {
        struct log_ring_entry entry = {.text_len = len};
        log_ring_add(&journal->backlog, &entry, NULL, packet);
        return 0;
    }
    return error;
}

void log_socket_fini(struct log_socket *journal)
{
    if (journal->fd >= 0) {
        log_socket_flush(journal);
        log_ring_fini(&journal->backlog);
        fd_close(&journal->fd);
    }
}
