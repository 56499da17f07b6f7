#ifndef FSD_DAEMON_CONTROL_CONTROL_SOCKET_H
#define FSD_DAEMON_CONTROL_CONTROL_SOCKET_H

#include <sys/types.h>

struct fsd_err;

/* The listening Unix socket of the control plane and its file. */
struct control_socket {
    int fd;       /* owned, non-blocking, close-on-exec; -1: closed */
    char *path;   /* owned */
    dev_t device; /* with inode: the file that we made, and no other one that took its name */
    ino_t inode;
};

/* Binds and listens.  The file appears under its name complete: mode 0600 (0660 for the group fsd-admin where it exists),
 * accepting.  -EADDRINUSE when somebody listens there already; a socket file without a listener is replaced and
 * ret_replaced_stale set to 1; anything else of that name is left alone and refused. */
int control_socket_open(struct control_socket *ret_control, const char *path,
                        int *ret_replaced_stale, struct fsd_err *err);
/* Closes, and removes the file if it is still ours.  Closing twice is allowed. */
void control_socket_close(struct control_socket *control);

#endif
