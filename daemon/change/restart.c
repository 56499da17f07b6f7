/* restart.c - carries out a rolling restart, slot by slot.
 * Owns the place where it stands, and the pool that it is about.  rolling.c says which slot is next; here the slots of all pools
 * are counted through, orders become calls of pool.c and loader.c, and their news become events.
 * Called by reload.c, which answers those who asked: it hears of the end by reload_finish or reload_fail, once.  Must not know how a slot
 * replaces its worker, nor who waits for it. */
#include "daemon/change/restart.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "common/proto.h"
#include "daemon/change/reason.h"
#include "daemon/owner.h"
#include "daemon/state.h"

static void feed(struct master *master, enum rolling_event event, size_t slot);

/* The pools that take part. */
static size_t count_pools(const struct master *master)
{
    return master->restart.only != NULL ? 1 : master->inventory.conf->pool_count;
}

static struct pool *get_pool(const struct master *master, size_t index)
{
    return master->restart.only != NULL ? master->restart.only : master->inventory.pools[index];
}

static size_t count_slots(const struct master *master)
{
    size_t count = 0;
    for (size_t i = 0; i < count_pools(master); i++) {
        count += get_pool(master, i)->count;
    }
    return count;
}

/* Slots are counted over all pools, in their order.  SIZE_MAX: none that takes part. */
static size_t number_of(const struct master *master, const struct pool *pool, unsigned slot)
{
    size_t number = slot;
    for (size_t i = 0; i < count_pools(master); i++) {
        if (get_pool(master, i) == pool) {
            return slot < pool->count ? number : SIZE_MAX;
        }
        number += get_pool(master, i)->count;
    }
    return SIZE_MAX;
}

static struct pool *find_pool(const struct master *master, size_t number, unsigned *ret_slot)
{
    size_t i = 0;
    while (number >= get_pool(master, i)->count) {
        number -= get_pool(master, i)->count;
        i++;
    }
    *ret_slot = (unsigned)number;
    return get_pool(master, i);
}

static void on_loaded(struct loader *loader, int exit_code, const char *why)
{
    struct master *master = OWNER_OF(loader, struct master, loader);
    if (exit_code != FSD_EXIT_OK) {
        reload_keep_reason(master, why);
    }
    feed(master, exit_code == FSD_EXIT_OK ? ROLLING_ON_LOADED : ROLLING_ON_LOAD_FAILED, 0);
    master_check_end(master);
}

static void move(struct master *master, size_t number, bool is_back)
{
    unsigned slot;
    struct pool *pool = find_pool(master, number, &slot);
    const struct bundle_store *store = &pool->conf.app->store;
    bool is_old = is_back || master->restart.only != NULL;
    uint64_t target = is_old ? store->running.number : store->candidate.number;
    const struct pool_slot *place = pool->slots[slot];
    if (master->restart.only == NULL && place->state == SLOT_READY &&
        place->current->proc.generation == target) {
        feed(master, ROLLING_ON_SLOT_READY, number); /* died on the way and came back by itself */
        return;
    }
    pool_replace(pool, slot, target);
}

static void carry_out(struct master *master, struct rolling_order order)
{
    switch (order.action) {
    case ROLLING_DO_NOTHING:
        break;
    case ROLLING_LOAD:
        if (master->restart.only != NULL) {
            feed(master, ROLLING_ON_LOADED, 0);
        } else {
            loader_start(&master->loader, master->inventory.apps, master->inventory.conf->app_count,
                         on_loaded);
        }
        break;
    case ROLLING_MOVE:
        move(master, order.slot, false);
        break;
    case ROLLING_MOVE_BACK:
        move(master, order.slot, true);
        break;
    case ROLLING_COMMIT:
        reload_commit(master);
        reload_finish(master);
        break;
    case ROLLING_ABORT:
        reload_fail(master);
        break;
    }
}

/* An order may cause the next event from inside; it waits until the order is carried out, so that the stack stays flat. */
static void feed(struct master *master, enum rolling_event event, size_t slot)
{
    struct restart *restart = &master->restart;
    if (restart->is_stepping) {
        assert(!restart->has_pending); /* one order causes at most one */
        restart->has_pending = true;
        restart->pending = event;
        restart->pending_slot = slot;
        return;
    }
    restart->is_stepping = true;
    carry_out(master, rolling_step(&restart->rolling, event, slot));
    while (restart->has_pending) {
        restart->has_pending = false;
        carry_out(master, rolling_step(&restart->rolling, restart->pending, restart->pending_slot));
    }
    restart->is_stepping = false;
    reload_on_free(master);
}

void restart_start(struct master *master, struct pool *only)
{
    master->restart.only = only;
    master->restart.rolling = (struct rolling){.total = count_slots(master)};
    feed(master, ROLLING_ON_START, 0);
}

void restart_on_pool_news(struct master *master, const struct pool *pool, unsigned slot,
                          enum pool_news news, const char *why)
{
    static const enum rolling_event events[] = {ROLLING_ON_SLOT_READY, ROLLING_ON_SLOT_FAILED,
                                                ROLLING_ON_SLOT_DIED};
    _Static_assert(POOL_SLOT_READY == 0 && POOL_SLOT_DIED == 2, "the order of the events");
    if (!restart_is_running(master) || news > POOL_SLOT_DIED) {
        return;
    }
    const struct rolling *rolling = &master->restart.rolling;
    size_t number = number_of(master, pool, slot);
    if (number == SIZE_MAX) {
        return;
    }
    bool is_at_stake = news == POOL_SLOT_DIED ? number < rolling->at : number == rolling->at;
    if (news != POOL_SLOT_READY && is_at_stake) {
        char text[RELOAD_WHY_MAX];
        reason_format(text, sizeof(text), why, pool->name, slot);
        reload_keep_reason(master, text);
    }
    feed(master, events[news], number);
}

void restart_stop(struct master *master)
{
    (void)rolling_step(&master->restart.rolling, ROLLING_ON_STOP, 0); /* orders nothing */
}

bool restart_is_running(const struct master *master)
{
    return master->restart.rolling.state != ROLLING_IDLE;
}

bool restart_has_begun(const struct master *master)
{
    enum rolling_state state = master->restart.rolling.state;
    return state == ROLLING_MOVING || state == ROLLING_REVERTING;
}
