/* rollback.c - back to older code, by order.
 * Owns nothing.  Each app has one way back (bundle.c); its code becomes the candidate once more, and is brought to all workers as that
 * of a reload.  Where some apps run code that has not proved itself, these are the ones that are meant.
 * Called by methods_code.c.  Must not know how code gets to a worker, nor that the daemon goes back by itself, too (setback.c). */
#include "daemon/change/rollback.h"

#include <string.h>

#include "daemon/control/control.h"
#include "daemon/state.h"

/* Does some app run code that has not proved itself, while other code has? */
static bool is_any_unproven(const struct master *master)
{
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        enum bundle_role role = BUNDLE_PREVIOUS;
        (void)bundle_store_find_way_back(&master->inventory.apps[i]->store, &role);
        if (role == BUNDLE_CONFIRMED) {
            return true;
        }
    }
    return false;
}

/* How many apps go back; negative errno: none. */
static int offer_all(struct master *master, const struct app *only)
{
    const struct inventory *inventory = &master->inventory;
    bool is_for_unproven = only == NULL && is_any_unproven(master);
    int count = 0;
    for (size_t i = 0; i < inventory->conf->app_count && count >= 0; i++) {
        struct bundle_store *store = &inventory->apps[i]->store;
        enum bundle_role role = BUNDLE_PREVIOUS;
        bool can_go = bundle_store_find_way_back(store, &role) != NULL;
        bool is_meant = only == NULL ? !is_for_unproven || role == BUNDLE_CONFIRMED
                                     : only == inventory->apps[i];
        if (can_go && is_meant) {
            int error = bundle_store_offer(store, role);
            count = error < 0 ? error : count + 1;
        }
    }
    for (size_t i = 0; i < inventory->conf->app_count && count < 0; i++) {
        bundle_store_abort(&inventory->apps[i]->store);
    }
    return count;
}

void rollback_start(struct master *master, const struct app *only, struct control_call *call)
{
    const char *obstacle = master_find_obstacle(master);
    if (obstacle != NULL) {
        control_fail(call, CONTROL_BUSY, obstacle);
        return;
    }
    int count = offer_all(master, only);
    if (count > 0) {
        reload_from_store(master, call, NULL);
    } else if (count < 0) {
        control_fail(call, CONTROL_FAILED, strerror(-count));
    } else {
        control_fail(call, CONTROL_FAILED,
                     "there is nothing to go back to: the daemon keeps no other code");
    }
}
