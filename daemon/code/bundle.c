/* bundle.c - the numbered generations of one application's code.
 * Owns the sealed memfds.  There are at most four: the running one, which every worker gets that is started; the candidate of a
 * reload, which becomes the running one or is dropped; the one that ran before; and the confirmed one, to which a rollback leads.
 * Numbers only rise, also over dropped ones and when older code comes back.
 * Called by loader.c (add), rollback.c and setback.c (offer, confirm), whatever commits or aborts a change, pool.c and methods
 * (read).  Must not know how a bundle is made or what is in it, nor when one is confirmed (probation.c). */
#include "daemon/code/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/clock.h"
#include "common/fd.h"

static void drop(struct bundle *bundle)
{
    fd_close(&bundle->fd);
    *bundle = (struct bundle){.fd = -1};
}

/* What stood in `to` is dropped. */
static void move(struct bundle *to, struct bundle *from)
{
    drop(to);
    *to = *from;
    *from = (struct bundle){.fd = -1};
}

void bundle_store_init(struct bundle_store *store)
{
    *store = (struct bundle_store){.running = {.fd = -1},
                                   .candidate = {.fd = -1},
                                   .previous = {.fd = -1},
                                   .confirmed = {.fd = -1}};
}

void bundle_store_fini(struct bundle_store *store)
{
    drop(&store->running);
    drop(&store->candidate);
    drop(&store->previous);
    drop(&store->confirmed);
}

void bundle_store_add(struct bundle_store *store, const struct bundle *bundle)
{
    drop(&store->candidate);
    store->candidate = *bundle;
    store->candidate.number = ++store->last;
}

int bundle_store_offer(struct bundle_store *store, enum bundle_role role)
{
    const struct bundle *from = bundle_store_find(store, role);
    if (from == NULL) {
        return -ENOENT;
    }
    struct bundle copy = *from;
    copy.fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
    if (copy.fd < 0) {
        return -errno;
    }
    copy.origin = from->number;
    copy.committed_us = 0;
    bundle_store_add(store, &copy);
    return 0;
}

/* Read from the disk once more, and nothing had changed: what it takes the place of is no way back. */
static bool is_running_again(const struct bundle_store *store)
{
    const struct bundle *running = &store->running;
    const struct bundle *candidate = &store->candidate;
    return running->number != 0 && candidate->origin == 0 && candidate->sha256[0] != '\0' &&
           strcmp(running->sha256, candidate->sha256) == 0;
}

static void make_way(struct bundle_store *store)
{
    if (is_running_again(store)) {
        bool is_confirmed = bundle_store_is_confirmed(store, &store->running);
        store->confirmed_number = is_confirmed ? store->candidate.number : store->confirmed_number;
        return;
    }
    if (store->confirmed_number != 0 && store->candidate.origin == store->confirmed_number) {
        store->confirmed_number = store->candidate.number; /* one memfd needs one row */
        drop(&store->confirmed);
    } else if (store->confirmed_number != 0 && store->previous.number == store->confirmed_number) {
        move(&store->confirmed, &store->previous);
    }
    move(&store->previous, &store->running);
}

void bundle_store_commit(struct bundle_store *store)
{
    if (store->candidate.number == 0) {
        return;
    }
    make_way(store);
    move(&store->running, &store->candidate);
    store->running.committed_us = clock_wall_us();
}

void bundle_store_abort(struct bundle_store *store)
{
    drop(&store->candidate);
}

void bundle_store_confirm(struct bundle_store *store)
{
    store->confirmed_number = store->running.number;
    drop(&store->confirmed);
}

static const struct bundle *find_confirmed(const struct bundle_store *store)
{
    const struct bundle *const places[] = {&store->running, &store->previous, &store->confirmed};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (bundle_store_is_confirmed(store, places[i])) {
            return places[i];
        }
    }
    return NULL;
}

const struct bundle *bundle_store_find(const struct bundle_store *store, enum bundle_role role)
{
    const struct bundle *found = NULL;
    switch (role) {
    case BUNDLE_RUNNING:
        found = &store->running;
        break;
    case BUNDLE_CONFIRMED:
        return find_confirmed(store);
    case BUNDLE_PREVIOUS:
        found = &store->previous;
        break;
    case BUNDLE_CANDIDATE:
        found = &store->candidate;
        break;
    }
    return found == NULL || found->number == 0 ? NULL : found;
}

const struct bundle *bundle_store_find_way_back(const struct bundle_store *store,
                                                enum bundle_role *ret_role)
{
    const struct bundle *confirmed = find_confirmed(store);
    bool is_proven = confirmed == NULL || confirmed == &store->running;
    enum bundle_role role = is_proven ? BUNDLE_PREVIOUS : BUNDLE_CONFIRMED;
    const struct bundle *found = bundle_store_find(store, role);
    if (found != NULL) {
        *ret_role = role;
    }
    return found;
}

size_t bundle_store_list(const struct bundle_store *store, const struct bundle *rows[BUNDLE_ROLES])
{
    const struct bundle *const places[BUNDLE_ROLES] = {&store->candidate, &store->running,
                                                       &store->previous, &store->confirmed};
    size_t count = 0;
    for (size_t i = 0; i < BUNDLE_ROLES; i++) { /* in this order their numbers fall */
        if (places[i]->number != 0) {
            rows[count++] = places[i];
        }
    }
    return count;
}

bool bundle_store_is_confirmed(const struct bundle_store *store, const struct bundle *bundle)
{
    return bundle->number != 0 && bundle->number == store->confirmed_number;
}
