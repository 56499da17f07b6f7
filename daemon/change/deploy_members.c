/* deploy_members.c - which slots take part in a change of configuration, and how.
 * Owns deploy->members: a slot takes part when its worker must be new, when it is added, or when its worker takes the change in place.
 * The numbers of the members are the participants of phase.c; news of the pools are translated into its events here.
 * Called by deploy.c.  Must not order anything but that pools get ready to be changed. */
#include "daemon/change/deploy_members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "daemon/change/deploy_sockets.h"
#include "daemon/state.h"

bool deploy_members_is_new(const struct master *master, const struct pool *pool)
{
    return !inventory_has_pool(&master->inventory, pool);
}

/* Slots below take part: all of a pool whose workers must be new, those that are added, and those that take it in place. */
static void add_members(struct master *master, size_t index)
{
    struct deploy *deploy = &master->deploy;
    struct pool *pool = deploy->next.pools[index];
    unsigned count = inventory_count(&deploy->next, index, master->auto_count);
    bool is_new = deploy_members_is_new(master, pool);
    bool is_at_rest = is_new ? master->is_drained
                             : pool->phase == POOL_DRAINED || pool->phase == POOL_SUSPENDED ||
                                   pool->phase == POOL_IDLE;
    bool is_replaced =
        deploy->with_code || is_new || plan_find(&deploy->plan, pool->name, PLAN_REPLACE) != NULL;
    bool is_updated = plan_find(&deploy->plan, pool->name, PLAN_UPDATE) != NULL;
    is_updated = is_updated || plan_find(&deploy->plan, pool->name, PLAN_SCALE) != NULL;
    for (unsigned i = 0; i < count && !is_at_rest; i++) {
        bool is_added = i >= pool->count;
        if (is_replaced || is_added || is_updated) {
            deploy->members[deploy->member_count++] =
                (struct deploy_member){pool, i, !is_replaced && !is_added};
        }
    }
}

int deploy_members_make(struct master *master, struct fsd_err *err)
{
    struct deploy *deploy = &master->deploy;
    size_t pool_count = deploy->next.conf->pool_count;
    deploy->members = calloc(pool_count * POOL_SLOTS_MAX, sizeof(*deploy->members));
    deploy->answers = calloc(pool_count * POOL_SLOTS_MAX, sizeof(*deploy->answers));
    if (deploy->members == NULL || deploy->answers == NULL) {
        return fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
    }
    int error = 0;
    for (size_t i = 0; i < pool_count && error >= 0; i++) {
        struct pool *pool = deploy->next.pools[i];
        unsigned count = inventory_count(&deploy->next, i, master->auto_count);
        bool is_same = !deploy->with_code && !deploy_members_is_new(master, pool) &&
                       plan_find(&deploy->plan, pool->name, PLAN_REPLACE) == NULL &&
                       plan_find(&deploy->plan, pool->name, PLAN_UPDATE) == NULL &&
                       plan_find(&deploy->plan, pool->name, PLAN_SCALE) == NULL;
        struct pool_conf conf = inventory_pool_conf(
            &deploy->next, i, is_same ? pool->conf.number : deploy->next.number);
        add_members(master, i);
        error =
            deploy_sockets_grow(&deploy->next, i, count, err); /* a slot never lacks its sockets */
        if (error >= 0) {
            error = pool_pend(pool, &conf, count, err);
        }
    }
    return error;
}

size_t deploy_members_find(const struct deploy *deploy, const struct pool *pool, unsigned slot)
{
    size_t i = 0;
    while (i < deploy->member_count &&
           (deploy->members[i].pool != pool || deploy->members[i].slot != slot)) {
        i++;
    }
    return i;
}

bool deploy_members_are_booting(const struct deploy *deploy)
{
    size_t i = phase_find_awaited(&deploy->phase, 0);
    for (; i < deploy->member_count; i = phase_find_awaited(&deploy->phase, i + 1)) {
        const struct deploy_member *member = &deploy->members[i];
        const struct pool_slot *slot = member->pool->slots[member->slot];
        const struct pool_proc *next = slot->next;
        bool is_booting = next != NULL && next->proc.state < INCARNATION_LOADED;
        if (!member->is_in_place && (slot->awaits_room || is_booting)) {
            return true;
        }
    }
    return false;
}

int deploy_members_translate(enum pool_news news)
{
    switch (news) {
    case POOL_SLOT_PREPARED:
        return PHASE_ON_PREPARED;
    case POOL_SLOT_REJECTED:
        return PHASE_ON_REFUSED;
    case POOL_SLOT_READY:
    case POOL_SLOT_COMMITTED:
        return PHASE_ON_COMMITTED;
    case POOL_SLOT_FAILED:
    case POOL_SLOT_DIED:
    case POOL_SLOT_EMPTY:
        return PHASE_ON_LOST;
    case POOL_UP:
    case POOL_GAVE_UP:
    case POOL_DOWN:
    case POOL_PROC_ENDED:
    case POOL_REAPED:
    case POOL_WITHDRAWN:
    case POOL_PROC_LOST:
    case POOL_CODE_PREPARED:
    case POOL_CODE_REJECTED:
    case POOL_CODE_COMMITTED:
        break;
    }
    return -1;
}
