/* retired.c - what an older configuration had and the running one has not, until nobody uses it.
 * Owns a list of inventories that are stripped of everything that still runs.  Their pools let their workers finish; with the
 * last process go the listening sockets, the code and the configuration itself.
 * Called by deploy.c (add) and master.c (whenever a process has ended).  Must not know why something was retired. */
#include "daemon/retired.h"

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
}

void retired_bury(struct master *master)
{
    struct retired **at = &master->retired;
    while (*at != NULL) {
        struct retired *retired = *at;
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
    while (master->retired != NULL) {
        struct retired *retired = master->retired;
        master->retired = retired->next;
        free_retired(retired);
    }
}
