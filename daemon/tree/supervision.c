/* supervision.c - puts the decisions of the supervisor tree (tree.c) into effect.
 * Owns nothing: the tree is the master's.  News of pools become events of the tree, its orders become orders to pools; in between
 * only indexes of the configuration are translated.  Two things differ: in a daemon that is drained nothing is started, and when the
 * daemon ends, a pool that the tree is not concerned with (an operator has drained it, or it answers 503 only) is stopped at once.
 * Called by master.c and deploy.c.  Must not decide anything. */
#include "daemon/tree/supervision.h"

#include <errno.h>
#include <stdio.h>

#include "common/clock.h"
#include "daemon/state.h"

/* A pool that is to start may have been started before an upgrade in place: the tree is told what became of it.  False: it was not. */
static bool is_known(const struct master *master, size_t index)
{
    const struct pool *pool = master->inventory.pools[index];
    switch (pool->phase) {
    case POOL_RUNNING:
        if (pool->was_up) {
            (void)tree_on_up(master->tree, index); /* it was just ordered to start */
        }
        return pool->was_up;
    case POOL_HELD:
        (void)tree_on_gave_up(master->tree, index);
        return true;
    case POOL_DRAINED: /* an operator will start it */
        (void)tree_on_up(master->tree, index);
        return true;
    case POOL_IDLE:
    case POOL_SUSPENDED:
    case POOL_LEAVING:
        break;
    }
    return false;
}

static void stop(struct master *master, struct pool *pool)
{
    if (pool->phase != POOL_LEAVING) {
        log_event(&master->log, LOG_LEVEL_INFO, LOG_POOL(pool->name), "pool.stopping",
                  "pool is stopped", NULL);
        pool_stop(pool, false);
    }
}

static void carry_out(struct master *master, const struct tree_order *order)
{
    struct pool *pool = master->inventory.pools[order->pool];
    char cause[POOL_TEXT_MAX] = "";
    if (master->phase == MASTER_STOPPING) {
        stop(master, pool); /* a tree that ends has no other order */
        return;
    }
    if (master->is_drained && order->kind != TREE_STOP) {
        pool_drain(pool); /* it is started with the others */
        return;
    }
    tree_explain(master->tree, order->pool, cause, sizeof(cause));
    if (cause[0] == '\0') {
        (void)snprintf(cause, sizeof(cause), "%s",
                       order->kind == TREE_STOP ? "another pool of its supervisor gave up"
                                                : "its supervisor gave up and is probed");
    }
    switch (order->kind) {
    case TREE_START:
        if (!is_known(master, order->pool)) {
            pool_start(pool);
        }
        break;
    case TREE_STOP:
        log_event(&master->log, LOG_LEVEL_WARNING, LOG_POOL(pool->name), "pool.suspended",
                  "pool is stopped because of another one", LOG_FIELDS(log_text("cause", cause)));
        pool_suspend(pool, cause);
        break;
    case TREE_HOLD:
        pool_order_hold(pool, cause);
        break;
    }
}

/* Tells the tree which of the pools that it has stopped are gone.  False: none is. */
static bool bury_pools(struct master *master)
{
    bool has_gone = false;
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        if (tree_state(master->tree, i) == TREE_POOL_STOPPING &&
            pool_is_empty(master->inventory.pools[i])) {
            has_gone = tree_on_down(master->tree, i) == 0 || has_gone;
        }
    }
    return has_gone;
}

static void stop_others(struct master *master)
{
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        if (tree_state(master->tree, i) == TREE_POOL_DOWN) {
            stop(master, master->inventory.pools[i]);
        }
    }
}

static void run_orders(struct master *master)
{
    struct tree_order order;
    if (master->is_ordering) {
        return; /* the outer one goes on */
    }
    master->is_ordering = true;
    do {
        while (tree_next(master->tree, clock_monotonic_ms(), &order)) {
            carry_out(master, &order);
        }
    } while (master->phase == MASTER_STOPPING && bury_pools(master));
    if (master->phase == MASTER_STOPPING) {
        stop_others(master);
    }
    master->is_ordering = false;
}

int supervision_start(struct master *master)
{
    master->tree = tree_new(master->inventory.conf);
    if (master->tree == NULL) {
        return -ENOMEM;
    }
    tree_start(master->tree);
    run_orders(master);
    return 0;
}

void supervision_stop(struct master *master, bool now)
{
    bool is_ordered = master->tree != NULL && !now;
    for (size_t i = 0; i < master->inventory.conf->pool_count && !is_ordered; i++) {
        pool_stop(master->inventory.pools[i], now);
    }
    if (master->tree != NULL) {
        tree_stop(master->tree);
        run_orders(master);
    }
}

void supervision_on_reaped(struct master *master)
{
    if (master->phase == MASTER_STOPPING && master->tree != NULL) {
        run_orders(master);
    }
}

/* SIZE_MAX: not of the running configuration. */
static size_t find_index(const struct master *master, const struct pool *pool)
{
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        if (master->inventory.pools[i] == pool) {
            return i;
        }
    }
    return SIZE_MAX;
}

void supervision_on_pool_news(struct master *master, const struct pool *pool, enum pool_news news)
{
    size_t index = find_index(master, pool);
    if (master->tree == NULL || index == SIZE_MAX) {
        return;
    }
    if (news == POOL_UP) {
        (void)tree_on_up(master->tree, index); /* -EPROTO: it was up before, too */
    } else if (news == POOL_GAVE_UP) {
        (void)tree_on_gave_up(master->tree, index);
    } else if (news == POOL_DOWN) {
        (void)tree_on_down(master->tree, index);
    } else {
        return;
    }
    run_orders(master);
}

void supervision_explain(const struct master *master, const struct pool *pool,
                         char text[POOL_TEXT_MAX])
{
    size_t index = find_index(master, pool);
    bool is_waiting = pool->phase == POOL_IDLE || pool->phase == POOL_SUSPENDED;
    text[0] = '\0';
    if (is_waiting && master->tree != NULL && index != SIZE_MAX) {
        tree_explain(master->tree, index, text, POOL_TEXT_MAX);
    }
    if (text[0] == '\0') {
        (void)snprintf(text, POOL_TEXT_MAX, "%s", pool->cause);
    }
}

void supervision_on_applied(struct master *master, struct tree *next)
{
    tree_rebuild(master->tree, next);
    run_orders(master);
}
