#ifndef FSD_DAEMON_LISTEN_ACTIVATION_H
#define FSD_DAEMON_LISTEN_ACTIVATION_H

#include "daemon/listen/listener.h"

struct activation_socket;
struct fsd_err;
struct log;
struct notify;

/* The sockets that systemd handed over at the start, until each has found its listener. */
struct activation {
    struct activation_socket *sockets; /* owned */
    size_t count;
    int *taken;      /* owned; what the last activation_take answered with */
    struct log *log; /* borrowed; for what is closed, one line each */
};

/* Takes LISTEN_FDS and LISTEN_FDNAMES when LISTEN_PID is us, and takes them out of the environment.  To be called before any
 * descriptor is opened.  Each socket finds its listener (borrowed until activation_close): by its name, else by its address; those
 * of our own fd store by both.  The others, and what is no listening stream socket, are closed and logged.  Numbers that
 * make no sense are a negative errno with a sentence. */
int activation_open(struct activation *activation, const struct conf_listener *listeners,
                    size_t listener_count, struct log *log, struct fsd_err *err);
/* The sockets of a listener for listener_open, count 0 when there are none; valid until the next call.  The descriptors are
 * the caller's now. */
struct listener_inherited activation_take(struct activation *activation,
                                          const struct conf_listener *conf);
/* Closes what was not taken, and logs each.  All zero is fine. */
void activation_close(struct activation *activation);

/* Puts the sockets of a TCP listener that was opened here into systemd's fd store as "NAME/SLOT", so that they and what
 * waits in them live through a restart; those that lie there already may be sent again.  0, or -EAGAIN: call it again later
 * (another error: it cannot be done now). */
int activation_store(struct notify *notify, struct listener *listener);
/* Takes those from this slot on out of the store.  What listener_shrink ended leaves it by itself.  0 or as above. */
int activation_unstore(struct notify *notify, struct listener *listener, unsigned slots);
/* Do they lie there under a name that the listener has no more?  Then they are to be taken out, all of them, before any
 * listener stores more: names may have been swapped. */
bool activation_has_old_name(const struct listener *listener);

#endif
