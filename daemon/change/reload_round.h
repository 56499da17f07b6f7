#ifndef FSD_DAEMON_CHANGE_RELOAD_ROUND_H
#define FSD_DAEMON_CHANGE_RELOAD_ROUND_H

#include <jansson.h>
#include <stdbool.h>

#include "daemon/control/control.h"

enum { RELOAD_ROUND_CALLS_MAX = 64 };

/* Callers of one reload; more than one when they came while another was running. */
struct reload_round {
    bool is_wanted;  /* also without a caller: SIGHUP */
    bool is_restart; /* a rolling restart was asked for, not an in-place reload */
    unsigned count;
    struct control_call *calls[RELOAD_ROUND_CALLS_MAX];
};

/* Why a reload failed, for its callers. */
struct reload_failure {
    enum control_error code;
    const char *why; /* borrowed */
};

/* call NULL: nobody waits.  False: the round is full. */
bool reload_round_join(struct reload_round *round, struct control_call *call, bool is_restart);
/* Answers all callers with result (takes it), or with the failure when it is NULL; the round is empty then. */
void reload_round_answer(struct reload_round *round, json_t *result,
                         const struct reload_failure *failure);

#endif
