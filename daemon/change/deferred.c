/* deferred.c - operators do not wait behind applications.
 * Owns the calls that would have been refused as busy only because a worker has ordered a pool.  Such an order takes a moment, and an
 * application that orders pools all day would keep operators out for good: so what they want is kept and done next.
 * Called by the methods that change something (add), by orders.c (run) and by setup.c.  Must not know what a method does. */
#include "daemon/change/deferred.h"

#include "daemon/state.h"

bool deferred_add(struct master *master, deferred_fn run, struct control_call *call,
                  const json_t *params)
{
    struct deferred *deferred = &master->orders.deferred;
    bool is_order = deploy_is_running(master) && deploy_is_by_worker(master->deploy.how);
    json_t *copy = is_order && deferred->count < DEFERRED_MAX ? json_deep_copy(params) : NULL;
    if (copy == NULL) {
        return false; /* it is refused as busy then, with the reason */
    }
    deferred->items[deferred->count++] = (struct deferred_item){run, call, copy};
    return true;
}

void deferred_run(struct master *master)
{
    struct deferred now = master->orders.deferred;
    master->orders.deferred.count = 0;
    for (size_t i = 0; i < now.count; i++) {
        now.items[i].run(master, now.items[i].call, now.items[i].params);
        json_decref(now.items[i].params);
    }
}

void deferred_fini(struct deferred *deferred)
{
    while (deferred->count > 0) {
        json_decref(deferred->items[--deferred->count].params);
    }
}
