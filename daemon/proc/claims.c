/* claims.c - which actor of which worker holds a name of the whole daemon, and who waits for it.
 * Owns the table of names, and the claims in it.  A name belongs to the first who claims it, until that one gives it back or its
 * worker has ended.  A claim that may wait is kept then, and gets the name later: among those that wait, the one whose worker
 * holds the fewest names of that kind, so that they spread, and the oldest among equals.  Workers that are still starting, or
 * leaving, are passed over; a worker waits for a name once.
 * Pure: no system call, no log; memory is bounded, and what does not fit is refused.  Called by naming.c.  Must not know how
 * workers are told. */
#include "daemon/proc/claims.h"

#include <stdlib.h>
#include <string.h>

static struct claim_name **find_bucket(struct claims *claims, const char *name)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *at = name; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    }
    return &claims->buckets[hash % CLAIMS_BUCKETS];
}

/* Where it hangs, or where it would. */
static struct claim_name **find_name(struct claims *claims, const char *name)
{
    struct claim_name **link = find_bucket(claims, name);
    while (*link != NULL && strcmp((*link)->text, name) != 0) {
        link = &(*link)->next;
    }
    return link;
}

/* NULL is allowed. */
static void forget_if_unwanted(struct claims *claims, struct claim_name *name)
{
    if (name == NULL || name->holder != NULL || name->waiting != NULL) {
        return;
    }
    *find_name(claims, name->text) = name->next;
    claims->names--;
    claims->vacant--;
    free(name);
}

/* The name, made if there is none; NULL: no room, or no memory. */
static struct claim_name *take_name(struct claims *claims, const char *text)
{
    struct claim_name **link = find_name(claims, text);
    if (*link != NULL || claims->names == CLAIMS_NAMES_MAX) {
        return *link;
    }
    size_t size = strlen(text) + 1;
    struct claim_name *name = calloc(1, sizeof(*name) + size);
    if (name != NULL) {
        memcpy(name->text, text, size);
        *link = name;
        claims->names++;
        claims->vacant++;
    }
    return name;
}

/* Counted, but neither a holder nor waiting yet. */
static struct claim *make(struct claims *claims, struct claimant *claimant, struct claim_name *name,
                          const struct claim_actor *actor)
{
    struct claim *claim = calloc(1, sizeof(*claim));
    if (claim == NULL) {
        return NULL;
    }
    *claim = (struct claim){.claimant = claimant,
                            .name = name,
                            .actor = *actor,
                            .next_own = claimant->first,
                            .link_own = &claimant->first};
    if (claim->next_own != NULL) {
        claim->next_own->link_own = &claim->next_own;
    }
    claimant->first = claim;
    claimant->count++;
    claims->count++;
    return claim;
}

static void hold(struct claims *claims, struct claim *claim)
{
    claim->name->holder = claim;
    claim->claimant->kept += claim->actor.waits;
    claims->vacant--;
}

static void wait_last(struct claim *claim)
{
    struct claim **end = &claim->name->waiting;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = claim;
}

static void stop_waiting(struct claim *claim)
{
    struct claim **link = &claim->name->waiting;
    while (*link != claim) {
        link = &(*link)->next;
    }
    *link = claim->next;
    claim->next = NULL;
}

/* Its name stays, even if nobody wants it. */
static void drop(struct claims *claims, struct claim *claim)
{
    if (claim->name->holder == claim) {
        claim->name->holder = NULL;
        claim->claimant->kept -= claim->actor.waits;
        claims->vacant++;
    } else {
        stop_waiting(claim);
    }
    *claim->link_own = claim->next_own;
    if (claim->next_own != NULL) {
        claim->next_own->link_own = claim->link_own;
    }
    claim->claimant->count--;
    claims->count--;
    free(claim);
}

static struct claim *choose(const struct claim_name *name)
{
    struct claim *best = NULL;
    for (struct claim *claim = name->waiting; claim != NULL; claim = claim->next) {
        if (!claim->claimant->is_passed_over &&
            (best == NULL || claim->claimant->kept < best->claimant->kept)) {
            best = claim;
        }
    }
    return best;
}

/* Nobody holds it.  Whether somebody does now. */
static bool give(struct claims *claims, struct claim_name *name)
{
    struct claim *claim = choose(name);
    if (claim == NULL) {
        return false;
    }
    stop_waiting(claim);
    hold(claims, claim);
    claims->on_holder(claims, claim, true);
    return true;
}

static bool is_waiting(const struct claimant *claimant, const struct claim_name *name)
{
    const struct claim *claim = name->waiting;
    while (claim != NULL && claim->claimant != claimant) {
        claim = claim->next;
    }
    return claim != NULL;
}

static bool has_room(const struct claims *claims, const struct claimant *claimant)
{
    return claims->count < CLAIMS_MAX && claimant->count < CLAIMS_OF_ONE_MAX;
}

enum claims_answer claims_add(struct claims *claims, struct claimant *claimant, const char *text,
                              const struct claim_actor *actor)
{
    struct claim_name *name = *find_name(claims, text);
    bool is_held = name != NULL && name->holder != NULL;
    if ((is_held && !actor->waits) || (name != NULL && is_waiting(claimant, name))) {
        return CLAIMS_EXISTS;
    }
    name = has_room(claims, claimant) ? take_name(claims, text) : NULL;
    struct claim *claim = name != NULL ? make(claims, claimant, name, actor) : NULL;
    if (claim == NULL) {
        forget_if_unwanted(claims, name);
        return CLAIMS_OVERLOAD;
    }
    if (is_held || (actor->waits && claimant->is_passed_over)) {
        wait_last(claim);
        return CLAIMS_WAITS;
    }
    hold(claims, claim);
    claims->on_holder(claims, claim, true);
    return CLAIMS_GIVEN;
}

static struct claim *find_own(const struct claimant *claimant, const struct claim_name *name,
                              const struct claim_actor *actor)
{
    struct claim *claim = claimant->first;
    while (claim != NULL && (claim->name != name || claim->actor.serial != actor->serial ||
                             claim->actor.index != actor->index)) {
        claim = claim->next_own;
    }
    return claim;
}

bool claims_remove(struct claims *claims, struct claimant *claimant, const char *text,
                   const struct claim_actor *actor)
{
    struct claim_name *name = *find_name(claims, text);
    struct claim *claim = name != NULL ? find_own(claimant, name, actor) : NULL;
    if (claim == NULL) {
        return false;
    }
    bool was_held = name->holder == claim;
    struct claim before = *claim;
    drop(claims, claim);
    if (was_held && !give(claims, name)) {
        claims->on_holder(claims, &before, false);
    }
    forget_if_unwanted(claims, name);
    return true;
}

/* Those that wait are asked when all that it had is free: an actor that takes the place of one may need several of its names. */
void claims_leave(struct claims *claims, struct claimant *claimant)
{
    struct claim *next = NULL;
    for (struct claim *claim = claimant->first; claim != NULL; claim = next) {
        struct claim_name *name = claim->name;
        next = claim->next_own;
        drop(claims, claim);
        forget_if_unwanted(claims, name);
    }
    claims_settle(claims);
}

void claims_settle(struct claims *claims)
{
    for (size_t i = 0; i < CLAIMS_BUCKETS && claims->vacant > 0; i++) {
        for (struct claim_name *name = claims->buckets[i]; name != NULL; name = name->next) {
            if (name->holder == NULL) {
                (void)give(claims, name);
            }
        }
    }
}

bool claims_restore(struct claims *claims, struct claimant *claimant, const char *text,
                    const struct claim_actor *actor, bool is_holder)
{
    struct claim_name *name = *find_name(claims, text);
    bool is_held = name != NULL && name->holder != NULL;
    bool is_possible =
        is_holder ? !is_held : actor->waits && (name == NULL || !is_waiting(claimant, name));
    name = is_possible && has_room(claims, claimant) ? take_name(claims, text) : NULL;
    struct claim *claim = name != NULL ? make(claims, claimant, name, actor) : NULL;
    if (claim == NULL) {
        forget_if_unwanted(claims, name);
        return false;
    }
    if (is_holder) {
        hold(claims, claim);
    } else {
        wait_last(claim);
    }
    return true;
}

void claims_visit(const struct claims *claims,
                  void (*visit)(void *owner, const struct claim *claim, bool is_holder),
                  void *owner)
{
    for (size_t i = 0; i < CLAIMS_BUCKETS; i++) {
        for (const struct claim_name *name = claims->buckets[i]; name != NULL; name = name->next) {
            if (name->holder != NULL) {
                visit(owner, name->holder, true);
            }
            for (const struct claim *claim = name->waiting; claim != NULL; claim = claim->next) {
                visit(owner, claim, false);
            }
        }
    }
}
