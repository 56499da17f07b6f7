/* upgrade_give.c - from what the program before has handed over to a master that goes on.
 * Owns nothing.  The objects were made from the configuration, in the order of the state (upgrade_conf.c has seen to that); each gets
 * what its forerunner had.  Nothing that a client or a worker could see happens here, so that the program can still go back.
 * Called by setup.c.  Must not know how the state travels. */
#include "daemon/upgrade/upgrade_give.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "daemon/conf/schema_groups.h"
#include "daemon/pool/pool_upgrade.h"
#include "daemon/proc/naming.h"
#include "daemon/shared/shared_set.h"
#include "daemon/state.h"
#include "daemon/upgrade/upgrade_state.h"

static struct bundle give_bundle(const struct upgrade_bundle *from)
{
    struct bundle given = {.number = from->number,
                           .fd = from->fd,
                           .files = from->files,
                           .bytes = from->bytes,
                           .committed_us = from->committed_us,
                           .origin = from->origin};
    memcpy(given.sha256, from->sha256, sizeof(given.sha256));
    return given;
}

static void give_code(struct app *app, const struct upgrade_app *from)
{
    const struct upgrade_bundle *kept = from->kept.items;
    struct bundle_store *store = &app->store;
    store->last = from->last;
    store->running = give_bundle(&from->running);
    store->confirmed_number = from->confirmed;
    for (size_t i = 0; i < from->kept.count; i++) {
        bool is_previous = kept[i].number == from->previous;
        *(is_previous ? &store->previous : &store->confirmed) = give_bundle(&kept[i]);
    }
    app->probation = (struct probation){from->probation_of, from->probation_since_ms};
    app->setback = (struct app_setback){
        .from = from->setback_from, .to = from->setback_to, .at_us = from->setback_at_us};
    memcpy(app->setback.why, from->setback_why, sizeof(app->setback.why));
}

static void give_apps(struct inventory *inventory, const struct upgrade_state *state)
{
    const struct upgrade_app *apps = state->apps.items;
    for (size_t i = 0; i < state->apps.count; i++) {
        give_code(inventory->apps[i], &apps[i]);
    }
}

static int give_listener(struct listener *listener, const struct conf_listener *conf,
                         const struct upgrade_listener *from)
{
    const struct upgrade_socket *sockets = from->sockets.items;
    int *fds = calloc(from->sockets.count, sizeof(*fds));
    if (fds == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < from->sockets.count; i++) {
        fds[i] = sockets[i].fd;
    }
    struct listener_inherited inherited = {.fds = fds,
                                           .count = (unsigned)from->sockets.count,
                                           .is_foreign = from->is_foreign,
                                           .file = {from->device, from->inode}};
    int error = listener_inherit(listener, conf, (unsigned)from->live, &inherited);
    listener->stored = (unsigned)from->stored;
    (void)snprintf(listener->stored_as, sizeof(listener->stored_as), "%s", listener->name);
    free(fds);
    return error;
}

static int give_listeners(struct inventory *inventory, const struct upgrade_state *state,
                          struct fsd_err *err)
{
    const struct upgrade_listener *listeners = state->listeners.items;
    for (size_t i = 0; i < state->listeners.count; i++) {
        int error =
            give_listener(inventory->listeners[i], &inventory->conf->listeners[i], &listeners[i]);
        if (error < 0) {
            return fsd_err_set(err, -error, "cannot take over listener \"%s\": %s",
                               listeners[i].name, strerror(-error));
        }
    }
    return 0;
}

/* A slot must find its socket. */
static int check_slots(const struct inventory *inventory, size_t index, struct fsd_err *err)
{
    const struct conf_pool *own = &inventory->conf->pools[index];
    for (size_t i = 0; i < own->listener_count; i++) {
        const struct listener *listener = inventory->listeners[own->listeners[i]];
        if (listener->kind == LISTENER_PER_SLOT &&
            listener->count < inventory->pools[index]->made) {
            return fsd_err_set(err, EPROTO, "listener \"%s\" has too few sockets", listener->name);
        }
    }
    return 0;
}

static int give_pools(struct inventory *inventory, const struct upgrade_state *state,
                      struct fsd_err *err)
{
    const struct upgrade_pool *pools = state->pools.items;
    int error = 0;
    for (size_t i = 0; i < state->pools.count && error == 0; i++) {
        error = pool_upgrade_give(inventory->pools[i], &pools[i], err);
        if (error == 0) {
            error = check_slots(inventory, i, err);
        }
    }
    return error;
}

/* A program of before may have known none: then the memory is new, and empty. */
static int give_shared(struct shared_set *set, const struct upgrade_state *state,
                       struct fsd_err *err)
{
    const struct upgrade_shared *shared = state->shared.items;
    for (size_t i = 0; i < state->shared.count; i++) {
        const struct upgrade_shared *one = &shared[i];
        if (!shared_set_inherit(set, one->name, one->size, one->seed, one->fd)) {
            return fsd_err_set(err, EPROTO, "cannot take over the shared dictionary \"%s\"",
                               one->name);
        }
    }
    return 0;
}

static int give_claims(struct members *members, const struct upgrade_state *state,
                       struct fsd_err *err)
{
    const struct upgrade_claim *claims = state->claims.items;
    for (size_t i = 0; i < state->claims.count; i++) {
        const struct upgrade_claim *one = &claims[i];
        struct claim_actor actor = {
            .serial = one->serial, .index = (uint32_t)one->index, .waits = one->waits};
        if (!naming_restore(members, one->incarnation, one->name, &actor, one->is_holder)) {
            return fsd_err_set(err, EPROTO, "cannot take over the name \"%s\" of an actor",
                               one->name);
        }
    }
    return 0;
}

static int give_control(struct master *master, const struct upgrade_state *state,
                        struct fsd_err *err)
{
    struct control_legacy legacy = {state->control, state->control_device, state->control_inode};
    size_t count = 0;
    const struct control_method *methods = methods_get(&count);
    int error =
        control_inherit(&master->control, master->loop, master->inventory.conf->control_path,
                        &legacy, methods, count, master);
    if (error == 0 && state->caller.fd >= 0) {
        error = control_call_inherit(master->control, state->caller.fd, state->caller.id,
                                     &master->upgrade.call);
    }
    return error < 0 ? fsd_err_set(err, -error, "cannot take over the control socket: %s",
                                   strerror(-error))
                     : 0;
}

static void give_overrides(struct configs *configs, const struct upgrade_state *state)
{
    const struct upgrade_override *from = state->kept_overrides.items;
    _Static_assert((int)CONFIGS_OVERRIDES_MAX >= (int)SCHEMA_GROUP_MAX,
                   "as many as the rows allow");
    for (size_t i = 0; i < state->kept_overrides.count; i++) {
        struct configs_override *to = &configs->overrides.items[i];
        (void)snprintf(to->pool, sizeof(to->pool), "%s", from[i].pool);
        to->count = (unsigned)from[i].count;
    }
    configs->overrides.count = state->kept_overrides.count;
}

/* Where a program is that was started by descriptor, or from a file that has moved, it can't tell itself. */
static int give_path(struct upgrade *upgrade, const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL) {
        return -ENOMEM;
    }
    free(upgrade->path);
    upgrade->path = copy;
    return 0;
}

static void give_master(struct master *master, const struct upgrade_state *state)
{
    give_overrides(&master->configs, state);
    master->config_last = state->config_last;
    master->incarnations = state->incarnations;
    master->started_us = state->started_us;
    master->develop.seen = state->seen;
    master->is_drained = state->is_drained;
    master->was_ready = state->was_ready;
    master->phase = MASTER_RUNNING;
    if (master->log.event_id < state->event_id) {
        master->log.event_id = state->event_id;
    }
    master->log.dropped += state->log_dropped;
}

int upgrade_give(struct master *master, const struct upgrade_state *state, struct fsd_err *err)
{
    give_apps(&master->inventory, state);
    int error = give_listeners(&master->inventory, state, err);
    if (error == 0) {
        error = give_shared(master->inventory.shared, state, err);
    }
    if (error == 0) {
        error = give_pools(&master->inventory, state, err);
    }
    if (error == 0) {
        error = give_claims(&master->members, state, err);
    }
    if (error == 0) {
        error = give_control(master, state, err);
    }
    if (error == 0 && give_path(&master->upgrade, state->path) < 0) {
        error = fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
    }
    if (error == 0) {
        give_master(master, state);
    }
    return error;
}
