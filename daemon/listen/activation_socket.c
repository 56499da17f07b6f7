/* activation_socket.c - one socket that systemd handed over: what it is, and whom it fits.
 * Owns the names in the fd store, "NAME/SLOT", which no listener can be called: a name of a listener has no slash.
 * Called by activation.c.  Must not know which listeners there are. */
#include "daemon/listen/activation_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/fd.h"
#include "common/proto.h"
#include "daemon/conf/conf.h"
#include "daemon/listen/listener_bind.h"
#include "daemon/log/log.h"

_Static_assert(ACTIVATION_STORE_NAME_MAX >= PROTO_NAME_MAX + 11, "a name and any slot fit");
_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
               "ports are read and written at the same place in both families");

/* *ret_slot is written when it is one of ours. */
static bool parse_store_name(const char *name, uint64_t *ret_slot)
{
    const char *slash = strrchr(name, '/');
    return slash != NULL && slash != name && parse_digits(slash + 1, 10, UINT16_MAX, ret_slot) == 0;
}

static bool is_inet(const struct parse_address *address)
{
    return address->storage.ss_family == AF_INET || address->storage.ss_family == AF_INET6;
}

const char *activation_socket_init(struct activation_socket *item, int fd, char *name)
{
    *item = (struct activation_socket){.name = name, .fd = fd};
    if (listener_bind_get_address(fd, &item->address) == -ENOTSOCK) {
        return "it is no socket";
    }
    item->is_stored = is_inet(&item->address) && parse_store_name(name, &item->slot);
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
        return "it is no listening stream socket";
    }
    if (!is_inet(&item->address) && item->address.storage.ss_family != AF_UNIX) {
        return "it is neither TCP nor a Unix socket";
    }
    return NULL;
}

/* One of ours is shut down as well: then its port is free at once, and systemd takes what has hung up out of the store. */
void activation_socket_drop(struct activation_socket *item, struct log *log, const char *why)
{
    char address[PARSE_ADDRESS_TEXT_MAX] = "";
    if (is_inet(&item->address) || item->address.storage.ss_family == AF_UNIX) {
        parse_address_format(&item->address, address);
    }
    log_write(log, item->is_stored ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, NULL,
              "closed a socket from systemd",
              LOG_FIELDS(log_text("name", item->name), log_text("address", address),
                         log_text("reason", why)));
    if (item->is_stored) {
        (void)shutdown(item->fd, SHUT_RDWR); /* one that does not listen is fine */
    }
    fd_close(&item->fd);
}

void activation_socket_format_name(const char *listener, unsigned slot,
                                   char name[ACTIVATION_STORE_NAME_MAX])
{
    (void)snprintf(name, ACTIVATION_STORE_NAME_MAX, "%s/%u", listener, slot);
}

static bool is_same_text(const struct parse_address *one, const struct parse_address *other)
{
    char first[PARSE_ADDRESS_TEXT_MAX];
    char second[PARSE_ADDRESS_TEXT_MAX];
    parse_address_format(one, first);
    parse_address_format(other, second);
    return strcmp(first, second) == 0;
}

static in_port_t get_port(const struct parse_address *address)
{
    struct sockaddr_in in; /* the port lies at the same place in both families */
    memcpy(&in, &address->storage, sizeof(in));
    return in.sin_port;
}

static void set_port(struct parse_address *address, in_port_t port)
{
    struct sockaddr_in in;
    memcpy(&in, &address->storage, sizeof(in));
    in.sin_port = port;
    memcpy(&address->storage, &in, sizeof(in));
}

bool activation_socket_has_address(const struct activation_socket *item,
                                   const struct conf_listener *conf)
{
    return is_same_text(&item->address, &conf->address);
}

bool activation_socket_continues(const struct activation_socket *item,
                                 const struct conf_listener *conf)
{
    struct parse_address wanted = conf->address;
    size_t len = strlen(conf->name);
    if (!item->is_stored || strncmp(item->name, conf->name, len) != 0 ||
        strrchr(item->name, '/') != item->name + len ||
        item->address.storage.ss_family != wanted.storage.ss_family) {
        return false;
    }
    if (get_port(&wanted) == 0) {
        set_port(&wanted, get_port(&item->address)); /* any port: the one that we had */
    }
    return is_same_text(&item->address, &wanted);
}

uint16_t activation_socket_get_port(const struct activation_socket *item)
{
    return get_port(&item->address);
}
