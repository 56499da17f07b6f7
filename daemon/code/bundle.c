/* bundle.c - the numbered generations of one application's code.
 * Owns the sealed memfds.  There are at most two: the running one, which every worker gets that is started, and the candidate
 * of a reload, which becomes the running one or is dropped; numbers only rise, also over dropped ones.
 * Called by loader.c (add), reload.c and master.c (commit, abort), pool.c (read).  Must not know how a bundle is made or what is
 * in it. */
#include "daemon/code/bundle.h"

#include "common/fd.h"

static void drop(struct bundle *bundle)
{
    fd_close(&bundle->fd);
    *bundle = (struct bundle){.fd = -1};
}

void bundle_store_init(struct bundle_store *store)
{
    *store = (struct bundle_store){.running = {.fd = -1}, .candidate = {.fd = -1}};
}

void bundle_store_fini(struct bundle_store *store)
{
    drop(&store->running);
    drop(&store->candidate);
}

void bundle_store_add(struct bundle_store *store, const struct bundle *bundle)
{
    drop(&store->candidate);
    store->candidate = *bundle;
    store->candidate.number = ++store->last;
}

void bundle_store_commit(struct bundle_store *store)
{
    if (store->candidate.number == 0) {
        return;
    }
    drop(&store->running);
    store->running = store->candidate;
    store->candidate = (struct bundle){.fd = -1};
}

void bundle_store_abort(struct bundle_store *store)
{
    drop(&store->candidate);
}
