#ifndef FSD_DAEMON_LISTEN_ACTIVATION_SOCKET_H
#define FSD_DAEMON_LISTEN_ACTIVATION_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/parse.h"

struct conf_listener;
struct log;

enum { ACTIVATION_STORE_NAME_MAX = 80 }; /* of a listener, "/", a slot */

/* One socket that systemd handed over. */
struct activation_socket {
    char *name; /* owned; as systemd calls it, "unknown" when it has no name */
    int fd;     /* owned; -1: taken or closed */
    struct parse_address address;
    bool is_stored; /* one of our own fd store */
    uint64_t slot;
    const struct conf_listener *owner; /* borrowed; NULL: nobody wants it */
};

/* Looks at a descriptor; name is taken.  NULL, or why it is of no use to anybody. */
const char *activation_socket_init(struct activation_socket *item, int fd, char *name);
/* Closes it and logs why, for people. */
void activation_socket_drop(struct activation_socket *item, struct log *log, const char *why);

/* What a socket of ours is called in the fd store: "web/3". */
void activation_socket_format_name(const char *listener, unsigned slot,
                                   char name[ACTIVATION_STORE_NAME_MAX]);
/* Is it bound to what the listener asks for? */
bool activation_socket_has_address(const struct activation_socket *item,
                                   const struct conf_listener *conf);
/* Is it one that the listener put into the store, still bound to what it asks for? */
bool activation_socket_continues(const struct activation_socket *item,
                                 const struct conf_listener *conf);
/* In network order; of a TCP socket. */
uint16_t activation_socket_get_port(const struct activation_socket *item);

#endif
