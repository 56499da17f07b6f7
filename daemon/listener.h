#ifndef FSD_DAEMON_LISTENER_H
#define FSD_DAEMON_LISTENER_H

#include <sys/types.h>

#include "common/parse.h"

struct conf_listener;
struct fsd_err;

/* The listening sockets of one configured listener: one a slot of its pool for TCP (SO_REUSEPORT, so that the kernel
 * balances), one for all slots when it is a Unix socket.  Non-blocking, close-on-exec. */
struct listener {
    const struct conf_listener *conf;     /* borrowed */
    char address[PARSE_ADDRESS_TEXT_MAX]; /* as bound: with the port that the kernel chose */
    int *fds;                             /* owned */
    unsigned count;
    dev_t device; /* of our Unix socket's file, to recognise it at the end */
    ino_t inode;
};

/* Binds and listens for the given number of slots.  0, or a negative errno with a sentence (-EADDRINUSE, -EACCES ...).
 * conf is borrowed. */
int listener_open(struct listener *listener, const struct conf_listener *conf, unsigned slots,
                  struct fsd_err *err);
/* Closes all sockets, removes the Unix socket's file when it is still ours.  All zero is fine. */
void listener_close(struct listener *listener);
/* The socket that a slot's workers accept from; stays the listener's. */
int listener_get_fd(const struct listener *listener, unsigned slot);

#endif
