#ifndef FSD_DAEMON_CODE_BUNDLE_H
#define FSD_DAEMON_CODE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BUNDLE_SHA256_MAX = 65 };

/* One generation of an application's code. */
struct bundle {
    uint64_t number; /* 0: there is none */
    int fd;          /* owned; the sealed memfd */
    char sha256[BUNDLE_SHA256_MAX];
    uint64_t files;
    uint64_t bytes;
    uint64_t committed_us; /* wall clock: when it became the running one; 0: it has not */
    uint64_t origin;       /* the older generation whose code it is; 0: it came from the disk */
};

/* What a generation is kept for.  One may be kept for several things. */
enum bundle_role {
    BUNDLE_RUNNING,   /* what a worker gets that is started without further ado */
    BUNDLE_CONFIRMED, /* the last one that has proved itself: the way back */
    BUNDLE_PREVIOUS,  /* what ran before the running one */
    BUNDLE_CANDIDATE, /* what is being rolled out */
};
enum { BUNDLE_ROLES = BUNDLE_CANDIDATE + 1 };

/* The generations of one application: at most one for each role. */
struct bundle_store {
    uint64_t last; /* the highest number ever given */
    struct bundle running;
    struct bundle candidate;
    struct bundle previous;
    struct bundle confirmed;   /* where it is neither the running nor the previous one */
    uint64_t confirmed_number; /* of the confirmed one, wherever it stands; 0: none is */
};

void bundle_store_init(struct bundle_store *store);
void bundle_store_fini(struct bundle_store *store);
/* Takes the descriptor of *bundle, gives it the next number and makes it the candidate. */
void bundle_store_add(struct bundle_store *store, const struct bundle *bundle);
/* Makes the code of an older generation the candidate, under the next number.  0; -ENOENT: there is none of that role; or what the
 * kernel says when it has no descriptor for it. */
int bundle_store_offer(struct bundle_store *store, enum bundle_role role);
/* The candidate becomes the running one, and that the previous one; what has no role any more is dropped (workers keep what they
 * have).  The code of the confirmed one is confirmed under its new number, too.  Code from the disk that is the running code once more
 * takes its place: what ran before that stays the previous one. */
void bundle_store_commit(struct bundle_store *store);
/* The candidate is dropped, its number stays used. */
void bundle_store_abort(struct bundle_store *store);
/* The running one is confirmed from now on; what was it before is dropped where it has no other role. */
void bundle_store_confirm(struct bundle_store *store);

/* NULL: there is none. */
const struct bundle *bundle_store_find(const struct bundle_store *store, enum bundle_role role);
/* Where a rollback leads: to the confirmed one; where there is none, or it runs already, to the previous one; NULL: nowhere. */
const struct bundle *bundle_store_find_way_back(const struct bundle_store *store,
                                                enum bundle_role *ret_role);
/* All of them once, the newest first; returns how many. */
size_t bundle_store_list(const struct bundle_store *store, const struct bundle *rows[BUNDLE_ROLES]);
bool bundle_store_is_confirmed(const struct bundle_store *store, const struct bundle *bundle);

#endif
