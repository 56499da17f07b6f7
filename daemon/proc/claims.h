#ifndef FSD_DAEMON_PROC_CLAIMS_H
#define FSD_DAEMON_PROC_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names that one actor in all workers can have, and who wants them. */
enum {
    CLAIMS_NAMES_MAX = 4096,  /* that are held or waited for */
    CLAIMS_OF_ONE_MAX = 4096, /* of one worker */
    CLAIMS_MAX = 65536,       /* of all */
    CLAIMS_BUCKETS = 1024,
};

struct claim;
struct claims;

/* A worker that claims; embedded in its owner. */
struct claimant {
    uint64_t incarnation;
    bool is_passed_over; /* what it waits for is not given to it now */
    unsigned count;      /* its claims */
    unsigned kept;       /* of those that may wait: how many it holds */
    struct claim *first; /* borrowed list */
};

/* For whom a name is claimed. */
struct claim_actor {
    uint64_t serial;
    uint32_t index;
    bool waits; /* until the name is free */
};

struct claim {
    struct claimant *claimant; /* borrowed */
    struct claim_name *name;   /* borrowed */
    struct claim_actor actor;
    struct claim *next; /* of those that wait for the name, the oldest first */
    struct claim *next_own;
    struct claim **link_own;
};

struct claim_name {
    struct claim *holder;  /* owned; NULL: none of those that wait may have it now */
    struct claim *waiting; /* owned list */
    struct claim_name *next;
    char text[];
};

/* Nothing is left when all claimants have left. */
struct claims {
    struct claim_name *buckets[CLAIMS_BUCKETS]; /* owned lists */
    unsigned names;
    unsigned count;
    unsigned vacant; /* names without a holder */
    /* The claim's actor holds the name now, or nobody does and it was the last; called from within the functions below, and must not call
     * them. */
    void (*on_holder)(struct claims *claims, const struct claim *claim, bool is_holder);
};

enum claims_answer {
    CLAIMS_GIVEN, /* on_holder was called */
    CLAIMS_WAITS,
    CLAIMS_EXISTS,   /* another one holds it, or this worker waits for it already */
    CLAIMS_OVERLOAD, /* there are too many, or memory is out */
};

/* A name of 1 to 255 bytes, which is copied. */
enum claims_answer claims_add(struct claims *claims, struct claimant *claimant, const char *text,
                              const struct claim_actor *actor);
/* Gives the name back, or waits no more.  False: there is no such claim. */
bool claims_remove(struct claims *claims, struct claimant *claimant, const char *text,
                   const struct claim_actor *actor);
/* All that it had is others' now; on_holder is called for names that somebody else gets, and not for those that nobody has. */
void claims_leave(struct claims *claims, struct claimant *claimant);
/* Somebody may be passed over no more: gives away what nobody holds. */
void claims_settle(struct claims *claims);
/* As it was in another program; on_holder is not called.  False: that can't be. */
bool claims_restore(struct claims *claims, struct claimant *claimant, const char *text,
                    const struct claim_actor *actor, bool is_holder);
/* Calls visit for each, holders before those who wait, which come in their order. */
void claims_visit(const struct claims *claims,
                  void (*visit)(void *owner, const struct claim *claim, bool is_holder),
                  void *owner);

#endif
