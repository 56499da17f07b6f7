#ifndef FSD_DAEMON_LISTEN_LISTENER_BIND_H
#define FSD_DAEMON_LISTEN_LISTENER_BIND_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/parse.h"

/* The file of a Unix socket, to recognise it at the end; inode 0: there is none of ours. */
struct listener_file {
    dev_t device;
    ino_t inode;
};

/* Descriptors are non-blocking, close-on-exec and the caller's; errors are a negative errno. */

/* Binds alone: -EADDRINUSE when anybody else has the address.  Others can join the socket afterwards.  *address becomes what
 * was bound: with the port that the kernel chose. */
int listener_bind_first(struct parse_address *address);
/* Binds beside the sockets that are bound to the address. */
int listener_bind_next(const struct parse_address *address);
/* Binds and listens, so that clients never meet a socket that does not.  A file that nobody answers on is
 * replaced; -EADDRINUSE when somebody does, or when it is no socket. */
int listener_bind_unix(const struct parse_address *address, struct listener_file *ret_file);
/* Removes the file of a Unix socket if it is still that one. */
void listener_bind_remove(const struct parse_address *address, const struct listener_file *file);
/* Makes the kernel keep connections that nobody has accepted yet. */
int listener_bind_listen(int fd);
/* Makes a socket that somebody else opened as ours are: non-blocking, close-on-exec. */
int listener_bind_adopt(int fd);
/* Reads where a socket is bound. */
int listener_bind_get_address(int fd, struct parse_address *ret_address);

#endif
