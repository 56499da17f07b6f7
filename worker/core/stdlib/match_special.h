#ifndef FSD_WORKER_CORE_STDLIB_MATCH_SPECIAL_H
#define FSD_WORKER_CORE_STDLIB_MATCH_SPECIAL_H

#include "worker/core/stdlib/match_attempt.h"

/* %bxy: from an x to the y that belongs to it. */
enum match_move match_special_balance(struct match_attempt *attempt);
/* %f[set]: between two bytes, of which the second is in the set; before the subject and behind it stands the byte 0. */
enum match_move match_special_frontier(struct match_attempt *attempt);
/* %1: what a capture holds already. */
enum match_move match_special_reference(struct match_attempt *attempt);

#endif
