/* upgrade_check.c - whether the state that one master hands to the next fits together.
 * Owns the rules: a worker is where its slot says, nothing is under way, every index is in range, no descriptor has two owners, and
 * the workers that run speak as this program does.  The rows (upgrade_state.c) have checked each value for itself before.
 * Called by upgrade_state_decode.  Pure: no system call, no log.  Must not know whether descriptors and processes are there. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/blackbox.h"
#include "common/page.h"
#include "daemon/pool/pool.h"
#include "daemon/upgrade/upgrade_state.h"

static int check_contract(const struct upgrade_state *state, struct fsd_err *err)
{
    const struct {
        const char *what;
        uint64_t theirs;
        uint64_t ours;
    } rows[] = {
        {"protocol", state->protocol, PROTO_VERSION},
        {"status page", state->page_version, PAGE_VERSION},
        {"black box", state->blackbox_version, BLACKBOX_VERSION},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].theirs != rows[i].ours) {
            return fsd_err_set(err, EPROTO,
                               "the workers that run have version %" PRIu64
                               " of the %s, this fsd needs version %" PRIu64
                               ": it can only be started anew",
                               rows[i].theirs, rows[i].what, rows[i].ours);
        }
    }
    return 0;
}

static int check_head(const struct upgrade_state *state, struct fsd_err *err)
{
    bool is_run = state->options.address[0] != '\0';
    if (state->pid == 0 || state->path[0] != '/' || state->options.worker_path[0] != '/' ||
        is_run != (state->texts.count == 0)) {
        return fsd_err_set(err, EPROTO, "it does not say what runs");
    }
    return 0;
}

static bool is_kept(const struct upgrade_app *app, uint64_t number)
{
    const struct upgrade_bundle *kept = app->kept.items;
    for (size_t i = 0; i < app->kept.count; i++) {
        if (kept[i].number == number) {
            return true;
        }
    }
    return false;
}

/* Each older generation has a role and each role its generation, and numbers fall. */
static bool is_good_code(const struct upgrade_app *app)
{
    const struct upgrade_bundle *kept = app->kept.items;
    const struct upgrade_bundle *newer = &app->running;
    if ((newer->number == 0) != (newer->fd < 0) || newer->number > app->last) {
        return false;
    }
    for (size_t i = 0; i < app->kept.count; i++) {
        uint64_t number = kept[i].number;
        if (number == 0 || kept[i].fd < 0 || number >= newer->number ||
            (number != app->previous && number != app->confirmed)) {
            return false;
        }
        newer = &kept[i];
    }
    bool is_confirmed = app->confirmed == 0 || app->confirmed == app->running.number;
    return (app->previous == 0 || is_kept(app, app->previous)) &&
           (is_confirmed || is_kept(app, app->confirmed));
}

static int check_apps(const struct upgrade_state *state, struct fsd_err *err)
{
    const struct upgrade_app *apps = state->apps.items;
    for (size_t i = 0; i < state->apps.count; i++) {
        if (!is_good_code(&apps[i])) {
            return fsd_err_set(err, EPROTO, "the code of app \"%s\" makes no sense", apps[i].name);
        }
    }
    return 0;
}

static int check_listeners(const struct upgrade_state *state, struct fsd_err *err)
{
    const struct upgrade_listener *listeners = state->listeners.items;
    for (size_t i = 0; i < state->listeners.count; i++) {
        const struct upgrade_listener *one = &listeners[i];
        if (one->live < 1 || one->live > one->sockets.count || one->stored > one->sockets.count) {
            return fsd_err_set(err, EPROTO, "the sockets of listener \"%s\" make no sense",
                               one->name);
        }
    }
    return 0;
}

static bool is_resting(uint64_t state)
{
    switch ((enum slot_state)state) {
    case SLOT_EMPTY:
    case SLOT_READY:
    case SLOT_BACKOFF:
    case SLOT_HELD:
    case SLOT_DONE:
        return true;
    case SLOT_STARTING:
    case SLOT_REPLACING:
    case SLOT_LEAVING:
        break;
    }
    return false;
}

static bool has_proc(const struct upgrade_pool *pool, uint64_t number)
{
    const struct upgrade_proc *procs = pool->procs.items;
    for (size_t i = 0; i < pool->procs.count; i++) {
        if (procs[i].number == number) {
            return true;
        }
    }
    return false;
}

static size_t count_of(const struct upgrade_pool *pool, enum upgrade_role role, size_t slot)
{
    const struct upgrade_proc *procs = pool->procs.items;
    size_t count = 0;
    for (size_t i = 0; i < pool->procs.count; i++) {
        count += procs[i].role == role && (role != UPGRADE_IN_SLOT || procs[i].slot == slot);
    }
    return count;
}

static bool is_good_slot(const struct upgrade_pool *pool, size_t index)
{
    const struct upgrade_slot *slot = (const struct upgrade_slot *)pool->slots.items + index;
    bool is_ready = slot->state == SLOT_READY;
    return is_resting(slot->state) && count_of(pool, UPGRADE_IN_SLOT, index) == is_ready &&
           (index < pool->count || slot->state == SLOT_EMPTY) &&
           (slot->borrower == 0 || has_proc(pool, slot->borrower));
}

static bool is_good_proc(const struct upgrade_state *state, const struct upgrade_pool *pool,
                         const struct upgrade_proc *proc)
{
    bool is_numbered = proc->pid > 1 && proc->number > 0 && proc->number <= state->incarnations;
    return is_numbered && proc->slot < pool->slots.count &&
           proc->is_active == (proc->role != UPGRADE_STANDBY);
}

static int check_pool(const struct upgrade_state *state, const struct upgrade_pool *pool,
                      struct fsd_err *err)
{
    const struct upgrade_proc *procs = pool->procs.items;
    if (pool->count < 1 || pool->count > pool->slots.count || pool->phase == POOL_LEAVING ||
        count_of(pool, UPGRADE_UNAVAILABLE, 0) > 1) {
        return fsd_err_set(err, EPROTO, "pool \"%s\" makes no sense", pool->name);
    }
    for (size_t i = 0; i < pool->slots.count; i++) {
        if (!is_good_slot(pool, i)) {
            return fsd_err_set(err, EPROTO, "slot %s/%zu makes no sense", pool->name, i);
        }
    }
    for (size_t i = 0; i < pool->procs.count; i++) {
        if (!is_good_proc(state, pool, &procs[i])) {
            return fsd_err_set(err, EPROTO, "process %" PRIu64 " of pool \"%s\" makes no sense",
                               procs[i].pid, pool->name);
        }
    }
    return 0;
}

static int check_claims(const struct upgrade_state *state, struct fsd_err *err)
{
    const struct upgrade_claim *claims = state->claims.items;
    for (size_t i = 0; i < state->claims.count; i++) {
        if (claims[i].name[0] == '\0' || (!claims[i].waits && !claims[i].is_holder)) {
            return fsd_err_set(err, EPROTO, "the name \"%s\" of an actor makes no sense",
                               claims[i].name);
        }
    }
    return 0;
}

struct numbers {
    int *items; /* owned; NULL while they are only counted */
    size_t count;
};

static int add_number(void *owner, int fd, uint64_t what)
{
    (void)what;
    struct numbers *numbers = owner;
    if (numbers->items != NULL) {
        numbers->items[numbers->count] = fd;
    }
    numbers->count++;
    return 0;
}

static int compare(const void *one, const void *other)
{
    int a = *(const int *)one;
    int b = *(const int *)other;
    return (a > b) - (a < b);
}

int upgrade_list_fds(const struct upgrade_state *state, int **ret_fds, size_t *ret_count)
{
    struct numbers numbers = {NULL, 0};
    (void)record_visit_fds(&upgrade_state_type, state, add_number, &numbers);
    numbers.items = calloc(numbers.count + 1, sizeof(int));
    if (numbers.items == NULL) {
        return -ENOMEM;
    }
    numbers.count = 0;
    (void)record_visit_fds(&upgrade_state_type, state, add_number, &numbers);
    qsort(numbers.items, numbers.count, sizeof(int), compare);
    *ret_fds = numbers.items;
    *ret_count = numbers.count;
    return 0;
}

static int check_fds(const struct upgrade_state *state, struct fsd_err *err)
{
    int *fds = NULL;
    size_t count = 0;
    if (upgrade_list_fds(state, &fds, &count) < 0) {
        return fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
    }
    int error = 0;
    for (size_t i = 1; i < count && error == 0; i++) {
        if (fds[i] == fds[i - 1]) {
            error = fsd_err_set(err, EPROTO, "descriptor %d is named twice", fds[i]);
        }
    }
    free(fds);
    return error;
}

int upgrade_check(const struct upgrade_state *state, struct fsd_err *err)
{
    const struct upgrade_pool *pools = state->pools.items;
    int error = check_contract(state, err);
    if (error == 0) {
        error = check_head(state, err);
    }
    if (error == 0) {
        error = check_apps(state, err);
    }
    if (error == 0) {
        error = check_listeners(state, err);
    }
    for (size_t i = 0; i < state->pools.count && error == 0; i++) {
        error = check_pool(state, &pools[i], err);
    }
    if (error == 0) {
        error = check_claims(state, err);
    }
    return error == 0 ? check_fds(state, err) : error;
}
