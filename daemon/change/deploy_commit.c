/* deploy_commit.c - the moment in which the next configuration becomes the running one, or is dropped.
 * Owns nothing.  Everything that could fail has been done by then: objects change places, pools adopt what they were told, and the
 * slots that take part let their prepared workers serve.  Dropping undoes what was prepared, and nobody has seen anything of it.
 * Called by deploy.c, once for each change that slots were concerned with.  Must not know who asked, nor wait for anything. */
#include "daemon/change/deploy_commit.h"

#include "daemon/change/deploy_members.h"
#include "daemon/log_files.h"
#include "daemon/state.h"
#include "daemon/tree/supervision.h"

static void swap_texts(char **one, char **other)
{
    char *kept = *one;
    *one = *other;
    *other = kept;
}

/* What only a restart can change stays as it is, and so every plan tells it until then. */
static void keep_fixed(struct conf *conf, struct conf *old)
{
    swap_texts(&conf->control_path, &old->control_path);
    swap_texts(&conf->state_path, &old->state_path);
    swap_texts(&conf->log_path, &old->log_path);
    swap_texts(&conf->user, &old->user);
    swap_texts(&conf->group, &old->group);
}

void deploy_commit(struct master *master)
{
    struct deploy *deploy = &master->deploy;
    struct inventory old = master->inventory;
    master->inventory = deploy->next;
    deploy->next = old;
    master->inventory.number = old.number; /* whoever waits for the new one waits for its end */
    keep_fixed(master->inventory.conf, old.conf);
    const struct conf *conf = master->inventory.conf;
    for (size_t i = 0; i < conf->app_count; i++) {
        bundle_store_commit(&master->inventory.apps[i]->store);
    }
    for (size_t i = 0; i < conf->listener_count; i++) {
        listener_rename(master->inventory.listeners[i], conf->listeners[i].name);
    }
    log_set(&master->log, conf->log_format, conf->log_level);
    log_files_follow(master);
    for (size_t i = 0; i < conf->pool_count; i++) {
        struct pool *pool = master->inventory.pools[i];
        pool_adopt(pool, inventory_count(&master->inventory, i, master->auto_count));
        if (master->is_drained && pool->phase == POOL_IDLE) {
            pool_drain(pool); /* a new one is started with the others */
        }
    }
    supervision_on_applied(master, deploy->tree);
    deploy->tree = NULL;
    for (size_t i = 0; i < deploy->member_count; i++) {
        pool_commit_slot(deploy->members[i].pool, deploy->members[i].slot);
    }
}

void deploy_commit_drop(struct master *master)
{
    struct deploy *deploy = &master->deploy;
    for (size_t i = 0; i < deploy->next.conf->pool_count; i++) {
        struct pool *pool = deploy->next.pools[i];
        if (deploy_members_is_new(master, pool)) {
            pool_stop(pool, true);
        } else {
            pool_cancel(pool);
        }
    }
}
