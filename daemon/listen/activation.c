/* activation.c - sockets that were open before the daemon: those of systemd's socket units, and those of our own fd store.
 * Owns them until a listener takes them.  A socket unit's belongs to the listener of its name (FileDescriptorName=), else to the
 * one of its address.  Of our own, an unbroken row from slot 0 on is kept: behind a gap the kernel's order of the sockets is no
 * longer that of the slots, and listener_exclude needs it.  What nobody wants is closed at once, so that it is in nobody's way.
 * Called by the master before it opens anything, and when slots come and go.  Must not bind a socket, nor wait. */
#include "daemon/listen/activation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "common/err.h"
#include "daemon/conf/conf.h"
#include "daemon/host/notify.h"
#include "daemon/listen/activation_socket.h"

/* Takes over the names. */
static void add_sockets(struct activation *activation, char **names, size_t count)
{
    activation->count = count;
    for (size_t i = 0; i < count; i++) {
        struct activation_socket *item = &activation->sockets[i];
        const char *fault = activation_socket_init(item, SD_LISTEN_FDS_START + (int)i, names[i]);
        if (fault != NULL) {
            activation_socket_drop(item, activation->log, fault);
        }
    }
}

/* The socket of a listener and a slot; any slot of one that is not ours. */
static struct activation_socket *find_owned(const struct activation *activation,
                                            const struct conf_listener *conf, unsigned slot)
{
    for (size_t i = 0; i < activation->count; i++) {
        struct activation_socket *item = &activation->sockets[i];
        if (item->fd >= 0 && item->owner == conf && (!item->is_stored || item->slot == slot)) {
            return item;
        }
    }
    return NULL;
}

static bool is_free(const struct activation_socket *item)
{
    return item->fd >= 0 && item->owner == NULL;
}

/* Of several with the name, the one with the address. */
static void assign_by_name(struct activation *activation, const struct conf_listener *conf)
{
    struct activation_socket *found = NULL;
    for (size_t i = 0; i < activation->count; i++) {
        struct activation_socket *item = &activation->sockets[i];
        if (is_free(item) && !item->is_stored && strcmp(item->name, conf->name) == 0 &&
            (found == NULL || activation_socket_has_address(item, conf))) {
            found = item;
        }
    }
    if (found != NULL) {
        found->owner = conf;
    }
}

static void assign_by_address(struct activation *activation, const struct conf_listener *conf)
{
    for (size_t i = 0; i < activation->count; i++) {
        struct activation_socket *item = &activation->sockets[i];
        if (is_free(item) && !item->is_stored && activation_socket_has_address(item, conf)) {
            item->owner = conf;
            return;
        }
    }
}

/* port 0: any. */
static struct activation_socket *find_stored(const struct activation *activation,
                                             const struct conf_listener *conf, unsigned slot,
                                             uint16_t port)
{
    for (size_t i = 0; i < activation->count; i++) {
        struct activation_socket *item = &activation->sockets[i];
        if (is_free(item) && item->slot == slot && activation_socket_continues(item, conf) &&
            (port == 0 || port == activation_socket_get_port(item))) {
            return item;
        }
    }
    return NULL;
}

static void assign_stored(struct activation *activation, const struct conf_listener *conf)
{
    uint16_t port = 0;
    for (unsigned slot = 0; slot < activation->count; slot++) {
        struct activation_socket *item = find_stored(activation, conf, slot, port);
        if (item == NULL) {
            return;
        }
        item->owner = conf;
        port = activation_socket_get_port(item);
    }
}

/* All names come before all addresses: a name says more. */
static void assign(struct activation *activation, const struct conf_listener *listeners,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assign_by_name(activation, &listeners[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (find_owned(activation, &listeners[i], 0) == NULL) {
            assign_by_address(activation, &listeners[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (find_owned(activation, &listeners[i], 0) == NULL) {
            assign_stored(activation, &listeners[i]);
        }
    }
    for (size_t i = 0; i < activation->count; i++) {
        struct activation_socket *item = &activation->sockets[i];
        if (is_free(item)) {
            activation_socket_drop(item, activation->log,
                                   item->is_stored ? "no listener continues it"
                                                   : "no listener has its name or address");
        }
    }
}

int activation_open(struct activation *activation, const struct conf_listener *listeners,
                    size_t listener_count, struct log *log, struct fsd_err *err)
{
    char **names = NULL;
    *activation = (struct activation){.log = log};
    int count = sd_listen_fds_with_names(1, &names);
    if (count < 0) {
        return fsd_err_set(err, -count,
                           "cannot take the sockets of systemd: %s (LISTEN_FDS, LISTEN_FDNAMES)",
                           strerror(-count));
    }
    if (count > 0) {
        activation->sockets = calloc((size_t)count, sizeof(*activation->sockets));
        activation->taken = calloc((size_t)count, sizeof(*activation->taken));
    }
    if (activation->sockets != NULL && activation->taken != NULL) {
        add_sockets(activation, names, (size_t)count);
        free(names); /* the names themselves are the sockets' now */
        assign(activation, listeners, listener_count);
        return 0;
    }
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
    activation_close(activation);
    return count == 0 ? 0
                      : fsd_err_set(err, ENOMEM, "cannot take the sockets of systemd: %s",
                                    strerror(ENOMEM));
}

struct listener_inherited activation_take(struct activation *activation,
                                          const struct conf_listener *conf)
{
    struct listener_inherited inherited = {.fds = activation->taken};
    for (unsigned slot = 0; slot < activation->count; slot++) {
        struct activation_socket *item = find_owned(activation, conf, slot);
        if (item == NULL) {
            break;
        }
        inherited.fds[inherited.count++] = item->fd;
        inherited.is_foreign = !item->is_stored;
        item->fd = -1;
    }
    return inherited;
}

void activation_close(struct activation *activation)
{
    for (size_t i = 0; activation->sockets != NULL && i < activation->count; i++) {
        struct activation_socket *item = &activation->sockets[i];
        if (item->fd >= 0) {
            activation_socket_drop(item, activation->log, "its listener is in no pool");
        }
        free(item->name);
    }
    free(activation->sockets);
    free(activation->taken);
    *activation = (struct activation){0};
}

int activation_store(struct notify *notify, struct listener *listener)
{
    if (listener->kind == LISTENER_SHARED) {
        return 0;
    }
    if (listener->stored == 0) {
        (void)snprintf(listener->stored_as, sizeof(listener->stored_as), "%s", listener->name);
    }
    while (listener->stored < listener->count) {
        char name[ACTIVATION_STORE_NAME_MAX];
        activation_socket_format_name(listener->stored_as, listener->stored, name);
        int error = notify_store(notify, name, listener_get_fd(listener, listener->stored));
        if (error < 0) {
            return error;
        }
        listener->stored++;
    }
    return 0;
}

bool activation_has_old_name(const struct listener *listener)
{
    return listener->stored > 0 && strcmp(listener->stored_as, listener->name) != 0;
}

int activation_unstore(struct notify *notify, struct listener *listener, unsigned slots)
{
    while (listener->stored > slots) {
        char name[ACTIVATION_STORE_NAME_MAX];
        activation_socket_format_name(listener->stored_as, listener->stored - 1, name);
        int error = notify_unstore(notify, name);
        if (error < 0) {
            return error;
        }
        listener->stored--;
    }
    return 0;
}
