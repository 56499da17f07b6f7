/* deploy_sockets.c - the sockets that a change of configuration needs, opened while nothing depends on them.
 * Owns nothing: listeners belong to the inventory that is being prepared.  An address that somebody else has ends the change
 * here.  One that is only taken by a socket of ours which is about to go (127.0.0.1:80 becomes 0.0.0.0:80) is
 * opened beside it: the kernel lets sockets of one user that all have SO_REUSEPORT overlap.
 * Called by deploy.c and deploy_members.c.  Must not close anything: what is left over is retired. */
#include "daemon/change/deploy_sockets.h"

#include <errno.h>
#include <netinet/in.h>

#include "common/err.h"
#include "daemon/conf/conf.h"
#include "daemon/listen/listener.h"
#include "daemon/state.h"

/* 0: it has none. */
static in_port_t get_port(const struct parse_address *address)
{
    if (address->storage.ss_family == AF_INET) {
        return ((const struct sockaddr_in *)&address->storage)->sin_port;
    }
    return address->storage.ss_family == AF_INET6
               ? ((const struct sockaddr_in6 *)&address->storage)->sin6_port
               : 0;
}

/* Does a listener that runs have the same port? */
static bool is_port_ours(const struct inventory *running, const struct parse_address *address)
{
    in_port_t port = get_port(address);
    for (size_t i = 0; port != 0 && i < running->conf->listener_count; i++) {
        if (get_port(&running->conf->listeners[i].address) == port) {
            return true;
        }
    }
    return false;
}

static int open_one(const struct inventory *running, struct listener *listener,
                    const struct conf_listener *conf, unsigned count, struct fsd_err *err)
{
    struct fsd_err ignored;
    int error = listener_open(listener, conf, count, NULL, err);
    if (error != -EADDRINUSE || !is_port_ours(running, &conf->address)) {
        return error;
    }
    return listener_open_beside(listener, conf, count, &ignored) == 0 ? 0 : error;
}

int deploy_sockets_open(struct master *master, struct fsd_err *err)
{
    const struct inventory *next = &master->deploy.next;
    int error = 0;
    for (size_t i = 0; i < next->conf->pool_count && error >= 0; i++) {
        const struct conf_pool *own = &next->conf->pools[i];
        unsigned count = inventory_count(next, i, master->auto_count);
        for (size_t j = 0; j < own->listener_count && error >= 0; j++) {
            size_t index = own->listeners[j];
            struct listener *listener = next->listeners[index];
            if (!inventory_has_listener(&master->inventory, listener)) {
                error = open_one(&master->inventory, listener, &next->conf->listeners[index], count,
                                 err);
            }
        }
    }
    return error;
}

int deploy_sockets_grow(const struct inventory *next, size_t i, unsigned count, struct fsd_err *err)
{
    const struct conf_pool *own = &next->conf->pools[i];
    for (size_t j = 0; j < own->listener_count; j++) {
        struct listener *listener = next->listeners[own->listeners[j]];
        unsigned live = listener->live;
        if (listener->kind == LISTENER_SHARED || listener->count >= count) {
            continue;
        }
        int error = listener_grow(listener, count, err);
        if (error < 0) {
            return error;
        }
        (void)listener_exclude(listener, live); /* else what comes there waits for its worker */
    }
    return 0;
}
