/* manager.c - what the service manager (systemd) hears of the daemon, and what it keeps for it.
 * Owns the state as it was said last.  It is not told by those who change something: it looks at the master and says what is so now,
 * so that no path can forget it.  While the daemon starts, changes or stops and can still get ahead, more time is asked for, so that
 * the unit's limits need not know those of the pools.  Sockets of TCP listeners go into the fd store as they come.
 * Called by setup.c, master.c, and where a change begins and ends.  Must not change anything in the daemon. */
#include "daemon/host/manager.h"

#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "daemon/state.h"

enum {
    EXTEND_US = 10 * 1000 * 1000, /* asked for once a second: if we hang, this is what is left */
    CODE_LIMIT_MS = 60000,        /* to bundle the code */
    STOP_SLACK_MS = 5000,         /* to reap what was killed */
    PARTS = 2,                    /* of the watchdog's interval: one word may be late */
    ACCURACY_PARTS = 16,
    SHOWN_MAX = NOTIFY_TEXT_MAX / 6, /* ", a 1/1": the line ends before that */
};

void manager_init(struct manager *manager)
{
    *manager = (struct manager){.notify.fd = -1, .since_ms = clock_monotonic_ms()};
}

int manager_open(struct manager *manager, const struct conf *conf, struct log *log,
                 struct fsd_err *err)
{
    struct fsd_err why = {""};
    int error =
        activation_open(&manager->activation, conf->listeners, conf->listener_count, log, err);
    if (error < 0) {
        return error;
    }
    if (notify_open(&manager->notify, getenv("NOTIFY_SOCKET"), &why) < 0) {
        log_write(log, LOG_LEVEL_WARNING, NULL, why.text, NULL); /* serves without it, too */
    }
    return 0;
}

/* Whatever state the pools are in: one that is held or crashes is ours to mend, and a new master would do no better. */
static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)usec;
    struct manager *manager = userdata;
    notify_watchdog(&manager->notify);
    (void)sd_event_source_set_time_relative(source, manager->watchdog_us);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int manager_watch(struct manager *manager, sd_event *loop)
{
    manager->watchdog_us = notify_get_watchdog_us() / PARTS;
    if (manager->watchdog_us == 0) {
        return 0;
    }
    return sd_event_add_time_relative(loop, &manager->watchdog, CLOCK_MONOTONIC, 0,
                                      manager->watchdog_us / ACCURACY_PARTS, on_watchdog, manager);
}

void manager_close(struct manager *manager)
{
    manager->watchdog = sd_event_source_disable_unref(manager->watchdog);
    activation_close(&manager->activation);
    notify_close(&manager->notify);
}

static const char *note(const struct pool *pool)
{
    switch (pool->phase) {
    case POOL_HELD:
    case POOL_SUSPENDED:
        return "held";
    case POOL_DRAINED:
        return "drained";
    case POOL_IDLE:
    case POOL_RUNNING:
    case POOL_LEAVING:
        break;
    }
    return NULL;
}

static bool are_all_serving(const struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->conf->pool_count; i++) {
        if (!pool_is_serving(inventory->pools[i])) {
            return false;
        }
    }
    return true;
}

static enum manager_state find_state(const struct master *master)
{
    if (master->phase == MASTER_STOPPING) {
        return MANAGER_STOPPING;
    }
    if (!master->was_ready) {
        return MANAGER_STARTING;
    }
    bool is_changing =
        reload_is_running(master) || deploy_is_running(master) || upgrade_is_running(master);
    return is_changing ? MANAGER_RELOADING : MANAGER_RUNNING;
}

static const char *name_state(const struct master *master, enum manager_state state)
{
    switch (state) {
    case MANAGER_STARTING:
        return "starting";
    case MANAGER_RELOADING:
        return "reloading";
    case MANAGER_STOPPING:
        return "stopping";
    case MANAGER_RUNNING:
        break;
    }
    if (master->is_drained) {
        return "drained";
    }
    return are_all_serving(&master->inventory) ? "running" : "degraded";
}

static void describe(const struct master *master, enum manager_state state,
                     char text[NOTIFY_TEXT_MAX])
{
    struct notify_text_pool pools[SHOWN_MAX];
    size_t count = master->inventory.conf->pool_count;
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++) {
        const struct pool *pool = master->inventory.pools[i];
        pools[i] = (struct notify_text_pool){pool->name, pool_count_serving(pool), pool->count,
                                             note(pool)};
    }
    notify_text_format(name_state(master, state), pools, count, master->inventory.number, text);
}

/* What lies there under an old name goes first: names may have been swapped. */
static void store_sockets(struct master *master)
{
    struct notify *notify = &master->manager.notify;
    size_t count = master->inventory.conf->listener_count;
    int error = 0;
    if (master->phase == MASTER_STOPPING) {
        return; /* what an older configuration had is being ended */
    }
    for (size_t i = 0; i < count && error != -EAGAIN; i++) {
        struct listener *listener = master->inventory.listeners[i];
        error = activation_has_old_name(listener) ? activation_unstore(notify, listener, 0) : 0;
    }
    for (size_t i = 0; i < count && error != -EAGAIN; i++) {
        error = activation_store(notify, master->inventory.listeners[i]);
    } /* the next tick goes on */
}

/* Pools may have to wait for each other, and a crash loop must not keep `systemctl start` waiting for ever. */
static uint64_t get_start_limit(const struct inventory *inventory)
{
    uint64_t limit_ms = CODE_LIMIT_MS;
    for (size_t i = 0; i < inventory->conf->pool_count; i++) {
        limit_ms += inventory->conf->pools[i].boot_ms;
    }
    return limit_ms;
}

/* Pools may have to wait for each other.  UINT64_MAX: one may take its time. */
static uint64_t get_stop_limit(const struct inventory *inventory)
{
    uint64_t limit_ms = 0;
    for (size_t i = 0; i < inventory->conf->pool_count; i++) {
        uint32_t shutdown_ms = inventory->conf->pools[i].shutdown_ms;
        if (shutdown_ms == SUPERVISE_INFINITY) {
            return UINT64_MAX;
        }
        limit_ms += shutdown_ms;
    }
    return limit_ms + STOP_SLACK_MS;
}

/* Until everything that can be slow must have ended by its own limits. */
static bool can_get_ahead(const struct master *master, uint64_t spent_ms)
{
    switch (master->manager.state) {
    case MANAGER_STARTING:
        return spent_ms < get_start_limit(&master->inventory);
    case MANAGER_RUNNING:
        return false; /* nobody waits */
    case MANAGER_RELOADING:
        return true; /* each step of it has a limit */
    case MANAGER_STOPPING:
        return spent_ms < get_stop_limit(&master->inventory);
    }
    return false;
}

static void ask_for_time(struct master *master)
{
    struct manager *manager = &master->manager;
    if (can_get_ahead(master, clock_monotonic_ms() - manager->since_ms)) {
        notify_extend(&manager->notify, EXTEND_US);
    }
}

static void say_state(struct manager *manager, const char *text)
{
    switch (manager->state) {
    case MANAGER_STARTING: /* only at the beginning */
        break;
    case MANAGER_RUNNING:
        notify_ready(&manager->notify, text);
        break;
    case MANAGER_RELOADING:
        notify_reloading(&manager->notify, text);
        break;
    case MANAGER_STOPPING:
        notify_stopping(&manager->notify, text);
        break;
    }
}

void manager_update(struct master *master)
{
    struct manager *manager = &master->manager;
    enum manager_state state = find_state(master);
    char text[NOTIFY_TEXT_MAX];
    describe(master, state, text);
    if (state == manager->state) {
        notify_status(&manager->notify, "%s", text);
        return;
    }
    manager->state = state;
    manager->since_ms = clock_monotonic_ms();
    say_state(manager, text);
    ask_for_time(master);
    store_sockets(master);
}

void manager_tick(struct master *master)
{
    struct manager *manager = &master->manager;
    manager_update(master);
    ask_for_time(master);
    if (notify_flush(&manager->notify)) {
        store_sockets(master);
    }
}
