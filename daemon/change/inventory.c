/* inventory.c - the live objects that belong to one configuration: apps, listeners, pools, shared dictionaries.
 * Owns the arrays that tie them to the configuration by index, and the rule by which an object of the old configuration is
 * kept: an app and a pool by name, a listener by address.  Two inventories share the objects that both have, so that a change
 * is prepared beside what runs and either takes its place or is dropped.
 * Called by setup.c (the first one) and deploy.c (all others).  Must not start or stop anything. */
#include "daemon/change/inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/change/plan_listener.h"
#include "daemon/code/app.h"
#include "daemon/conf/conf.h"
#include "daemon/listen/listener.h"
#include "daemon/shared/shared_set.h"

static struct app *find_app(const struct inventory *from, const char *name)
{
    for (size_t i = 0; from->conf != NULL && i < from->conf->app_count; i++) {
        if (strcmp(from->apps[i]->name, name) == 0) {
            return from->apps[i];
        }
    }
    return NULL;
}

/* Its generations go on where those of its name have ended. */
static struct app *new_app(const struct conf_app *conf, const struct app *before)
{
    struct app *app = calloc(1, sizeof(*app));
    if (app == NULL) {
        return NULL;
    }
    (void)snprintf(app->name, sizeof(app->name), "%s", conf->name);
    bundle_store_init(&app->store);
    app->store.last = before == NULL ? 0 : before->store.last;
    app->path = strdup(conf->path);
    if (app->path == NULL) {
        free(app);
        return NULL;
    }
    return app;
}

static void free_app(struct app *app)
{
    if (app != NULL) {
        bundle_store_fini(&app->store);
        free(app->path);
        free(app);
    }
}

/* Another path is another application, even under the same name. */
static struct app *keep_app(const struct inventory *from, const struct conf_app *conf)
{
    struct app *app = find_app(from, conf->name);
    return app != NULL && strcmp(app->path, conf->path) == 0 ? app : NULL;
}

static int make_apps(struct inventory *inventory, const struct inventory *from)
{
    for (size_t i = 0; i < inventory->conf->app_count; i++) {
        const struct conf_app *conf = &inventory->conf->apps[i];
        struct app *app = keep_app(from, conf);
        inventory->apps[i] = app != NULL ? app : new_app(conf, find_app(from, conf->name));
        if (inventory->apps[i] == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int make_listeners(struct inventory *inventory, const struct inventory *from)
{
    for (size_t i = 0; i < inventory->conf->listener_count; i++) {
        size_t old =
            from->conf == NULL ? SIZE_MAX : plan_listener_find(from->conf, inventory->conf, i);
        inventory->listeners[i] =
            old != SIZE_MAX ? from->listeners[old] : calloc(1, sizeof(struct listener));
        if (inventory->listeners[i] == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

struct pool_conf inventory_pool_conf(const struct inventory *inventory, size_t pool,
                                     uint64_t number)
{
    const struct conf_pool *own = &inventory->conf->pools[pool];
    struct pool_conf conf = {.number = number,
                             .whole = inventory->conf,
                             .own = own,
                             .app = inventory->apps[own->app],
                             .shared = inventory->shared};
    for (size_t i = 0; i < own->listener_count; i++) {
        conf.listeners[i] = inventory->listeners[own->listeners[i]];
    }
    return conf;
}

unsigned inventory_count(const struct inventory *inventory, size_t pool, unsigned auto_count)
{
    unsigned count = inventory->conf->pools[pool].count;
    return count == 0 ? auto_count : count;
}

static int make_pool(struct inventory *inventory, size_t index, const struct inventory_need *need)
{
    struct pool_conf conf = inventory_pool_conf(inventory, index, inventory->number);
    struct pool *pool = calloc(1, sizeof(*pool));
    inventory->pools[index] = pool;
    return pool == NULL ? -ENOMEM
                        : pool_init(pool, need->pool, &conf,
                                    inventory_count(inventory, index, need->auto_count));
}

static int make_pools(struct inventory *inventory, const struct inventory *from,
                      const struct inventory_need *need)
{
    for (size_t i = 0; i < inventory->conf->pool_count; i++) {
        struct pool *pool = inventory_find_pool(from, inventory->conf->pools[i].name);
        int error = 0;
        inventory->pools[i] = pool;
        if (pool == NULL) {
            error = make_pool(inventory, i, need);
        }
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

int inventory_make(struct inventory *ret, struct conf *conf, uint64_t number,
                   const struct inventory *from, const struct inventory_need *need)
{
    *ret = (struct inventory){.conf = conf, .number = number};
    /* one more than needed: an empty section is no lack of memory */
    ret->apps = calloc(conf->app_count + 1, sizeof(struct app *));
    ret->listeners = calloc(conf->listener_count + 1, sizeof(struct listener *));
    ret->pools = calloc(conf->pool_count + 1, sizeof(struct pool *));
    if (ret->apps == NULL || ret->listeners == NULL || ret->pools == NULL) {
        return -ENOMEM;
    }
    int error = shared_set_make(conf, from->shared, &ret->shared);
    if (error == 0) {
        error = make_apps(ret, from);
    }
    if (error == 0) {
        error = make_listeners(ret, from);
    }
    return error == 0 ? make_pools(ret, from, need) : error;
}

bool inventory_has_app(const struct inventory *inventory, const struct app *app)
{
    for (size_t i = 0; inventory->apps != NULL && i < inventory->conf->app_count; i++) {
        if (inventory->apps[i] == app) {
            return true;
        }
    }
    return false;
}

bool inventory_has_listener(const struct inventory *inventory, const struct listener *listener)
{
    for (size_t i = 0; inventory->listeners != NULL && i < inventory->conf->listener_count; i++) {
        if (inventory->listeners[i] == listener) {
            return true;
        }
    }
    return false;
}

bool inventory_has_pool(const struct inventory *inventory, const struct pool *pool)
{
    for (size_t i = 0; inventory->pools != NULL && i < inventory->conf->pool_count; i++) {
        if (inventory->pools[i] == pool) {
            return true;
        }
    }
    return false;
}

struct pool *inventory_find_pool(const struct inventory *inventory, const char *name)
{
    for (size_t i = 0; inventory->pools != NULL && i < inventory->conf->pool_count; i++) {
        if (inventory->pools[i] != NULL && strcmp(inventory->pools[i]->name, name) == 0) {
            return inventory->pools[i];
        }
    }
    return NULL;
}

static void free_pool(struct pool *pool)
{
    if (pool != NULL) {
        pool_fini(pool);
        free(pool);
    }
}

static void free_listener(struct listener *listener)
{
    if (listener != NULL) {
        listener_close(listener);
        free(listener);
    }
}

void inventory_free_without(struct inventory *inventory, const struct inventory *kept)
{
    static const struct inventory none = {0};
    const struct inventory *other = kept == NULL ? &none : kept;
    const struct conf *conf = inventory->conf;
    if (conf == NULL) {
        return; /* was never made */
    }
    for (size_t i = 0; inventory->pools != NULL && i < conf->pool_count; i++) {
        if (!inventory_has_pool(other, inventory->pools[i])) {
            free_pool(inventory->pools[i]);
        }
    }
    for (size_t i = 0; inventory->listeners != NULL && i < conf->listener_count; i++) {
        if (!inventory_has_listener(other, inventory->listeners[i])) {
            free_listener(inventory->listeners[i]);
        }
    }
    for (size_t i = 0; inventory->apps != NULL && i < conf->app_count; i++) {
        if (!inventory_has_app(other, inventory->apps[i])) {
            free_app(inventory->apps[i]);
        }
    }
    shared_set_release(&inventory->shared);
    free(inventory->pools);
    free(inventory->listeners);
    free(inventory->apps);
    conf_free(inventory->conf);
    *inventory = (struct inventory){0};
}
