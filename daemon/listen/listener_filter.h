#ifndef FSD_DAEMON_LISTEN_LISTENER_FILTER_H
#define FSD_DAEMON_LISTEN_LISTENER_FILTER_H

/* Which sockets of a SO_REUSEPORT group get new connections; fd is any one of the group.  0 or negative errno. */

/* Only the first `live` ones (at least one, and no more than there are), in the order in which they began to listen. */
int listener_filter_attach(int fd, unsigned live);
/* All of them; nothing to do when that is so. */
int listener_filter_detach(int fd);

#endif
