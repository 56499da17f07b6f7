/* swap.c - other code in all workers, where they are: everywhere or nowhere.
 * Owns the transaction.  New bundles are made, or those that are in the stores are taken; every process that runs code is asked to
 * prepare it beside what it does (PREPARE), some at a time; when all have said yes, the stores change first, so that whoever
 * boots from then on has the new code, and then all are told (COMMIT).  Any no, death or delay before that drops it, and
 * nobody has seen anything of it; whoever does not commit is killed, and its successor boots the new code.
 * Called by reload.c, and by master.c with all news.  Must not know who asked (reload.c), nor how the
 * members stand (swap_members.c). */
#include "daemon/change/swap.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/proto.h"
#include "daemon/change/swap_members.h"
#include "daemon/owner.h"
#include "daemon/proc/pulse.h"
#include "daemon/state.h"

enum {
    LATE_MS = 500, /* a timer that comes so late says more about us */
    TIMER_ACCURACY_US = 10000,
};

/* So that no configuration has the same. */
static const uint64_t first_number = UINT64_C(1) << 62;

static void step(struct master *master);

bool swap_is_running(const struct master *master)
{
    return master->swap.is_running;
}

bool swap_has_begun(const struct master *master)
{
    return master->swap.is_running && !master->swap.is_loading;
}

static void drop_candidates(struct master *master)
{
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        bundle_store_abort(&master->inventory.apps[i]->store);
    }
}

static void thaw(struct master *master, bool is_new)
{
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        struct pool *pool = master->inventory.pools[i];
        if (pool->is_frozen) {
            pool_code_thaw(pool);
            if (is_new) {
                pool_code_retry(pool);
            }
        }
    }
}

static void commit(struct master *master)
{
    struct swap *swap = &master->swap;
    swap->committed_ms = clock_monotonic_ms();
    reload_commit(master);
    swap_members_commit(swap);
    thaw(master, true);
    swap->is_unchecked = true;
}

static void drop(struct master *master)
{
    drop_candidates(master);
    swap_members_abort(&master->swap);
    thaw(master, false);
}

static void forget(struct swap *swap)
{
    swap->timer = sd_event_source_disable_unref(swap->timer);
    free(swap->members);
    free(swap->answers);
    swap->members = NULL;
    swap->answers = NULL;
    swap->member_count = 0;
    swap->is_running = false;
}

static void carry_out(struct master *master, const struct phase_order *order)
{
    struct swap *swap = &master->swap;
    switch (order->action) {
    case PHASE_DO_NOTHING:
        break;
    case PHASE_PREPARE:
        swap_members_ask(master, order->participant);
        swap->is_unchecked = swap->is_unchecked || swap->members[order->participant].asked_ms == 0;
        break;
    case PHASE_COMMIT_ALL:
        commit(master);
        break;
    case PHASE_ABORT_ALL:
        drop(master);
        break;
    case PHASE_KILL:
        swap_members_kill(master, &swap->members[order->participant]);
        break;
    case PHASE_DONE:
        forget(swap);
        break;
    }
}

static int start_timer(struct master *master, uint64_t wait_ms);

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    struct master *master = userdata;
    uint64_t now_ms = clock_monotonic_ms();
    if (now_ms > usec / 1000 + LATE_MS && start_timer(master, PULSE_INTERVAL_MS) >= 0) {
        return 0; /* answers may have come in time, while we were held up */
    }
    if (now_ms < swap_members_find_due(&master->swap)) {
        step(master); /* the timer was set by the loop's clock, which is a little behind */
        return 0;
    }
    if (master->swap.phase.state == PHASE_PREPARING) {
        if (swap_members_cut(&master->swap, now_ms)) {
            step(master); /* waits anew */
            return 0;
        }
        swap_members_blame(master, now_ms);
    }
    phase_feed(&master->swap.phase, PHASE_ON_TIMEOUT, 0);
    step(master);
    return 0;
}

static int start_timer(struct master *master, uint64_t wait_ms)
{
    struct swap *swap = &master->swap;
    swap->timer = sd_event_source_disable_unref(swap->timer);
    return sd_event_add_time_relative(master->loop, &swap->timer, CLOCK_MONOTONIC, wait_ms * 1000,
                                      TIMER_ACCURACY_US, on_timer, master);
}

/* Without a timer nobody would end a wait: what can be dropped is dropped, and who is to commit is killed. */
static bool is_timed(struct master *master)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t due_ms = swap_members_find_due(&master->swap);
    if (due_ms == UINT64_MAX || start_timer(master, due_ms > now_ms ? due_ms - now_ms : 0) >= 0) {
        return true;
    }
    reload_keep_reason(master, "out of memory");
    phase_feed(&master->swap.phase, PHASE_ON_TIMEOUT, 0);
    return false;
}

static void end(struct master *master, bool is_committed)
{
    if (is_committed) {
        reload_finish(master);
    } else {
        reload_fail(master);
    }
    reload_on_free(master);
}

/* What an order causes from within waits in the phase until the order is carried out, so that the stack stays flat. */
static void step(struct master *master)
{
    struct swap *swap = &master->swap;
    if (swap->is_stepping) {
        return;
    }
    swap->is_stepping = true;
    struct phase_order order;
    bool goes_on = true;
    while (goes_on) {
        if (swap->is_unchecked) {
            swap_members_check(master);
        }
        order = phase_next(&swap->phase);
        carry_out(master, &order);
        goes_on = order.action != PHASE_DONE &&
                  (order.action != PHASE_DO_NOTHING || swap->is_unchecked || !is_timed(master));
    }
    swap->is_stepping = false;
    if (order.action == PHASE_DONE) {
        end(master, order.is_committed);
    }
}

/* Above all that workers were ever asked, also by a daemon before this one: a late answer is known by its number. */
static uint64_t choose_number(const struct swap *swap)
{
    uint64_t number = swap->number < first_number ? first_number : swap->number + 1;
    for (size_t i = 0; i < swap->member_count; i++) {
        const struct pool_proc *which = swap->members[i].which;
        if (which != NULL && which->proc.change >= number) {
            number = which->proc.change + 1;
        }
    }
    return number;
}

static void begin(struct master *master)
{
    struct swap *swap = &master->swap;
    swap->is_loading = false;
    if (swap_members_make(master) < 0) {
        reload_keep_reason(master, "out of memory");
        forget(swap);
        drop_candidates(master);
        end(master, false);
        return;
    }
    swap->number = choose_number(swap);
    (void)phase_begin(&swap->phase, swap->answers, swap->member_count,
                      phase_get_parallel(master->auto_count));
    swap->is_unchecked = true;
    step(master);
}

static void on_loaded(struct loader *loader, int exit_code, const char *why)
{
    struct master *master = OWNER_OF(loader, struct master, loader);
    if (!master->swap.is_running) {
        drop_candidates(master);
    } else if (exit_code == FSD_EXIT_OK) {
        begin(master);
    } else {
        reload_keep_reason(master, why);
        forget(&master->swap);
        end(master, false);
    }
    master_check_end(master);
}

void swap_start(struct master *master, enum swap_source source)
{
    struct swap *swap = &master->swap;
    swap->is_running = true;
    swap->is_loading = source == SWAP_FROM_DISK;
    swap->is_proven = source == SWAP_FROM_STORE;
    if (source == SWAP_FROM_STORE) {
        begin(master);
    } else {
        loader_start(&master->loader, master->inventory.apps, master->inventory.conf->app_count,
                     on_loaded);
    }
}

void swap_on_pool_news(struct master *master, enum pool_news news, const struct proc *proc,
                       const char *why)
{
    struct swap *swap = &master->swap;
    /* of whoever is lost POOL_PROC_LOST follows, when it is known what that means for its pool */
    bool is_early = news == POOL_SLOT_DIED || news == POOL_GAVE_UP;
    if (!swap_has_begun(master) || is_early) {
        return;
    }
    size_t index = proc == NULL ? swap->member_count : swap_members_find(swap, proc);
    bool is_ours = index < swap->member_count && proc->change == swap->number;
    if (is_ours && news == POOL_CODE_PREPARED) {
        swap_members_tell(master, &swap->members[index], SWAP_PREPARED, NULL);
        phase_feed(&swap->phase, PHASE_ON_PREPARED, index);
    } else if (is_ours && news == POOL_CODE_REJECTED) {
        swap_members_tell(master, &swap->members[index], SWAP_REJECTED, why);
        swap_members_keep_reason(master, &swap->members[index], why);
        phase_feed(&swap->phase, PHASE_ON_REFUSED, index);
    } else if (is_ours && news == POOL_CODE_COMMITTED) {
        swap_members_tell(master, &swap->members[index], SWAP_COMMITTED, NULL);
        phase_feed(&swap->phase, PHASE_ON_COMMITTED, index);
    }
    swap->is_unchecked = true;
    step(master);
}

void swap_stop(struct master *master)
{
    struct swap *swap = &master->swap;
    if (swap_has_begun(master)) {
        phase_feed(&swap->phase, PHASE_ON_STOP, 0);
        step(master);
    } else if (swap->is_running) { /* the loader is stopped, and finds that nobody waits for it */
        forget(swap);
        reload_fail(master);
    }
}
