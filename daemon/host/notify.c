/* notify.c - tells the service manager how the daemon is (sd_notify(3)).
 * Owns one datagram socket and what could not be said yet.  Not by sd_notify itself, because that waits while the manager's
 * queue is full: the master would hang with the manager.  Here a full queue leaves a bit set, and notify_flush
 * sends the states again in the order in which they are true: reloading, ready, stopping.
 * Called by the master where its state changes.  Must not decide what the state is. */
#include "daemon/host/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/fd.h"

enum notify_bit {
    NOTIFY_RELOADING = 1,
    NOTIFY_READY = 2,
    NOTIFY_STOPPING = 4,
    NOTIFY_STATUS = 8,
};

enum { MESSAGE_MAX = NOTIFY_TEXT_MAX + 128 };

int notify_open(struct notify *notify, const char *socket_name, struct fsd_err *err)
{
    *notify = (struct notify){.fd = -1};
    if (socket_name == NULL) {
        return 0;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(socket_name);
    if ((socket_name[0] != '/' && socket_name[0] != '@') || len < 2 ||
        len >= sizeof(address.sun_path)) {
        return fsd_err_set(err, EINVAL,
                           "cannot notify \"%s\": NOTIFY_SOCKET is no path and no abstract name",
                           socket_name);
    }
    memcpy(address.sun_path, socket_name, len);
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0'; /* abstract: the length says where it ends */
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fsd_err_set(err, errno, "cannot notify \"%s\": %s", socket_name, strerror(errno));
    }
    notify->fd = fd;
    notify->address = address;
    notify->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return 0;
}

void notify_close(struct notify *notify)
{
    fd_close(&notify->fd);
}

/* fd -1: none goes with it. */
static int send_message(const struct notify *notify, const char *text, int fd)
{
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.space = {0}};
    union { /* sendmsg writes to neither */
        const void *in;
        void *out;
    } address = {.in = &notify->address}, data = {.in = text};
    struct iovec part = {.iov_base = data.out, .iov_len = strlen(text)};
    struct msghdr message = {.msg_name = address.out,
                             .msg_namelen = notify->address_len,
                             .msg_iov = &part,
                             .msg_iovlen = 1};
    if (notify->fd < 0) {
        return 0;
    }
    if (fd >= 0) {
        control.head = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    return sendmsg(notify->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Each state takes the text of the status along, so that one never stands without the other. */
static int send_state(const struct notify *notify, enum notify_bit bit)
{
    char text[MESSAGE_MAX];
    switch (bit) {
    case NOTIFY_RELOADING:
        (void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=%s",
                       (unsigned long long)notify->reloading_us, notify->status);
        break;
    case NOTIFY_READY:
        (void)snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", notify->status);
        break;
    case NOTIFY_STOPPING:
        (void)snprintf(text, sizeof(text), "STOPPING=1\nSTATUS=%s", notify->status);
        break;
    case NOTIFY_STATUS:
        (void)snprintf(text, sizeof(text), "STATUS=%s", notify->status);
        break;
    }
    return send_message(notify, text, -1);
}

bool notify_flush(struct notify *notify)
{
    static const enum notify_bit order[] = {NOTIFY_RELOADING, NOTIFY_READY, NOTIFY_STOPPING,
                                            NOTIFY_STATUS};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if ((notify->pending & order[i]) == 0) {
            continue;
        }
        if (send_state(notify, order[i]) < 0) {
            return false;
        }
        notify->pending &= ~((unsigned)order[i] | NOTIFY_STATUS);
    }
    return true;
}

/* A new state ends those that it outdates: nobody need hear any more that it was ready before this reload. */
static void tell(struct notify *notify, enum notify_bit bit, unsigned outdated, const char *status)
{
    notify_text_clean(status, notify->status);
    notify->pending = (notify->pending & ~outdated) | bit;
    (void)notify_flush(notify); /* what is left is said by the next one */
}

void notify_ready(struct notify *notify, const char *status)
{
    tell(notify, NOTIFY_READY, 0, status);
}

void notify_reloading(struct notify *notify, const char *status)
{
    notify->reloading_us = clock_monotonic_us();
    tell(notify, NOTIFY_RELOADING, NOTIFY_READY, status);
}

void notify_stopping(struct notify *notify, const char *status)
{
    tell(notify, NOTIFY_STOPPING, NOTIFY_RELOADING | NOTIFY_READY, status);
}

void notify_status(struct notify *notify, const char *fmt, ...)
{
    char text[NOTIFY_TEXT_MAX];
    char clean[NOTIFY_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    notify_text_clean(text, clean);
    if (strcmp(clean, notify->status) != 0) {
        tell(notify, NOTIFY_STATUS, 0, clean);
    }
}

void notify_extend(struct notify *notify, uint64_t timeout_us)
{
    char text[MESSAGE_MAX];
    (void)snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)timeout_us);
    (void)send_message(notify, text, -1); /* it is repeated */
}

void notify_watchdog(struct notify *notify)
{
    (void)send_message(notify, "WATCHDOG=1", -1); /* it is repeated */
}

uint64_t notify_get_watchdog_us(void)
{
    uint64_t interval_us = 0;
    return sd_watchdog_enabled(0, &interval_us) > 0 ? interval_us : 0;
}

int notify_store(struct notify *notify, const char *name, int fd)
{
    char text[MESSAGE_MAX];
    (void)snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
    return send_message(notify, text, fd);
}

int notify_unstore(struct notify *notify, const char *name)
{
    char text[MESSAGE_MAX];
    (void)snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
    return send_message(notify, text, -1);
}
