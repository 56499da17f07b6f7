#ifndef FSD_DAEMON_CODE_BUNDLE_H
#define FSD_DAEMON_CODE_BUNDLE_H

#include <stdint.h>

enum { BUNDLE_SHA256_MAX = 65 };

/* One generation of an application's code. */
struct bundle {
    uint64_t number; /* 0: there is none */
    int fd;          /* owned; the sealed memfd */
    char sha256[BUNDLE_SHA256_MAX];
    uint64_t files;
    uint64_t bytes;
};

/* The generations of one application. */
struct bundle_store {
    uint64_t last;           /* the highest number ever given */
    struct bundle running;   /* what a worker gets that is started without further ado */
    struct bundle candidate; /* what is being rolled out */
};

void bundle_store_init(struct bundle_store *store);
void bundle_store_fini(struct bundle_store *store);
/* Takes the descriptor of *bundle, gives it the next number and makes it the candidate. */
void bundle_store_add(struct bundle_store *store, const struct bundle *bundle);
/* The candidate becomes the running one; the one before is dropped (workers keep what they have). */
void bundle_store_commit(struct bundle_store *store);
/* The candidate is dropped, its number stays used. */
void bundle_store_abort(struct bundle_store *store);

#endif
