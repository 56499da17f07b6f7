/* listener.c - the listening sockets of one address, which belong to the master whatever workers come and go.
 * Owns one SO_REUSEPORT socket a slot for TCP, so that the accept queue of a worker that dies is served by its successor; one
 * socket for all slots when it is a Unix socket or when systemd opened it.  Slots leave in three steps: a filter keeps new
 * connections away from their sockets (exclude), their workers serve what waits there, then the sockets are ended (shrink).
 * The filter chooses by the kernel's index, which is the order of joining; when a socket leaves, the kernel moves the last one
 * into its place, so the highest slot always goes first and index and slot stay the same.
 * Called by the master when it starts, ends, scales or changes its configuration.  Must not know who accepts. */
#include "daemon/listen/listener.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/fd.h"
#include "daemon/conf/conf.h"
#include "daemon/listen/listener_filter.h"

static int fail(const struct listener *listener, int error, struct fsd_err *err)
{
    return fsd_err_set(err, -error, "cannot bind \"%s\": %s listener=%s", listener->address,
                       strerror(-error), listener->name);
}

static int reserve(struct listener *listener, unsigned count)
{
    int *fds = reallocarray(listener->fds, count, sizeof(*fds));
    if (fds == NULL) {
        return -ENOMEM;
    }
    listener->fds = fds;
    return 0;
}

static void set_bound(struct listener *listener, const struct parse_address *address)
{
    listener->bound = *address;
    parse_address_format(address, listener->address);
}

static void close_from(struct listener *listener, unsigned first)
{
    while (listener->count > first) {
        fd_close(&listener->fds[--listener->count]);
    }
}

/* A worker may still hold a copy: closing ours alone would leave a socket in the group that nobody accepts from. */
static void end_from(struct listener *listener, unsigned first)
{
    for (unsigned i = listener->count; i > first; i--) {
        (void)shutdown(listener->fds[i - 1], SHUT_RDWR); /* one that does not listen is fine */
    }
    close_from(listener, first);
    if (listener->stored > first) {
        listener->stored = first; /* the store drops what has hung up */
    }
}

/* All are bound before the first one listens: what fails, fails before a connection can be lost. */
static int join(struct listener *listener, unsigned slots)
{
    unsigned first = listener->count;
    int error = 0;
    while (error >= 0 && listener->count < slots) {
        error = listener_bind_next(&listener->bound);
        if (error >= 0) {
            listener->fds[listener->count++] = error;
        }
    }
    for (unsigned i = first; error >= 0 && i < listener->count; i++) {
        error = listener_bind_listen(listener->fds[i]);
    }
    if (error < 0) {
        close_from(listener, first);
        return error;
    }
    return 0;
}

static int open_first(struct listener *listener)
{
    struct parse_address address = listener->wanted;
    int fd = listener_bind_first(&address);
    if (fd < 0) {
        return fd;
    }
    listener->fds[listener->count++] = fd;
    set_bound(listener, &address);
    return listener_bind_listen(fd);
}

static int open_per_slot(struct listener *listener, unsigned slots)
{
    int error = 0;
    if (listener->count > 0) {
        error = join(listener, slots);
        if (error != -EADDRINUSE) {
            return error;
        }
        end_from(listener, 0); /* inherited from another user, whom we can't join: begin again */
    }
    error = open_first(listener);
    return error < 0 ? error : join(listener, slots);
}

static int open_shared(struct listener *listener)
{
    if (listener->count > 0) {
        return 0;
    }
    int fd = listener_bind_unix(&listener->wanted, &listener->file);
    if (fd >= 0) {
        listener->fds[listener->count++] = fd;
    }
    return fd < 0 ? fd : 0;
}

/* The caller has made room. */
static int adopt(struct listener *listener, const struct listener_inherited *inherited)
{
    struct parse_address address;
    listener->is_foreign = inherited->is_foreign;
    listener->file = inherited->file;
    memcpy(listener->fds, inherited->fds, inherited->count * sizeof(*listener->fds));
    listener->count = inherited->count;
    for (unsigned i = 0; i < listener->count; i++) {
        int error = listener_bind_adopt(listener->fds[i]);
        if (error < 0) {
            return error;
        }
    }
    int error = listener_bind_get_address(listener->fds[0], &address);
    if (error < 0) {
        return error;
    }
    bool is_unix = address.storage.ss_family == AF_UNIX;
    if (listener->is_foreign || !is_unix) {
        set_bound(listener, &address); /* the kernel knows our Unix socket by its temporary name */
    }
    if (listener->is_foreign || is_unix) {
        listener->kind = LISTENER_SHARED;
        close_from(listener, 1);
    }
    return 0;
}

/* Inherited sockets may have kept a filter of their last owner. */
static int balance(struct listener *listener, unsigned slots)
{
    unsigned live = listener->count < slots ? listener->count : slots;
    listener->live = listener->count;
    return listener_exclude(listener, live);
}

static int open_sockets(struct listener *listener, unsigned slots,
                        const struct listener_inherited *inherited)
{
    unsigned kept = inherited == NULL ? 0 : inherited->count;
    int error = reserve(listener, kept > slots ? kept : slots);
    if (error < 0) {
        for (unsigned i = 0; i < kept; i++) {
            fd_close(&inherited->fds[i]);
        }
        return error;
    }
    error = kept > 0 ? adopt(listener, inherited) : 0;
    if (error == 0) {
        error = listener->kind == LISTENER_SHARED ? open_shared(listener)
                                                  : open_per_slot(listener, slots);
    }
    return error < 0 ? error : balance(listener, slots);
}

static void prepare(struct listener *listener, const struct conf_listener *conf)
{
    bool is_unix = conf->address.storage.ss_family == AF_UNIX;
    *listener = (struct listener){.wanted = conf->address,
                                  .kind = is_unix ? LISTENER_SHARED : LISTENER_PER_SLOT};
    listener_rename(listener, conf->name);
    set_bound(listener, &conf->address);
}

int listener_open(struct listener *listener, const struct conf_listener *conf, unsigned slots,
                  const struct listener_inherited *inherited, struct fsd_err *err)
{
    assert(slots > 0);
    prepare(listener, conf);
    int error = open_sockets(listener, slots, inherited);
    if (error < 0) {
        error = fail(listener, error, err);
        listener_close(listener);
    }
    return error;
}

/* The filter, where there is one, is the kernel's and goes on. */
int listener_inherit(struct listener *listener, const struct conf_listener *conf, unsigned live,
                     const struct listener_inherited *inherited)
{
    prepare(listener, conf);
    int error = reserve(listener, inherited->count);
    if (error == 0) {
        error = adopt(listener, inherited);
    }
    listener->live = listener->kind == LISTENER_SHARED ? listener->count : live;
    return error;
}

int listener_open_beside(struct listener *listener, const struct conf_listener *conf,
                         unsigned slots, struct fsd_err *err)
{
    assert(slots > 0 && conf->address.storage.ss_family != AF_UNIX);
    prepare(listener, conf);
    int error = reserve(listener, slots);
    if (error == 0) {
        error = join(listener, slots);
    }
    if (error < 0) {
        error = fail(listener, error, err);
        listener_close(listener);
        return error;
    }
    listener->live = slots;
    return 0;
}

void listener_close(struct listener *listener)
{
    listener_bind_remove(&listener->wanted, &listener->file);
    close_from(listener, 0);
    free(listener->fds);
    *listener = (struct listener){0};
}

int listener_grow(struct listener *listener, unsigned slots, struct fsd_err *err)
{
    if (listener->kind == LISTENER_SHARED || slots <= listener->count) {
        return 0;
    }
    int error = reserve(listener, slots);
    if (error == 0) {
        error = join(listener, slots);
    }
    if (error < 0) {
        return fail(listener, error, err);
    }
    (void)listener_exclude(listener, listener->count); /* a filter can always be taken away */
    return 0;
}

int listener_exclude(struct listener *listener, unsigned live)
{
    if (listener->kind == LISTENER_SHARED) {
        return 0;
    }
    assert(live >= 1 && live <= listener->count);
    int error = live == listener->count ? listener_filter_detach(listener->fds[0])
                                        : listener_filter_attach(listener->fds[0], live);
    if (error == 0) {
        listener->live = live;
    }
    return error;
}

void listener_shrink(struct listener *listener, unsigned slots)
{
    if (listener->kind == LISTENER_SHARED || slots >= listener->count) {
        return;
    }
    end_from(listener, slots);
    if (listener->live < slots) {
        return; /* others leave as well: the filter goes with the last of them */
    }
    listener->live = slots;
    if (slots > 0) {
        (void)listener_filter_detach(listener->fds[0]); /* a filter can always be taken away */
    }
}

void listener_rename(struct listener *listener, const char *name)
{
    (void)snprintf(listener->name, sizeof(listener->name), "%s", name);
}

bool listener_has(const struct listener *listener, unsigned slot)
{
    return listener->kind == LISTENER_SHARED || slot < listener->count;
}

bool listener_is_waiting(const struct listener *listener, unsigned slot)
{
    if (!listener_has(listener, slot)) {
        return false;
    }
    struct pollfd wait = {.fd = listener_get_fd(listener, slot), .events = POLLIN};
    return poll(&wait, 1, 0) == 1 && (wait.revents & POLLIN) != 0;
}

int listener_get_fd(const struct listener *listener, unsigned slot)
{
    unsigned index = listener->kind == LISTENER_SHARED ? 0 : slot;
    assert(index < listener->count);
    return listener->fds[index];
}

const char *listener_get_address(const struct listener *listener)
{
    return listener->address;
}

bool listener_is_same_address(const struct listener *listener, const struct parse_address *address)
{
    return listener->wanted.len == address->len &&
           memcmp(&listener->wanted.storage, &address->storage, address->len) == 0;
}
