#ifndef FSD_DAEMON_LISTEN_LISTENER_H
#define FSD_DAEMON_LISTEN_LISTENER_H

#include <stdbool.h>

#include "common/proto.h"
#include "daemon/listen/listener_bind.h"

struct conf_listener;
struct fsd_err;

enum listener_kind {
    LISTENER_PER_SLOT, /* TCP: one SO_REUSEPORT socket a slot, the kernel balances */
    LISTENER_SHARED,   /* a Unix socket, or one that systemd opened: one for all slots */
};

/* Sockets that were open before us and are already bound where the listener wants to be. */
struct listener_inherited {
    /* of the slots 0, 1, ...; listener_open takes the descriptors in any case, the array stays the caller's */
    int *fds;
    unsigned count;            /* 0: none */
    bool is_foreign;           /* made by somebody else: never unlinked, shut down or shared out */
    struct listener_file file; /* of our own Unix socket, to be removed at the end */
};

/* The listening sockets of one address.  Non-blocking, close-on-exec.  The fields are listener.c's. */
struct listener {
    char name[PROTO_NAME_MAX];
    char address[PARSE_ADDRESS_TEXT_MAX]; /* as bound: with the port that the kernel chose */
    struct parse_address wanted;          /* as configured */
    struct parse_address bound;
    enum listener_kind kind;
    bool is_foreign;
    struct listener_file file;
    int *fds; /* owned; in the order in which they joined, which is the kernel's */
    unsigned count;
    unsigned live;   /* new connections go to so many of them; the others are excluded */
    unsigned stored; /* so many of them lie in systemd's fd store (activation.c) */
    char stored_as[PROTO_NAME_MAX]; /* under this name, when there are any */
};

/* Binds and listens for so many slots (at least one), in inherited sockets (NULL: none) first.  When more were inherited than
 * there are slots, count is above slots and the rest is excluded: to be served and shrunk as after an exclusion.
 * 0, or a negative errno with a sentence (-EADDRINUSE, -EACCES ...).  Copies what it needs of conf. */
int listener_open(struct listener *listener, const struct conf_listener *conf, unsigned slots,
                  const struct listener_inherited *inherited, struct fsd_err *err);
/* Takes over all sockets of a listener of the same kind that another program of ours had, before an upgrade in place; `live` of them get
 * new connections, as before.  Negative errno: nothing is closed, and the listener is not to be used. */
int listener_inherit(struct listener *listener, const struct conf_listener *conf, unsigned live,
                     const struct listener_inherited *inherited);
/* The same for a TCP address that overlaps with one whose sockets are ours, too: whether somebody else has it is not seen then. */
int listener_open_beside(struct listener *listener, const struct conf_listener *conf,
                         unsigned slots, struct fsd_err *err);
/* Closes all sockets, removes the Unix socket's file when it is still ours.  Copies that others hold (a worker, the fd
 * store) go on listening.  All zero is fine. */
void listener_close(struct listener *listener);

/* Adds sockets up to so many slots and ends an exclusion.  On failure nothing has changed.  Nothing to do when shared. */
int listener_grow(struct listener *listener, unsigned slots, struct fsd_err *err);
/* From now on new connections go only to the first `live` sockets, 1 to count; count: to all again.  What waits in the others, and
 * handshakes that have begun there, stay there.  0 or negative errno.  Nothing to do when shared. */
int listener_exclude(struct listener *listener, unsigned live);
/* Ends the sockets from this slot on, also for those who hold a copy, and the exclusion when it was only about them: connections
 * that wait there are reset, so call it when listener_is_waiting has been false for a while.  0 slots: the address is given up.
 * Nothing to do when shared. */
void listener_shrink(struct listener *listener, unsigned slots);

/* The name that a new configuration gives to the address. */
void listener_rename(struct listener *listener, const char *name);

/* Is there a socket for the slot?  A slot that leaves has none of a listener that was opened without it. */
bool listener_has(const struct listener *listener, unsigned slot);
/* Does a connection wait to be accepted from the slot's socket?  False when it has none. */
bool listener_is_waiting(const struct listener *listener, unsigned slot);
/* The socket that a slot's workers accept from; stays the listener's.  There must be one. */
int listener_get_fd(const struct listener *listener, unsigned slot);
/* As bound, for people: "127.0.0.1:8080". */
const char *listener_get_address(const struct listener *listener);
/* Is it what the configuration now asks for?  Port 0 is the same as port 0. */
bool listener_is_same_address(const struct listener *listener, const struct parse_address *address);

#endif
