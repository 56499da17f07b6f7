#ifndef FSD_DAEMON_HOST_NOTIFY_H
#define FSD_DAEMON_HOST_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/host/notify_text.h"

struct fsd_err;

/* The way to the service manager.  Nothing here waits: what the manager does not take now is kept and said later
 * (notify_flush), but for the calls that repeat themselves.  Every call is fine when nobody asked to be told. */
struct notify {
    int fd; /* -1: nobody asked */
    struct sockaddr_un address;
    socklen_t address_len;
    unsigned pending; /* bits of what could not be said yet */
    uint64_t reloading_us;
    char status[NOTIFY_TEXT_MAX];
};

/* socket is NOTIFY_SOCKET ("/path" or "@abstract"), NULL: nobody asked.  On failure (a sentence) it is as if nobody did. */
int notify_open(struct notify *notify, const char *socket, struct fsd_err *err);
void notify_close(struct notify *notify); /* a second time is fine */

/* Up and serving: after the start, and at the end of a reload.  status is copied. */
void notify_ready(struct notify *notify, const char *status);
/* A reload begins; notify_ready ends it, whatever came of it. */
void notify_reloading(struct notify *notify, const char *status);
/* The daemon stops. */
void notify_stopping(struct notify *notify, const char *status);
/* One line for `systemctl status`; nothing is sent when it has not changed. */
void notify_status(struct notify *notify, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Asks for so much more time from now; to be repeated while something slow goes on. */
void notify_extend(struct notify *notify, uint64_t timeout_us);
/* Says that the daemon lives; to be repeated at half the interval. */
void notify_watchdog(struct notify *notify);
/* How often the manager wants to hear that; 0: it does not, or it means another process. */
uint64_t notify_get_watchdog_us(void);
/* Says what could not be said before.  True: nothing is left; false: call it again in a second or so. */
bool notify_flush(struct notify *notify);

/* The manager's fd store: keeps a copy of the descriptor under the name, or forgets all of that name.  0, -EAGAIN: it
 * takes nothing now, or another negative errno. */
int notify_store(struct notify *notify, const char *name, int fd);
int notify_unstore(struct notify *notify, const char *name);

#endif
