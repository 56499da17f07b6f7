/* waiting.c - calls that wait until the daemon is as they want it: ready, drained, with a configuration or with
 * code that has proved itself.
 * Owns the calls.  After everything that may change the answer, each is looked at again; whoever waits has a timeout of its own, and a
 * peer that has gone costs nothing but its place until then.
 * Called by methods.c (add) and master.c (check, give up).  Must not change anything. */
#include <stdbool.h>

#include "daemon/method/waiting.h"

#include "common/clock.h"
#include "daemon/state.h"

static bool are_all(const struct master *master, bool (*is_so)(const struct pool *pool))
{
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        if (!is_so(master->inventory.pools[i])) {
            return false;
        }
    }
    return true;
}

static bool is_drained(const struct pool *pool)
{
    return (pool->phase == POOL_SUSPENDED && pool->is_down_told) ||
           (pool->phase == POOL_DRAINED && pool_is_empty(pool));
}

/* The confirmed code that has just come back is not what anybody waits for: at its end he is told so. */
static bool is_confirmed(const struct master *master)
{
    if (setback_is_under_way(master)) {
        return false;
    }
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        if (!setback_get_facts(master, i).is_confirmed) {
            return false;
        }
    }
    return true;
}

/* Will it never be so, although nothing changes any more? */
static bool is_lost(const struct master *master, const struct waiting_item *item,
                    char words[SETBACK_WORDS_MAX])
{
    return item->what == WAITING_CONFIRMED && setback_explain(master, false, words);
}

static bool is_so(const struct master *master, const struct waiting_item *item)
{
    switch (item->what) {
    case WAITING_READY:
        return master->phase == MASTER_RUNNING && are_all(master, pool_is_serving);
    case WAITING_DRAINED:
        return are_all(master, is_drained);
    case WAITING_CONFIG:
        return master->inventory.number >= item->number;
    case WAITING_CONFIRMED:
        return master->phase == MASTER_RUNNING && is_confirmed(master);
    }
    return true;
}

static void answer(struct waiting_item *item)
{
    struct control_call *call = item->call;
    json_int_t waited_ms = (json_int_t)(clock_monotonic_ms() - item->since_ms);
    item->call = NULL;
    json_t *result = item->is_wait ? json_pack("{s:s, s:s, s:I}", "schema", "fsd.wait/1", "for",
                                               item->word, "waited_ms", waited_ms)
                                   : json_pack("{s:b}", item->word, 1);
    control_answer(call, result);
}

void waiting_add(struct master *master, const struct waiting_item *item)
{
    struct waiting *waiting = &master->waiting;
    for (size_t i = 0; i < WAITING_MAX; i++) {
        if (waiting->items[i].call == NULL) {
            waiting->items[i] = *item;
            waiting->items[i].since_ms = clock_monotonic_ms();
            waiting_check(master);
            return;
        }
    }
    control_fail(item->call, CONTROL_BUSY, "too many wait already");
}

void waiting_give_up(struct master *master, enum waiting_for what, const char *why)
{
    for (size_t i = 0; i < WAITING_MAX; i++) {
        struct waiting_item *item = &master->waiting.items[i];
        if (item->call != NULL && !item->is_wait && item->what == what) {
            control_fail(item->call, CONTROL_FAILED, why);
            item->call = NULL;
        }
    }
}

void waiting_check(struct master *master)
{
    char words[SETBACK_WORDS_MAX];
    for (size_t i = 0; i < WAITING_MAX; i++) {
        struct waiting_item *item = &master->waiting.items[i];
        if (item->call != NULL && master->phase == MASTER_STOPPING) {
            control_fail(item->call, CONTROL_FAILED, "the daemon is stopping");
            item->call = NULL;
        } else if (item->call != NULL && is_lost(master, item, words)) {
            control_fail(item->call, CONTROL_FAILED, words);
            item->call = NULL;
        } else if (item->call != NULL && is_so(master, item)) {
            answer(item);
        }
    }
}
