/* rollback.c - back to older code, by order.
 * Owns nothing.  Each app has one way back (bundle.c); its code becomes the candidate once more, and is brought to all workers as that
 * of a reload.  Where some apps run code that has not proved itself, these are the ones that are meant.
 * Called by methods_code.c.  Must not know how code gets to a worker, nor that the daemon goes back by itself, too (setback.c). */
#include "daemon/change/rollback.h"

#include <string.h>

#include "daemon/control/control.h"
#include "daemon/state.h"

/* Whom a rollback by order is for: code that has not proved itself first, else all that can go back. */
static bool is_meant(const struct master *master, const struct app *only, const struct app *app)
{
    enum bundle_role role = BUNDLE_PREVIOUS;
    bool is_any_unproven = false;
    for (size_t i = 0; only == NULL && i < master->inventory.conf->app_count; i++) {
        enum bundle_role other = BUNDLE_PREVIOUS;
        (void)bundle_store_find_way_back(&master->inventory.apps[i]->store, &other);
        is_any_unproven = is_any_unproven || other == BUNDLE_CONFIRMED;
    }
    const struct bundle *to = bundle_store_find_way_back(&app->store, &role);
    return to != NULL && (only == NULL || only == app) &&
           (!is_any_unproven || role == BUNDLE_CONFIRMED);
}

/* How many apps go back; negative errno. */
static int offer_all(struct master *master, const struct app *only)
{
    bool is_chosen[LOADER_APPS_MAX] = {false};
    size_t app_count = master->inventory.conf->app_count;
    int count = 0;
    for (size_t i = 0; i < app_count; i++) {
        is_chosen[i] = is_meant(master, only, master->inventory.apps[i]);
    }
    for (size_t i = 0; i < app_count && count >= 0; i++) {
        enum bundle_role role = BUNDLE_PREVIOUS;
        struct bundle_store *store = &master->inventory.apps[i]->store;
        if (is_chosen[i] && bundle_store_find_way_back(store, &role) != NULL) {
            int error = bundle_store_offer(store, role);
            count = error < 0 ? error : count + 1;
        }
    }
    for (size_t i = 0; i < app_count && count < 0; i++) {
        bundle_store_abort(&master->inventory.apps[i]->store);
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
