/* reload_round.c - who waits for one reload.
 * Owns the calls until they are answered.  Whoever asks while a reload runs wants to be sure of what is on the disk now, so he waits for
 * the next one, together with all others who came meanwhile; however many they are, that is one reload.
 * Called by reload.c.  Must not know what a reload does. */
#include "daemon/change/reload_round.h"

bool reload_round_join(struct reload_round *round, struct control_call *call, bool is_restart)
{
    if (call != NULL && round->count == RELOAD_ROUND_CALLS_MAX) {
        return false;
    }
    if (call != NULL) {
        round->calls[round->count++] = call;
    }
    round->is_restart = round->is_wanted ? round->is_restart || is_restart : is_restart;
    round->is_wanted = true;
    return true;
}

void reload_round_answer(struct reload_round *round, json_t *result,
                         const struct reload_failure *failure)
{
    struct reload_round now = *round;
    *round = (struct reload_round){.is_wanted = false};
    for (unsigned i = 0; i < now.count; i++) {
        if (result == NULL) {
            control_fail(now.calls[i], failure->code, failure->why);
        } else {
            control_answer(now.calls[i], json_incref(result));
        }
    }
    json_decref(result);
}
