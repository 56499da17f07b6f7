#ifndef FSD_COMMON_SUPERVISE_PHASE_H
#define FSD_COMMON_SUPERVISE_PHASE_H

#include "common/supervise.h"

/* Between the parts of supervise_next only. */

/* What a part of the work comes to. */
enum supervise_outcome {
    SUPERVISE_WAIT,  /* nothing more to do until something happens */
    SUPERVISE_GO_ON, /* something has changed: look again */
    SUPERVISE_ACT,   /* the owner has an action to carry out */
};

/* SUPERVISE_ACT, with that action. */
enum supervise_outcome supervise_phase_act(struct supervise_action *ret,
                                           enum supervise_action_kind kind, uint32_t id);
/* Takes a child along a row that must be there. */
void supervise_phase_step(struct supervise *supervise, uint32_t id, enum supervise_event event);
void supervise_phase_begin(struct supervise *supervise, enum supervise_phase phase, uint32_t at);
/* Begins the end of all children. */
void supervise_phase_end(struct supervise *supervise, enum supervise_end end);
/* Forgets an idle child if nothing is kept of one that has ended. */
enum supervise_outcome supervise_phase_forget(struct supervise *supervise, uint32_t id,
                                              struct supervise_action *ret);

/* supervise_starting.c.  Starts the children one after another, from `at` on.  A restart that fails is put off, the first start
 * is given up. */
enum supervise_outcome supervise_starting_next(struct supervise *supervise,
                                               struct supervise_action *ret);
/* Starts the one child that is at stake; what comes of it ends the phase. */
enum supervise_outcome supervise_starting_one(struct supervise *supervise,
                                              struct supervise_action *ret);

/* supervise_ending.c.  Stops the children one after another, from `at` back to `from`. */
enum supervise_outcome supervise_ending_next(struct supervise *supervise, uint64_t now_ms,
                                             struct supervise_action *ret);
/* Stops all children without waiting for any, then kills those that took too long; one time for all of them. */
enum supervise_outcome supervise_ending_at_once(struct supervise *supervise, uint64_t now_ms,
                                                struct supervise_action *ret);
/* Stops the one child that is at stake. */
enum supervise_outcome supervise_ending_one(struct supervise *supervise, uint64_t now_ms,
                                            struct supervise_action *ret);

#endif
