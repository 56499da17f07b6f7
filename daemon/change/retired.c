/* retired.c - what an older configuration had and the running one has not, until nobody uses it.
 * Owns a list of inventories that are stripped of everything that still runs.  Their pools let their workers finish; with the
 * last process go the code and the configuration itself; the listening sockets go before, as soon as nobody accepts from them.
 * Called by deploy.c (add) and master.c (whenever a process has ended).  Must not know why something was retired. */
#include "daemon/change/retired.h"

#include <stdlib.h>

#include "daemon/state.h"

struct retired {
    struct retired *next; /* owned */
    struct inventory inventory;
};

static void strip(struct inventory *inventory, const struct inventory *running)
{
    const struct conf *conf = inventory->conf;
    for (size_t i = 0; inventory->pools != NULL && i < conf->pool_count; i++) {
        if (inventory_has_pool(running, inventory->pools[i])) {
            inventory->pools[i] = NULL;
        }
    }
    for (size_t i = 0; inventory->listeners != NULL && i < conf->listener_count; i++) {
        if (inventory_has_listener(running, inventory->listeners[i])) {
            inventory->listeners[i] = NULL;
        }
    }
    for (size_t i = 0; inventory->apps != NULL && i < conf->app_count; i++) {
        if (inventory_has_app(running, inventory->apps[i])) {
            inventory->apps[i] = NULL;
        }
    }
}

static struct pool *get_pool(const struct retired *retired, size_t index)
{
    return retired->inventory.pools == NULL ? NULL : retired->inventory.pools[index];
}

static bool is_empty(const struct retired *retired)
{
    for (size_t i = 0; i < retired->inventory.conf->pool_count; i++) {
        const struct pool *pool = get_pool(retired, i);
        if (pool != NULL && !pool_is_empty(pool)) {
            return false;
        }
    }
    return true;
}

/* Sockets are ended, not only closed: the fd store of systemd may hold copies, and the next daemon has no use for them. */
static void free_retired(struct retired *retired)
{
    struct inventory *inventory = &retired->inventory;
    for (size_t i = 0; inventory->listeners != NULL && i < inventory->conf->listener_count; i++) {
        if (inventory->listeners[i] != NULL) {
            listener_shrink(inventory->listeners[i], 0);
        }
    }
    inventory_free_without(inventory, NULL);
    free(retired);
}

/* Does a worker still accept from the listener i?  Of a pool that runs on none does: all its workers are new. */
static bool is_accepted_from(const struct retired *retired, size_t index)
{
    const struct conf *conf = retired->inventory.conf;
    for (size_t i = 0; i < conf->pool_count; i++) {
        const struct pool *pool = get_pool(retired, i);
        for (size_t j = 0; pool != NULL && j < conf->pools[i].listener_count; j++) {
            if (conf->pools[i].listeners[j] == index && !pool_is_withdrawn(pool)) {
                return true;
            }
        }
    }
    return false;
}

/* An address is given up when nobody accepts there any more, not when the last slow request is done: what connects would only wait. */
static void close_listeners(struct retired *retired)
{
    const struct inventory *inventory = &retired->inventory;
    for (size_t i = 0; inventory->listeners != NULL && i < inventory->conf->listener_count; i++) {
        struct listener *listener = inventory->listeners[i];
        if (listener != NULL && listener->count > 0 && !is_accepted_from(retired, i)) {
            listener_shrink(listener, 0);
            listener_close(listener);
        }
    }
}

struct retired *retired_new(void)
{
    return calloc(1, sizeof(struct retired));
}

void retired_add(struct master *master, struct retired *place, struct inventory *inventory)
{
    strip(inventory, &master->inventory);
    place->inventory = *inventory;
    *inventory = (struct inventory){0};
    place->next = master->retired;
    master->retired = place;
    for (size_t i = 0; i < place->inventory.conf->pool_count; i++) {
        struct pool *pool = get_pool(place, i);
        if (pool != NULL && pool->phase != POOL_LEAVING) {
            pool_stop(pool, false);
        }
    }
    retired_touch(master);
}

static int on_bury(sd_event_source *source, void *userdata)
{
    (void)source;
    retired_bury(userdata);
    return 0;
}

void retired_touch(struct master *master)
{
    if (master->retired == NULL) {
        return;
    }
    if (master->bury == NULL &&
        sd_event_add_defer(master->loop, &master->bury, on_bury, master) < 0) {
        return; /* the watch comes by once a second */
    }
    (void)sd_event_source_set_enabled(master->bury, SD_EVENT_ONESHOT);
}

void retired_bury(struct master *master)
{
    struct retired **at = &master->retired;
    while (*at != NULL) {
        struct retired *retired = *at;
        close_listeners(retired);
        if (is_empty(retired)) {
            *at = retired->next;
            free_retired(retired);
        } else {
            at = &retired->next;
        }
    }
}

bool retired_is_empty(const struct master *master)
{
    for (const struct retired *retired = master->retired; retired != NULL;
         retired = retired->next) {
        if (!is_empty(retired)) {
            return false;
        }
    }
    return true;
}

bool retired_owns(const struct master *master, pid_t pid)
{
    for (const struct retired *retired = master->retired; retired != NULL;
         retired = retired->next) {
        for (size_t i = 0; i < retired->inventory.conf->pool_count; i++) {
            const struct pool *pool = get_pool(retired, i);
            if (pool != NULL && pool_owns(pool, pid)) {
                return true;
            }
        }
    }
    return false;
}

void retired_stop(struct master *master, bool now)
{
    for (struct retired *retired = master->retired; now && retired != NULL;
         retired = retired->next) {
        for (size_t i = 0; i < retired->inventory.conf->pool_count; i++) {
            struct pool *pool = get_pool(retired, i);
            if (pool != NULL) {
                pool_stop(pool, true);
            }
        }
    }
}

void retired_free(struct master *master)
{
    master->bury = sd_event_source_disable_unref(master->bury);
    while (master->retired != NULL) {
        struct retired *retired = master->retired;
        master->retired = retired->next;
        free_retired(retired);
    }
}
